"""Keeps the attribution indexes near the head, so that a question finds little left to read."""

import asyncio
from collections.abc import Sequence
from functools import partial

import structlog

from rollup.cooperative import TURN_SECONDS, Turns
from rollup.execution.state.database import StateUnavailable
from rollup.index.index import Index, IndexUnavailable

log = structlog.get_logger()

_PAUSE = 0.2


class Follower:
    """Updates indexes a little at a time while the node runs. If an index cannot continue, this is logged once."""

    def __init__(self, indexes: Sequence[Index], turns: Turns, lane: int) -> None:
        """turns: those of the node. lane: the one in which the indexes are asked, too."""
        self.indexes = tuple(indexes)
        self._turns = turns
        self._lane = lane
        self._task: asyncio.Task[None] | None = None
        self._said: str | None = None

    def start(self) -> None:
        """Begins; needs a running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ends, and closes the indexes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for index in self.indexes:
            index.close()

    async def _run(self) -> None:
        while True:
            is_current = True
            for index in self.indexes:
                is_current &= index.is_current or await self._turns.change(partial(self._update, index), self._lane)
            await asyncio.sleep(_PAUSE if is_current else 0)

    def _update(self, index: Index) -> bool:
        try:
            return index.update(TURN_SECONDS)
        except (IndexUnavailable, StateUnavailable) as error:
            if self._said != str(error):
                self._said = str(error)
                log.warning("attribution index", reason=self._said)
            return True
