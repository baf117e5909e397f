"""Long work in the event loop, in slices: between two of them everything else has its turn."""

import asyncio
from collections.abc import Callable, Iterator
from time import monotonic

from rollup.rpc.errors import request_timed_out
from rollup.rpc.limits import SLICE_SECONDS


class Turns:
    """Runs generators, one slice per turn of the loop. However many wait, a turn is one slice long."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        """now: seconds of a clock that never goes back."""
        self._now = now
        self._turn = asyncio.Lock()

    async def run(self, steps: Iterator[None], seconds: float | None = None) -> None:
        """Exhausts a generator; raises geth's `request timed out` when that takes more than so many seconds."""
        end = None if seconds is None else self._now() + seconds
        is_done = False
        while not is_done:
            async with self._turn:
                is_done = self._work(steps)
                await asyncio.sleep(0)
            if not is_done and end is not None and self._now() > end:
                raise request_timed_out()

    def _work(self, steps: Iterator[None]) -> bool:
        """Works for one slice; whether the generator ended."""
        pause = self._now() + SLICE_SECONDS
        return all(self._now() < pause for _ in steps)
