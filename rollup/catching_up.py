"""When L1 mines while instant blocks put the chain's time ahead of the machine's clock.

Each instant block moves the clock by an L2 block time, so L1 slots begin faster than by the machine's clock. L1 does
not mine in each of them, because each L1 block is work for both derivations and for the batcher, and a client waits for
its next block meanwhile. L1 mines once no instant block has come for QUIET seconds, and at the latest LONGEST seconds
after a slot has begun. The block is in the newest slot. The slots before it stay empty, like slots of Ethereum whose
proposers were absent. So L1 is far behind for a short time only, and never so far that the sequencer drift could hold
up an L2 block.
"""

from collections.abc import Callable
from typing import Final

from rollup.clock import Clock
from rollup.l1.miner import MockL1

QUIET: Final = 0.1
LONGEST: Final = 1.0
_PART_OF_DRIFT: Final = 3  # L1 is behind by at most a third of the drift


class CatchingUp:
    """Says how long L1 may wait with its next block, and which slot that block is in."""

    def __init__(self, miner: MockL1, clock: Clock, drift: int, seconds: Callable[[], float]) -> None:
        """drift: the sequencer drift in seconds. seconds: any clock that instant blocks do not move."""
        self._miner = miner
        self._clock = clock
        self._most_behind = drift // _PART_OF_DRIFT
        self._seconds = seconds
        self._last_instant: float | None = None
        self._due_since: float | None = None

    def moved(self) -> None:
        """An instant block has moved the clock."""
        self._last_instant = self._seconds()

    def mined(self) -> None:
        """L1 has mined a block."""
        self._due_since = None
        if self._clock.now() < self._miner.next_block_time:
            self._last_instant = None

    def wait(self) -> float:
        """Seconds for which L1 may leave the slot that has begun without a block; 0 where it must mine."""
        behind = self._clock.now() - self._miner.next_block_time
        if self._last_instant is None or behind > self._most_behind:
            return 0.0
        now, until = self._seconds(), self._last_instant + QUIET
        if behind >= 0:
            if self._due_since is None:
                self._due_since = now
            until = min(until, self._due_since + LONGEST)
        return max(until - now, 0.0)

    def slot(self) -> int | None:
        """The time of the slot for the next block in seconds; None for the first slot after L1's head.

        Slots are skipped only after instant blocks. A time that a user has set is kept.
        """
        miner = self._miner
        if self._last_instant is None or miner.next_block.timestamp is not None:
            return None
        newest = miner.slots.time_of(miner.slots.slot_at(int(self._clock.now())))
        return newest if newest > miner.next_block_time else None
