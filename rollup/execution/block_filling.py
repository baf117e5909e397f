"""Filling a block from a pool within the block's time.

Gas is no measure of this EVM's seconds: the slowest programs take a hundred times as long as others of the same gas.
So a builder with a clock stops taking transactions after FILL_SECONDS, and interrupts one that runs longer than
TRANSACTION_SECONDS. That one is slow. It stays in the pool, and later it has a block of its own, in which it runs to
its end and pays for its gas. That block is late. Slow transactions get at most one part in SLOW_SHARE of the time, so
that the other blocks are on time.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

import structlog

from rollup.execution.block_builder import BlockBuilder
from rollup.execution.errors import ExecutionInterrupted, InvalidTransaction
from rollup.execution.intrinsic import TX_GAS
from rollup.protocol.primitives import Hash
from rollup.protocol.transaction import Transaction

log = structlog.get_logger()

FILL_SECONDS, TRANSACTION_SECONDS = 1.0, 1.0
SLOW_SHARE = 5
# After a slow transaction a block takes only transactions of at most this gas: a second one would make the block late.
LIGHT_GAS = 1_000_000
_MOST_REMEMBERED = 4_096

Clock = Callable[[], float]


class TransactionSource(Protocol):
    """Where a block's free transactions come from, best first.

    A builder that does not take one says so: `reject` where it cannot be in this block, with the reason, `defer` where
    it is to be offered again for a later block.
    """

    def pending(self, base_fee: int) -> Iterator[Transaction]: ...
    def reject(self, transaction: Transaction, error: InvalidTransaction) -> None: ...
    def defer(self, transaction: Transaction) -> None: ...


class BlockFilling:
    """Fills the blocks of one chain. It remembers which transactions are slow."""

    def __init__(self, pool: TransactionSource) -> None:
        self._pool = pool
        self._slow: dict[Hash, None] = {}
        self._next_slow = 0.0  # by the clock: before this time no slow transaction has its block

    def fill(self, builder: BlockBuilder, offers: Callable[[], Iterator[Transaction]], clock: Clock | None) -> None:
        """Takes what fits of the pool's transactions.

        offers: the pool's pending transactions, without those that the caller does not want now. clock: seconds; None
        lets every transaction run to its end.
        """
        if clock is None:
            self._take(builder, offers(), lambda: 0.0)
            return
        begun = clock()
        if self._slow and begun >= self._next_slow and self._take_slow(builder, offers()):
            self._next_slow = clock() + (SLOW_SHARE - 1) * (clock() - begun)
            return
        self._take(builder, offers(), lambda: clock() - begun, clock)
        builder.lift_time_limit()

    def _take(
        self,
        builder: BlockBuilder,
        offers: Iterator[Transaction],
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        has_tried = is_full_of_work = False
        for transaction in offers:
            if builder.gas_left < TX_GAS or (has_tried and elapsed() > FILL_SECONDS):
                return
            if transaction.hash in self._slow or (is_full_of_work and transaction.gas_limit > LIGHT_GAS):
                self._pool.defer(transaction)
                continue
            has_tried = True
            if clock is not None:
                builder.limit_time(clock, TRANSACTION_SECONDS)
            try:
                builder.apply(transaction)
            except ExecutionInterrupted:
                self._remember(transaction)
                self._pool.defer(transaction)
                is_full_of_work = True
            except InvalidTransaction as error:
                self._pool.reject(transaction, error)

    def _take_slow(self, builder: BlockBuilder, offers: Iterator[Transaction]) -> bool:
        """Runs the best slow transaction alone; False where none can run."""
        for transaction in offers:
            if transaction.hash not in self._slow:
                continue
            del self._slow[transaction.hash]
            try:
                builder.apply(transaction)
            except InvalidTransaction as error:
                self._pool.reject(transaction, error)
                continue
            return True
        self._slow.clear()  # those that are still held and run too long are found again
        return False

    def _remember(self, transaction: Transaction) -> None:
        log.warning(
            "transaction runs too long beside others: it waits for a block of its own",
            hash="0x" + transaction.hash.hex(),
            gas_limit=transaction.gas_limit,
            seconds=TRANSACTION_SECONDS,
        )
        self._slow[transaction.hash] = None
        while len(self._slow) > _MOST_REMEMBERED:
            del self._slow[next(iter(self._slow))]
