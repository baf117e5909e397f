"""The front processes of a port, as the node sees them: started, given connections, answered, replaced.

The node listens, and gives each new connection to the front process with the fewest. A front process answers what is
transactions alone and asks the node for the rest; a connection that it cannot read it gives back. While none is ready
the node serves connections itself. A front process that dies takes its connections with it, and another is started; a
transaction that it had acknowledged was in the node's pool before.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, Protocol

import structlog

from rollup.protocol.prepared import Prepared
from rollup.rpc.front.sends import Answer
from rollup.rpc.front.wire import Channel, Handles, Kind

log = structlog.get_logger()

_ROOT = Path(__file__).parents[3]
# As a script, so that nothing of the environment changes where modules come from.
_CODE = "import sys; sys.path.insert(0, sys.argv[1]); from rollup.rpc.front.program import main; main(int(sys.argv[2]))"
_RESTART_SECONDS = 0.2  # before a process is replaced, doubled each time that one died before it was ready
_MAX_RESTART_SECONDS = 10.0

Item = tuple[bytes, Prepared | None]


class FrontHost(Protocol):
    """The interface of the node that front processes use."""

    async def handle_body(self, body: bytes, is_local: bool) -> bytes:
        """The answer to a JSON-RPC body. is_local: its client is on this machine."""

    async def take_transactions(self, items: Sequence[Item]) -> list[Answer]:
        """The answer for each transaction: bytes, and what a front process worked out of them."""

    async def adopt(self, connection: socket.socket, received: bytes) -> None:
        """Serves a connection whose client has sent this already."""


def are_possible() -> bool:
    """Whether this system can pass connections between processes."""
    return hasattr(socket, "recv_fds")


def front_count(processes: int | None) -> int:
    """How many front processes a node has. processes: of the node in all; None chooses by the machine's cores."""
    if processes is not None:
        return max(processes - 1, 0)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores // 2 if are_possible() else 0


class Fronts:
    """The front processes of one port."""

    def __init__(self, count: int, host: FrontHost, server: str, hosts: Sequence[str]) -> None:
        """server: how HTTP answers call this server. hosts: names that the port may be addressed by."""
        self._places = [_Place(host, server, list(hosts)) for _ in range(count)]

    def start(self) -> None:
        """Starts the processes; they are given connections once they are ready."""
        for place in self._places:
            place.start()

    async def stop(self) -> None:
        """Ends the processes at once."""
        for place in self._places:
            await place.stop()

    @property
    def connections(self) -> int:
        """How many connections the front processes have."""
        return sum(place.connections for place in self._places)

    @property
    def pids(self) -> list[int]:
        """The process ids of those that are ready."""
        return [place.pid for place in self._places if place.is_ready and place.pid is not None]

    @property
    def restarts(self) -> int:
        """How many processes have been replaced."""
        return sum(place.restarts for place in self._places)

    def take(self, descriptor: int, makes_room: bool) -> bool:
        """Gives a connection to a front process; False where none can take it.

        makes_room: the port is full. The process with the most connections closes an idle one for it, or refuses it.
        """
        ready = [place for place in self._places if place.is_ready]
        if not ready:
            return False
        by_count = max if makes_room else min
        return by_count(ready, key=lambda place: place.connections).take(descriptor, makes_room)


class _Place:
    """One front process and those that replace it."""

    def __init__(self, host: FrontHost, server: str, hosts: list[str]) -> None:
        self._host = host
        self._config = server, hosts
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._handles: Handles | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._calls: dict[int, asyncio.Task[Any]] = {}
        self._given: dict[int, socket.socket | bytes] = {}  # what came of a GIVE first
        self._to_take: deque[Sequence[Item]] = deque()  # the first is being taken in
        self.connections = 0
        self.restarts = 0
        self.is_ready = False

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Starts the process, and replaces it whenever it dies."""
        self._supervisor = asyncio.get_running_loop().create_task(self._supervise())

    async def stop(self) -> None:
        """Ends the process."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        self._close()

    def take(self, descriptor: int, makes_room: bool) -> bool:
        """Gives the process a connection; False where it cannot be given."""
        if self._handles is None or not self._handles.pass_on(int(makes_room), descriptor):
            return False
        self.connections += 1
        return True

    # ------------------------------------------------------------ the process
    async def _supervise(self) -> None:
        delay = _RESTART_SECONDS
        while True:
            try:
                await self._open()
                await self._ended.wait()
                delay = _RESTART_SECONDS if self.is_ready else min(2 * delay, _MAX_RESTART_SECONDS)
                log.warning(
                    "front process has ended: another one is started", pid=self.pid, exit=await self._exit_code()
                )
            except OSError as error:
                delay = _MAX_RESTART_SECONDS
                log.warning("front process cannot be started: the node answers itself", reason=str(error))
            self._close()
            self.restarts += 1
            await asyncio.sleep(delay)

    async def _open(self) -> None:
        self._ended = asyncio.Event()
        ours, theirs = socket.socketpair()
        our_handles, their_handles = socket.socketpair()
        with theirs, their_handles:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-c", _CODE, str(_ROOT), str(their_handles.fileno())],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    pass_fds=[their_handles.fileno()],
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                our_handles.close()
                raise
        self._handles = Handles(our_handles, lambda number, connection: self._on_given(number, connection))
        self._handles.start()
        channel = self._channel = Channel(self._on_message, self._ended.set)
        await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=ours)
        channel.send(Kind.CONFIG, *self._config)

    async def _exit_code(self) -> int | None:
        process = self._process
        for _ in range(20):
            if process is None or process.poll() is not None:
                break
            await asyncio.sleep(0.01)
        return process.returncode if process is not None else None

    def _close(self) -> None:
        """Ends the process and all that was under way for it."""
        self.is_ready, self.connections = False, 0
        for task in list(self._tasks):
            task.cancel()
        if self._channel is not None:
            self._channel.close()
        if self._handles is not None:
            self._handles.close()
        for half in self._given.values():
            if isinstance(half, socket.socket):
                half.close()
        self._given.clear()
        self._calls.clear()
        self._to_take.clear()
        process, self._process, self._channel, self._handles = self._process, None, None, None
        if process is not None:
            process.kill()
            process.wait()

    # ------------------------------------------------------------ messages
    def _on_message(self, message: Any) -> None:
        kind, *items = message
        if kind == Kind.SEND:
            self._to_take.append(items[0])
            if len(self._to_take) == 1:
                self._run(self._take_transactions())
        elif kind == Kind.CALL:
            number, is_local, body = items
            self._calls[number] = self._run(self._call(number, is_local, body))
        elif kind == Kind.CANCEL:
            task = self._calls.pop(items[0], None)
            if task is not None:
                task.cancel()
        elif kind == Kind.CLOSED:
            self.connections -= 1
        elif kind == Kind.GIVE:
            number, received = items
            self.connections -= 1
            self._on_given(number, received)
        elif kind == Kind.READY:
            self.is_ready = True

    async def _take_transactions(self) -> None:
        """One message after another: a sender's transactions come into the pool in the order of their sending."""
        while self._to_take:
            self._tell(Kind.SENT, await self._host.take_transactions(self._to_take[0]))
            self._to_take.popleft()

    async def _call(self, number: int, is_local: bool, body: bytes) -> None:
        try:
            self._tell(Kind.ANSWER, number, await self._host.handle_body(body, is_local))
        finally:
            self._calls.pop(number, None)

    def _on_given(self, number: int, half: socket.socket | bytes) -> None:
        """A connection, or the bytes that its client has sent. When both are here, the node continues with the
        connection.
        """
        other = self._given.pop(number, None)
        if other is None:
            self._given[number] = half
        elif isinstance(half, socket.socket) and isinstance(other, bytes):
            self._run(self._host.adopt(half, other))
        elif isinstance(half, bytes) and isinstance(other, socket.socket):
            self._run(self._host.adopt(other, half))

    def _tell(self, kind: Kind, *items: Any) -> None:
        if self._channel is not None:
            self._channel.send(kind, *items)

    def _run(self, work: Awaitable[None]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
