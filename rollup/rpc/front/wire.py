"""The messages between a node and a front process, over two Unix socket pairs.

The channel carries messages: four bytes of length, then a marshalled tuple whose first item is the kind. The handles
carry connections: a number in four bytes with each file descriptor.

| kind | from | items | meaning |
|---|---|---|---|
| READY | front | | it takes connections from now on |
| CONFIG | node | server, hosts | what HTTP answers call the server; host names that requests may name |
| SEND | front | items | transactions, as (raw bytes, what `prepare` returned) |
| SENT | node | answers | for each item of the oldest SEND: its hash, or (code, message) |
| CALL | front | ident, is_local, body | a JSON-RPC body that is not one of transactions alone |
| ANSWER | node | ident, body | what `RpcServer.handle` returned |
| CANCEL | front | ident | the client of a CALL has left |
| GIVE | front | ident, received | a connection goes back to the node: the descriptor comes with this number |
| CLOSED | front | | a client's connection has ended |

A connection's number from the node is 1 where the front must first close an idle one, because the port is full.
"""

import array
import asyncio
import marshal
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any

READ_SIZE = 256 * 1024  # bytes that are read at once, as asyncio reads
_LENGTH_SIZE = _NUMBER_SIZE = 4
_HANDLES_AT_ONCE = 16


class Kind(IntEnum):
    """The first item of a message."""

    READY = 0
    CONFIG = 1
    SEND = 2
    SENT = 3
    CALL = 4
    ANSWER = 5
    CANCEL = 6
    GIVE = 7
    CLOSED = 8


class Channel(asyncio.BufferedProtocol):
    """One end of the channel."""

    def __init__(self, on_message: Callable[[Any], None], on_end: Callable[[], None]) -> None:
        """on_end: called once, when the other end is gone."""
        self._on_message, self._on_end = on_message, on_end
        self._transport: asyncio.Transport | None = None
        self._buffer = memoryview(bytearray(READ_SIZE))
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._transport = None
        self._on_end()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by the loop before it reads."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the loop after it has read."""
        received = self._received
        received += self._buffer[:nbytes]
        start, end = 0, len(received)
        while end - start >= _LENGTH_SIZE:
            body = start + _LENGTH_SIZE
            size = int.from_bytes(received[start:body], "big")
            if end - body < size:
                break
            start = body + size
            self._on_message(marshal.loads(received[body:start]))
        if start:
            del received[:start]

    def send(self, kind: Kind, *items: Any) -> None:
        """Sends a message; does nothing where the other end is gone."""
        if self._transport is not None:
            body = marshal.dumps((int(kind), *items))
            self._transport.write(b"".join((len(body).to_bytes(_LENGTH_SIZE, "big"), body)))

    def close(self) -> None:
        """Ends the channel at once."""
        if self._transport is not None:
            self._transport.abort()


class Handles:
    """One end of the socket pair that carries connections."""

    def __init__(self, own: socket.socket, on_handle: Callable[[int, socket.socket], None]) -> None:
        """on_handle: takes a number and the connection that came with it."""
        own.setblocking(False)
        self._socket = own
        self._on_handle = on_handle
        self._loop: asyncio.AbstractEventLoop | None = None
        self._numbers = bytearray()
        self._came: deque[int] = deque()

    def start(self) -> None:
        """Takes connections from now on."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._on_readable)

    def pass_on(self, number: int, descriptor: int) -> bool:
        """Gives the other end a connection of its own to the same client; False where that end cannot take it now."""
        try:
            rights = array.array("i", [descriptor])
            control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
            return self._socket.sendmsg([number.to_bytes(_NUMBER_SIZE, "big")], control) == _NUMBER_SIZE
        except OSError:
            return False

    def close(self) -> None:
        """Takes no more."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop = None
        self._socket.close()
        while self._came:
            socket.close(self._came.popleft())

    def _on_readable(self) -> None:
        with suppress(BlockingIOError, InterruptedError):
            try:
                data, came, _, _ = socket.recv_fds(self._socket, _HANDLES_AT_ONCE * _NUMBER_SIZE, _HANDLES_AT_ONCE)
            except ConnectionError:
                data, came = b"", []
            if not data and self._loop is not None:  # the other end is gone
                self._loop.remove_reader(self._socket.fileno())
                self._loop = None
            self._numbers += data
            self._came.extend(came)
        while len(self._numbers) >= _NUMBER_SIZE and self._came:
            number = int.from_bytes(self._numbers[:_NUMBER_SIZE], "big")
            del self._numbers[:_NUMBER_SIZE]
            self._on_handle(number, socket.socket(fileno=self._came.popleft()))
