"""Whether clients send so many transactions that work for which no user waits is put off.

Batcher, verifier and attribution indexes are such work (rollup/lanes.py). By its low weight it gets few turns while
others want them. But it also takes the moments in which the node waits for the next message of a client, and that
message then waits for the end of a turn. The batcher's KZG commitments take another core. So in a rush this work is not
done at all. It is put off for at most MOST_SECONDS, so that it never falls behind by more than that. The batcher starts
earlier where the blocks that wait for it would soon make the throttle limit the builder.
"""

import asyncio
from collections.abc import Callable
from typing import Final

PER_SECOND: Final = 1_000  # transactions per second that make a rush
WAITING: Final = 1_000  # transactions in the pool that keep a rush on
LOOK_SECONDS: Final = 0.05  # between two looks
MOST_SECONDS: Final = 5.0
CALM_SECONDS: Final = 1.0  # without a rush, until work may be put off again


class Rush:
    """Looks at a pool whenever it is asked.

    >>> seconds, arrivals = [0.0], [0]
    >>> rush = Rush(arrivals=lambda: arrivals[0], waiting=lambda: 0, seconds=lambda: seconds[0])
    >>> seconds[0], arrivals[0] = 0.1, 500
    >>> rush.is_on()
    True
    """

    def __init__(self, arrivals: Callable[[], int], waiting: Callable[[], int], seconds: Callable[[], float]) -> None:
        """arrivals: of the pool, since its beginning. waiting: what it holds. seconds: a clock that only goes ahead."""
        self._arrivals, self._waiting, self._seconds = arrivals, waiting, seconds
        self._looked, self._seen = seconds(), arrivals()
        self._is_busy = False  # at the last look
        self._began: float | None = None
        self._was_busy = self._looked

    def is_on(self) -> bool:
        """Whether work for which no user waits is to be put off now."""
        now = self._seconds()
        if now - self._looked >= LOOK_SECONDS:
            self._look(now)
        return self._is_busy and self._began is not None and now - self._began < MOST_SECONDS

    async def over(self, may_wait: Callable[[], bool] = lambda: True) -> None:
        """Returns when work is to be done: the rush is over, or the work may not wait any longer."""
        while self.is_on() and may_wait():
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self, now: float) -> None:
        arrivals = self._arrivals()
        comes = arrivals - self._seen >= PER_SECOND * (now - self._looked)
        self._looked, self._seen = now, arrivals
        self._is_busy = comes or (self._is_busy and self._waiting() >= WAITING)
        if self._is_busy:
            self._was_busy = now
            if self._began is None:
                self._began = now
        elif now - self._was_busy >= CALM_SECONDS:
            self._began = None
