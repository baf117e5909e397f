"""KZG computations: in turns with an event loop by another process, elsewhere here.

ckzg keeps the interpreter for itself: two seconds to load the trusted setup, tens of milliseconds for a blob. So in
turns (rollup/cooperative.py) a call is sent to a process that a node starts early (`starting_early`). The event loop
keeps running meanwhile. One process serves one call after another. It ends with this process, and Ctrl-C is not sent to
it. A process that has died is named in the log and replaced. Results are the same on both ways.
"""

import asyncio
import atexit
import contextlib
import marshal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import ckzg
import structlog

from rollup.cooperative import is_in_turns, wait_for
from rollup.execution.vms import kzg_process

log = structlog.get_logger()

_STARTS_AFTER = 3.0  # seconds
_ATTEMPTS = 2  # by processes; then the call runs here


@cache
def trusted_setup() -> Any:
    """The mainnet ceremony's setup, as ckzg holds it: loaded at the first use, about two seconds, then shared."""
    with _setup_file() as path:
        return ckzg.load_trusted_setup(str(path), 0)


def _setup_file() -> contextlib.AbstractContextManager[Path]:
    """The path of the setup that py-evm ships."""
    return resources.as_file(resources.files("eth") / "_utils" / "kzg_trusted_setup.txt")


def call_ckzg(function: str, *arguments: Any) -> Any:
    """A function of ckzg on the trusted setup; raises RuntimeError as ckzg does."""
    if is_in_turns():
        answer = wait_for(_PROCESS.ask(function, arguments))
        if answer is not None:
            succeeded, value = answer
            if not succeeded:
                raise RuntimeError(value)
            return value
    return getattr(ckzg, function)(*arguments, trusted_setup())


@contextlib.contextmanager
def starting_early(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Starts the process some seconds later, so that a node that lives on does not wait for the setup at its first
    blob, and one that ends soon does not load it."""
    start = loop.call_later(_STARTS_AFTER, _PROCESS.start_early)
    try:
        yield
    finally:
        start.cancel()


def is_process_running() -> bool:
    """Whether there is such a process now."""
    return _PROCESS.pid is not None


class KzgProcess:
    """The process, started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._turn: asyncio.Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def pid(self) -> int | None:
        """The process's id; None if there is no process."""
        return self._process.pid if self._process is not None else None

    def start_early(self) -> None:
        """Starts the process if there is none."""
        if self._process is not None:
            return
        with contextlib.suppress(OSError):  # the first call tries again and says why
            self._start()

    async def ask(self, function: str, arguments: tuple[Any, ...]) -> tuple[bool, Any] | None:
        """Whether a call succeeded, and its result or the text of its error; None where no process answers.

        A cancelled call is answered to nobody: the process stays.
        """
        return await asyncio.shield(asyncio.ensure_future(self._ask_in_turn(kzg_process.frame((function, arguments)))))

    def close(self) -> None:
        """Ends the process at once."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.wait()

    async def _ask_in_turn(self, message: bytes) -> tuple[bool, Any] | None:
        loop = asyncio.get_running_loop()
        if self._turn is None or self._loop is not loop:
            self._turn, self._loop = asyncio.Lock(), loop
        async with self._turn:
            for _ in range(_ATTEMPTS):
                try:
                    connection = self._connection or self._start()
                    return await self._exchange(loop, connection, message)
                except (EOFError, ConnectionError):
                    log.warning("KZG process has ended: another one is started", pid=self.pid, exit=self._exit_code())
                    self.close()
                except (OSError, NotImplementedError) as error:  # no process; a loop that cannot wait for sockets
                    log.warning("KZG process cannot be used: the node waits for each computation", reason=str(error))
                    self.close()
                    return None
                except BaseException:  # half a message would be read as the beginning of the next
                    self.close()
                    raise
        return None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        try:
            with theirs, _setup_file() as setup:
                command = [sys.executable, "-I", str(Path(kzg_process.__file__)), str(setup)]
                null = subprocess.DEVNULL
                self._process = subprocess.Popen(
                    command, stdin=theirs.fileno(), stdout=null, stderr=null, start_new_session=True
                )
        except OSError:
            ours.close()
            raise
        ours.setblocking(False)
        self._connection = ours
        return ours

    async def _exchange(
        self, loop: asyncio.AbstractEventLoop, connection: socket.socket, message: bytes
    ) -> tuple[bool, Any]:
        await loop.sock_sendall(connection, message)
        head = await self._receive(loop, connection, kzg_process.LENGTH_SIZE)
        answer: tuple[bool, Any] = marshal.loads(await self._receive(loop, connection, int.from_bytes(head, "big")))
        return answer

    async def _receive(self, loop: asyncio.AbstractEventLoop, connection: socket.socket, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            part = await loop.sock_recv(connection, size - len(received))
            if not part:
                raise EOFError
            received += part
        return bytes(received)

    def _exit_code(self) -> int | None:
        if self._process is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(0.1)
        return None


_PROCESS = KzgProcess()
atexit.register(_PROCESS.close)
