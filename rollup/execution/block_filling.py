"""Filling a block from a pool within the block's time.

Gas does not predict how long this EVM takes: the slowest programs take a hundred times as long as others of the same
gas. So a builder with a clock stops taking transactions after FILL_SECONDS, also in the middle of one. A transaction
that alone runs longer than TRANSACTION_SECONDS is slow. It stays in the pool. Between the blocks it is executed ahead,
to its end, on the newest state (`execute_ahead`). A later block takes its effects at once, provided that no value that
it read has changed (known_message.py). So slow transactions do not make blocks late. A transaction that reads values
which every block changes may never be included; its sender can replace it.

The machine's other work can make a short transaction look slow. The attempt ahead then shows that it is short, and the
next block executes it like any other.

A block of many light transactions may be filled for longer than half a block time. The builder knows from the block
before how long roots and storing take after filling. It leaves room for that, and for a tenth of the block time.

Where many transactions wait, a block is filled before its time, in parts (`fill_part`), as they come in. Within a part
the best go first. What an earlier part has taken stays where it is. At the block's time `fill` takes the rest.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Protocol

from rollup.execution.block_builder import BlockBuilder, BlockContext
from rollup.execution.conditional import Conditional
from rollup.execution.errors import ExecutionInterrupted, InvalidTransaction
from rollup.execution.intrinsic import TX_GAS
from rollup.execution.known_message import KnownMessage, StaleMessage
from rollup.execution.slow_transactions import SlowTransactions
from rollup.execution.state.database import StateUnavailable
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import Transaction

# At most; where blocks come faster than every two seconds, half a block time and a quarter.
FILL_SECONDS, TRANSACTION_SECONDS = 1.0, 0.5
_LIGHT_SECONDS = 0.001  # per transaction, on the average of those that a block has
_BUSY_PART = 0.9  # of the block time, for filling a block of light transactions and what comes after it
_MEASURED = 200  # transactions of a block by which the time after filling is measured
# After a slow transaction a block takes only transactions of at most this gas: a second slow one would take the rest.
LIGHT_GAS = 1_000_000

Clock = Callable[[], float]


class TransactionSource(Protocol):
    """Where a block's free transactions come from, best first.

    A builder that does not take one says so: `reject` where it cannot be in this block, with the reason, `defer` where
    it is to be offered again for a later block. `conditional` is the condition that one came with. `get` is what is
    still held. next_nonces: where to begin, for senders that already have transactions in the block.
    """

    def pending(self, base_fee: int, next_nonces: Mapping[Address, int] = ...) -> Iterator[Transaction]: ...
    def get(self, tx_hash: Hash) -> Transaction | None: ...
    def reject(self, transaction: Transaction, error: InvalidTransaction) -> None: ...
    def defer(self, transaction: Transaction) -> None: ...
    def conditional(self, tx_hash: Hash) -> Conditional | None: ...


@dataclass(slots=True)
class FillingProgress:
    """How far the filling of one block has come.

    next_nonces: by sender, after what the block has of it. seconds: that its parts have taken. offered: every
    transaction that was looked at. is_full_of_work: a slow transaction was met, so that only light ones follow.
    """

    next_nonces: dict[Address, int] = field(default_factory=dict)
    seconds: float = 0.0
    offered: set[Hash] = field(default_factory=set)
    has_tried: bool = False
    is_full_of_work: bool = False


class BlockFilling:
    """Fills the blocks of one chain. It remembers which transactions are slow."""

    def __init__(self, pool: TransactionSource) -> None:
        self._pool = pool
        self._slow = SlowTransactions()
        self._last: BlockContext | None = None
        self._filled = self._spent = 0.0  # seconds: when the last filling ended, and how long it took
        self._is_measured = False  # what follows the last filling shows how long that takes
        self._rest: float | None = None  # seconds after filling, per second of filling

    def fill(
        self,
        builder: BlockBuilder,
        offers: Callable[[], Iterator[Transaction]],
        clock: Clock | None,
        progress: FillingProgress | None = None,
    ) -> None:
        """Takes what fits of the pool's transactions.

        offers: the pool's pending transactions, without those that the caller does not want now. clock: seconds; None
        lets every transaction run to its end. progress: of the parts that were filled before.
        """
        self._last = builder.context
        if clock is None:
            self._take_all(builder, offers())
            return
        progress = progress or FillingProgress()
        block_time = _block_time(builder)
        most = min(FILL_SECONDS, block_time / 2)
        light = self._longest(block_time, most)
        if self._take_in_time(builder, offers(), clock, progress, most - progress.seconds, light):
            self._slow.keep_only(progress.offered)
        self._filled, self._spent = clock(), progress.seconds
        self._is_measured = len(builder.transactions) >= _MEASURED

    def fill_part(
        self,
        builder: BlockBuilder,
        offers: Callable[[], Iterator[Transaction]],
        clock: Clock,
        progress: FillingProgress,
        most: float,
    ) -> bool:
        """Takes what comes first of the pool's transactions, for `most` seconds, before the block's time.

        Returns whether another part would find more now.
        """
        pending = offers()
        taken = len(builder.transactions)
        first = list(islice(pending, 1))  # the time begins when the pool has found out what is best
        is_all = self._take_in_time(builder, chain(first, pending), clock, progress, most)
        for transaction in builder.transactions[taken:]:
            progress.next_nonces[transaction.sender] = transaction.nonce + 1
        return not is_all and builder.gas_left >= TX_GAS

    def adopted(self, clock: Clock) -> None:
        """Notes that the block that was filled last is now the head."""
        if self._is_measured and self._spent > 0:
            self._rest = (clock() - self._filled) / self._spent
        self._is_measured = False

    @property
    def has_slow_transactions(self) -> bool:
        """Whether the pool has transactions that are executed ahead."""
        return len(self._slow) > 0

    def execute_ahead(
        self, builder_of: Callable[[BlockContext, int], BlockBuilder], clock: Clock, may_begin: Callable[[], bool]
    ) -> bool:
        """Executes one slow transaction to its end for a block to come; False when there is nothing to do.

        builder_of: a builder of the block so many after the head, by the context of the last block that was filled.
        may_begin: False while a block is due.
        """
        item, last = self._slow.next_attempt(clock()), self._last
        if item is None or last is None or not may_begin():
            return False
        begun = clock()
        builder = builder_of(last, item.distance)
        builder.begin()
        try:
            known = builder.execute_ahead(item.transaction)
        except (InvalidTransaction, StateUnavailable):  # where it still waits, it is found to be slow again
            self._slow.drop(item.transaction.hash)
            return True
        self._slow.note(item, known, builder.context.number, clock() - begun, clock())
        return True

    # ---------------------------------------------------------------- inside
    def _take_all(self, builder: BlockBuilder, offers: Iterator[Transaction]) -> None:
        for transaction in offers:
            if builder.gas_left < TX_GAS:
                return
            if not self._meets_its_condition(builder, transaction):
                continue
            try:
                builder.apply(transaction)
            except InvalidTransaction as error:
                self._pool.reject(transaction, error)

    def _meets_its_condition(self, builder: BlockBuilder, transaction: Transaction) -> bool:
        """Whether a transaction may be next in the block by the condition that it came with. If not, it is dropped."""
        conditional = self._pool.conditional(transaction.hash)
        if conditional is None:
            return True
        try:
            conditional.check_block(builder.context.number, builder.context.timestamp)
            conditional.check_storage(builder.accounts)
        except InvalidTransaction as error:
            self._pool.reject(transaction, error)
            return False
        return True

    def _take_in_time(
        self,
        builder: BlockBuilder,
        offers: Iterator[Transaction],
        clock: Clock,
        progress: FillingProgress,
        most: float,
        longest_light: float | None = None,
    ) -> bool:
        """Fills for `most` seconds; returns whether everything was offered.

        longest_light: seconds for all parts together that a block of light transactions may take. None in a part that
        is filled before the block's time: a transaction at its end then has as long as any other.
        """
        began = clock()
        try:
            return self._take_until(builder, offers, clock, progress, (began, began + most), longest_light)
        finally:
            progress.seconds += clock() - began
            builder.lift_time_limit()

    def _take_until(
        self,
        builder: BlockBuilder,
        offers: Iterator[Transaction],
        clock: Clock,
        progress: FillingProgress,
        time: tuple[float, float],
        longest_light: float | None,
    ) -> bool:
        began, end = time
        block_time = _block_time(builder)
        longest = min(TRANSACTION_SECONDS, block_time / 4)
        spent_before, offered = progress.seconds, progress.offered
        last_end = end if longest_light is None else began + longest_light - spent_before
        for transaction in offers:
            now = clock()
            if end <= now < last_end and spent_before + now - began < _LIGHT_SECONDS * len(offered):
                end = last_end
            left = end - now
            if builder.gas_left < TX_GAS or (progress.has_tried and left <= 0):
                return False
            if transaction.hash in offered:  # an earlier part did not take it
                self._pool.defer(transaction)
                continue
            if not self._meets_its_condition(builder, transaction):
                progress.has_tried = True
                continue
            offered.add(transaction.hash)
            item, known = self._slow.get(transaction.hash), None
            is_short = item is None or item.seconds <= longest / 2
            if item is not None and item.target <= builder.context.number:
                known = item.known
            if known is None and (not is_short or (progress.is_full_of_work and transaction.gas_limit > LIGHT_GAS)):
                self._pool.defer(transaction)
                continue
            limit = min(longest, left) if progress.has_tried and longest_light is not None else longest
            progress.has_tried = True
            builder.limit_time(clock, limit)
            try:
                _apply(builder, transaction, known, is_short=is_short)
            except ExecutionInterrupted:
                if limit == longest and item is None:
                    self._slow.add(transaction, limit)
                elif item is not None:
                    item.seconds = limit
                    self._slow.postpone(item, clock())
                self._pool.defer(transaction)
                progress.is_full_of_work = True
            except StaleMessage:
                assert item is not None
                self._slow.postpone(item, clock(), block_time)
                self._pool.defer(transaction)
            except InvalidTransaction as error:
                self._slow.drop(transaction.hash)
                self._pool.reject(transaction, error)
            else:
                self._slow.drop(transaction.hash)
        return True

    def _longest(self, block_time: float, most: float) -> float:
        """Seconds that a block of light transactions is filled for, at most."""
        if self._rest is None:
            return most
        return max(most, min(FILL_SECONDS, _BUSY_PART * block_time / (1 + self._rest)))


def _block_time(builder: BlockBuilder) -> int:
    return builder.context.timestamp - builder.context.parent.timestamp


def _apply(builder: BlockBuilder, transaction: Transaction, known: KnownMessage | None, *, is_short: bool) -> None:
    """Includes a transaction: by its known effects if they hold, by executing it if it is short."""
    try:
        builder.apply(transaction, known)
    except StaleMessage:
        if not is_short:
            raise
        builder.apply(transaction)
