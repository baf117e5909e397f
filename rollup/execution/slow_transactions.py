"""The transactions of a pool that run longer than a block's time: each is executed ahead of the block that takes it."""

from dataclasses import dataclass

import structlog

from rollup.execution.known_message import KnownMessage
from rollup.protocol.primitives import Hash
from rollup.protocol.transaction import Transaction

log = structlog.get_logger()

_MOST_REMEMBERED = 4_096
_LONGEST_WAIT = 60.0  # seconds between two attempts
_SAID_AFTER = 5  # attempts


@dataclass(slots=True)
class SlowTransaction:
    """A transaction that was interrupted.

    known: the effects of its message, None until it was executed ahead. target: the number of the block that they hold
    for, if the message read the block's number or time; 0 for any block. distance: the blocks between the head and the
    block that the next attempt is for. seconds: how long it ran last, ahead of a block or in one. not_before: the next
    attempt's time in seconds.
    """

    transaction: Transaction
    seconds: float
    known: KnownMessage | None = None
    target: int = 0
    distance: int = 1
    attempts: int = 0
    not_before: float = 0.0


class SlowTransactions:
    """Slow transactions by hash, oldest first."""

    def __init__(self) -> None:
        self._by_hash: dict[Hash, SlowTransaction] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, tx_hash: Hash) -> SlowTransaction | None:
        """The entry of a slow transaction."""
        return self._by_hash.get(tx_hash)

    def add(self, transaction: Transaction, seconds: float) -> None:
        """Takes in a transaction that ran for these seconds without an end."""
        log.warning(
            "transaction runs too long for a block: it waits in the pool and is executed ahead of a later block",
            hash="0x" + transaction.hash.hex(),
            gas_limit=transaction.gas_limit,
            seconds=seconds,
        )
        self._by_hash[transaction.hash] = SlowTransaction(transaction, seconds)
        while len(self._by_hash) > _MOST_REMEMBERED:
            del self._by_hash[next(iter(self._by_hash))]

    def drop(self, tx_hash: Hash) -> None:
        """Forgets a transaction that was included or has left the pool."""
        self._by_hash.pop(tx_hash, None)

    def keep_only(self, offered: set[Hash]) -> None:
        """Removes transactions that the pool no longer offers."""
        for tx_hash in self._by_hash.keys() - offered:
            del self._by_hash[tx_hash]

    def next_attempt(self, now: float) -> SlowTransaction | None:
        """The one to execute ahead now; now: seconds. Those with fewer attempts go first."""
        waiting = [item for item in self._by_hash.values() if item.known is None and item.not_before <= now]
        return min(waiting, key=lambda item: item.attempts, default=None)

    def note(self, item: SlowTransaction, known: KnownMessage | None, target: int, seconds: float, now: float) -> None:
        """Stores the effects found by an attempt. With None the next attempt waits."""
        item.seconds = seconds
        item.known = known
        item.target = target if known is not None and known.reads.is_timed else 0
        if known is None:
            self.postpone(item, now)

    def postpone(self, item: SlowTransaction, now: float, block_time: float = 1.0) -> None:
        """Records that the effects do not hold in the block that was built. A later attempt is for a later block."""
        item.known = None
        item.attempts += 1
        item.distance = 2 + int(item.seconds / max(block_time, 1.0))
        if item.attempts > 1:
            item.not_before = now + min(2.0 ** (item.attempts - 2) * item.seconds, _LONGEST_WAIT)
        if item.attempts == _SAID_AFTER:
            log.warning(
                "slow transaction is not included: every block changes a value that it reads; it stays in the pool",
                hash="0x" + item.transaction.hash.hex(),
                attempts=item.attempts,
            )
