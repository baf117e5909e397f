"""Keeps the attribution indexes near the head, so that a question finds little left to read.

The indexes' lane has the lowest weight, so that they hardly run while blocks are built. In a rush of transactions they
do not run at all for some seconds (rollup/rush.py). An index that has fallen far behind gets the turns of a call, so
that it does not fall behind without end.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

import structlog

from rollup.cooperative import TURN_SECONDS, Turns
from rollup.execution.state.database import StateUnavailable
from rollup.index.index import Index, IndexUnavailable
from rollup.rpc.open_reader import IndexReader
from rollup.rush import Rush

log = structlog.get_logger()

_PAUSE = 0.2
_FAR_BEHIND = 32  # blocks


class Follower:
    """Updates indexes a little at a time while the node runs. If an index cannot continue, this is logged once."""

    def __init__(self, indexes: Sequence[Index], turns: Turns, lane: int, rush: Rush) -> None:
        """turns: those of the node. lane: the one in which the indexes are asked, too."""
        self.indexes = tuple(indexes)
        self._turns = turns
        self._lane = lane
        self._rush = rush
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

    def reader(self, number: int) -> IndexReader:
        """Asks one of the indexes."""
        return IndexReader(self.indexes[number], self._turns, self._lane)

    async def _run(self) -> None:
        while True:
            await self._rush.over()
            is_current = True
            for index in self.indexes:
                is_current &= index.is_current or await self._follow(index)
            await asyncio.sleep(_PAUSE if is_current else 0)

    async def _follow(self, index: Index) -> bool:
        """Reads some blocks. Returns whether there is nothing left to do now."""
        update = partial(self._update, index)
        if index.chain.head.number - index.tip[0] > _FAR_BEHIND:
            return await self._turns.call_in(self._lane, update)
        return await self._turns.change(update, self._lane)

    def _update(self, index: Index) -> bool:
        try:
            return index.update(TURN_SECONDS)
        except (IndexUnavailable, StateUnavailable) as error:
            if self._said != str(error):
                self._said = str(error)
                log.warning("attribution index", reason=self._said)
            return True
