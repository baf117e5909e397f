"""What the clients of a port have sent by WebSocket and have no answer to yet.

HTTP bodies have their own bounds (rollup/rpc/body.py). A WebSocket's message is held by aiohttp until its last fragment
has come, and there is no time in which that must be.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from rollup.rpc.limits import MAX_PORT_HALF_SENT
from rollup.rpc.listener import PROTOCOL_OPTIONS

_HEADER = 6  # bytes of the shortest header of a client's frame: two, and the mask (RFC 6455, 5.2)


class Protocol(RequestHandler):
    """One connection of a port. Its bytes are reported as soon as it is a WebSocket.

    last_used: when the client last sent something or was answered, by the loop's clock.
    """

    __slots__ = ("_received", "last_used", "on_bytes")

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop, received: bytes = b"") -> None:
        """received: what the client has sent before this process had the connection."""
        super().__init__(server, loop=loop, lingering_time=0, **PROTOCOL_OPTIONS)  # `skip_body` does it in turns
        self.on_bytes: Callable[[int], None] | None = None
        self.last_used = loop.time()
        self._received = received

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the transport, before it reads."""
        super().connection_made(transport)
        if self._received:
            self.data_received(self._received)
            self._received = b""

    def data_received(self, data: bytes) -> None:
        """Called by the transport."""
        super().data_received(data)
        note_use(self)
        if self.on_bytes is not None:
            self.on_bytes(len(data))


def note_use(connection: RequestHandler) -> None:
    """Notes that the client of a connection has sent something or was answered."""
    if isinstance(connection, Protocol):
        connection.last_used = asyncio.get_running_loop().time()


def last_used(connection: RequestHandler) -> float:
    """When a connection was last used, by the loop's clock."""
    return connection.last_used if isinstance(connection, Protocol) else 0.0


class Server(web.Server):
    """Makes the connections of a port. The handler of a client that has left is cancelled."""

    def __init__(self, handler: Callable[..., object]) -> None:
        super().__init__(handler, handler_cancellation=True, **PROTOCOL_OPTIONS)  # type: ignore[arg-type]

    def __call__(self) -> RequestHandler:
        """The protocol of a new connection."""
        return self.protocol()

    def protocol(self, received: bytes = b"") -> RequestHandler:
        """The protocol of a connection whose client has sent this already."""
        return Protocol(self, asyncio.get_running_loop(), received)


class Incoming:
    """The bytes that one WebSocket has sent, less those of the messages that were answered."""

    def __init__(self, port: "PortIncoming", abort: Callable[[], None]) -> None:
        self._port = port
        self.abort = abort
        self.size = 0
        self._last_chunk = self._in_work = 0
        self._is_waiting = False

    def add(self, size: int) -> None:
        """Counts bytes that came."""
        if size and self in self._port.open:
            self._last_chunk = size
            self._is_waiting = False
            self._port.change(self, size)

    def answered(self) -> None:
        """The last message is answered, and the next one is waited for."""
        self._port.change(self, -self._in_work)
        self._in_work = 0
        self._is_waiting = True

    def control(self, payload: int) -> None:
        """A control frame was taken. It may have come in the middle of a message."""
        self._port.change(self, -min(self.size, payload + _HEADER))

    def message(self, payload: int) -> None:
        """A whole message was taken.

        If it was waited for, it ended in the last chunk: what lies before that chunk were its own headers.
        """
        rest = max(0, self.size - payload - _HEADER)
        if not self._is_waiting:
            rest = min(rest, self._last_chunk)
        self._in_work = payload
        self._port.change(self, rest + payload - self.size)


class PortIncoming:
    """All WebSockets of a port. Above MAX_PORT_HALF_SENT the one that holds the most is cut."""

    def __init__(self) -> None:
        self.open: set[Incoming] = set()
        self.size = 0

    def begin(self, abort: Callable[[], None]) -> Incoming:
        """Counts for a new WebSocket. abort: ends it at once."""
        incoming = Incoming(self, abort)
        self.open.add(incoming)
        return incoming

    def end(self, incoming: Incoming) -> None:
        """Forgets a WebSocket."""
        if incoming in self.open:
            self.open.discard(incoming)
            self.size -= incoming.size

    def change(self, incoming: Incoming, size: int) -> None:
        """Counts bytes that came, or fewer that are held."""
        incoming.size += size
        if incoming in self.open:
            self.size += size
        while self.size > MAX_PORT_HALF_SENT:
            most = max(self.open, key=lambda other: other.size)
            self.end(most)
            most.abort()
