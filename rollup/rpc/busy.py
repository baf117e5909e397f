"""The connections of a port that have a request in work, and how these requests end with the port."""

import asyncio
from collections.abc import Iterator
from typing import Any


class BusyConnections:
    """Connections with a request or a WebSocket, and the task of each. `in` says which must be kept open."""

    def __init__(self) -> None:
        self._tasks: dict[object, asyncio.Task[Any]] = {}
        self._resting: dict[object, bool] = {}  # whose client is owed nothing; whether they are kept
        self._is_over = False

    def __contains__(self, connection: object) -> bool:
        return connection in self._tasks and self._resting.get(connection, True)

    def __iter__(self) -> Iterator[object]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, connection: object) -> None:
        """The present task answers a request of this connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks[connection] = task

    def end(self, connection: object) -> None:
        """The request is answered, or the WebSocket is closed."""
        self._tasks.pop(connection, None)
        self._resting.pop(connection, None)

    def rest(self, connection: object, *, is_kept: bool = True) -> None:
        """The client is owed nothing: the task waits for what it sends next, unless the port is about to close.

        is_kept: the connection stays open where another one needs its room.
        """
        self._resting[connection] = is_kept
        if self._is_over:
            self._tasks[connection].cancel()

    def resume(self, connection: object) -> None:
        """A WebSocket has a message to answer."""
        self._resting.pop(connection, None)

    async def stop(self, seconds: float) -> None:
        """Waits so long for the requests in work, and then cancels them. Tasks that rest are cancelled at once."""
        self._is_over = True
        for connection in self._resting:
            self._tasks[connection].cancel()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
