"""Keeps the attribution indexes near the head, so that a question finds little left to read."""

import asyncio
from collections.abc import Sequence

import structlog

from rollup.execution.state.database import StateUnavailable
from rollup.index.index import Index, IndexUnavailable

log = structlog.get_logger()

_AT_ONCE = 0.02  # seconds: blocks are built in the same loop
_PAUSE = 0.2


class Follower:
    """Updates indexes a little at a time while the node runs. If an index cannot continue, this is logged once."""

    def __init__(self, indexes: Sequence[Index]) -> None:
        self.indexes = tuple(indexes)
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
            behind = sum(not self._update(index) for index in self.indexes)
            await asyncio.sleep(0 if behind else _PAUSE)

    def _update(self, index: Index) -> bool:
        try:
            return index.update(_AT_ONCE)
        except (IndexUnavailable, StateUnavailable) as error:
            if self._said != str(error):
                self._said = str(error)
                log.warning("attribution index", reason=self._said)
            return True
