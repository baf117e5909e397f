"""One client's connection in a front process."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from rollup.rpc.front.http import MAX_HEAD, Head
from rollup.rpc.limits import IDLE_SECONDS, LARGE_BODY, SEND_SECONDS
from rollup.rpc.origins import is_loopback

_HALF_SENT_SECONDS = 1.0  # that a request may take to come; then the node waits for the rest of it


class Desk(Protocol):
    """The interface of a front process that a connection uses."""

    @property
    def buffer(self) -> memoryview:
        """Where the loop puts what it reads of any connection, until the connection takes it."""

    def read_head(self, head: bytes) -> Head | None:
        """The request that begins like this; None where the node must read it."""

    def answer(self, client: "Client", body: bytes) -> None:
        """Has a request answered by `Client.reply`, some time later."""

    def response(self, body: bytes, is_last: bool) -> bytes:
        """An HTTP answer."""

    def give_back(self, client: "Client", transport: asyncio.Transport, received: bytes) -> bool:
        """Gives a connection to the node, with what its client has sent and nobody has read; False if it cannot."""

    def left(self, client: "Client") -> None:
        """The connection is no longer here."""


class Client(asyncio.BufferedProtocol):
    """Reads one request after the other, as they come, and has each answered before it reads the next.

    All connections of a process read into one buffer: without it asyncio allocates 256 KiB for each request.
    """

    __slots__ = (
        "_desk",
        "_head",
        "_is_sending",
        "_on_made",
        "_received",
        "_since",
        "_transport",
        "is_busy",
        "is_local",
    )

    def __init__(self, desk: Desk, on_made: Callable[["Client"], None]) -> None:
        """on_made: called when there is a connection."""
        self._desk, self._on_made = desk, on_made
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._head: Head | None = None  # of the request that is half here, or in work
        self._is_sending = False  # an answer waits for its reader
        self._since = asyncio.get_running_loop().time()  # when anything changed
        self.is_busy = False  # a request is in work
        self.is_local = False  # it comes from this machine

    @property
    def is_here(self) -> bool:
        """The connection is open, and it is this process that answers it."""
        return self._transport is not None

    def has_work(self) -> bool:
        """Whether a request is in work, or its answer waits for the reader."""
        return self.is_busy or self._is_sending

    def last_used(self) -> float:
        """When the client last began a request or was answered, by the loop's clock."""
        return self._since

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(0)
        peer = transport.get_extra_info("peername")
        self.is_local = is_loopback(peer[0] if peer else None)
        self._on_made(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        if self._transport is not None:
            self._transport = None
            self._desk.left(self)

    def pause_writing(self) -> None:
        """Called by the loop: the reader has not taken everything."""
        self._is_sending = True

    def resume_writing(self) -> None:
        """Called by the loop: the reader has taken everything."""
        self._is_sending = False
        self._touch()
        if self._transport is not None:
            self._transport.resume_reading()
        self._read()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by the loop before it reads."""
        return self._desk.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the loop after it has read."""
        if not self._received:
            self._touch()
        self._received += self._desk.buffer[:nbytes]
        self._read()
        if self.has_work() and self._transport is not None and len(self._received) > LARGE_BODY + MAX_HEAD:
            self._transport.pause_reading()

    def reply(self, body: bytes) -> None:
        """Sends the answer to the request in work, and reads the next one."""
        head, self._head, self.is_busy = self._head, None, False
        if self._transport is None or head is None:
            return
        self._touch()
        self._transport.write(self._desk.response(body, head.is_last))
        if head.is_last:
            self._transport.close()
            return
        self._transport.resume_reading()
        self._read()

    def close(self) -> None:
        """Ends the connection."""
        if self._transport is not None:
            self._transport.close()

    def refuse(self, text: bytes) -> None:
        """Sends an HTTP answer and ends the connection."""
        if self._transport is not None:
            self._transport.write(text)
            self._transport.close()

    def check(self, now: float) -> None:
        """Ends what waits too long. A request that comes slowly goes to the node. now: the loop's time."""
        transport, waited = self._transport, now - self._since
        if transport is None or self.is_busy:
            return
        if self._is_sending:
            if waited > SEND_SECONDS:
                transport.abort()
        elif self._received:
            if waited > _HALF_SENT_SECONDS:
                self._give_back()
        elif waited > IDLE_SECONDS:
            transport.close()

    # ------------------------------------------------------------ inside
    def _touch(self) -> None:
        self._since = asyncio.get_running_loop().time()

    def _read(self) -> None:
        """Begins the next request, if it is all here."""
        transport = self._transport
        if transport is None or self.has_work() or transport.is_closing():
            return
        received = self._received
        end = received.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            if len(received) >= MAX_HEAD:
                self._give_back()
            return
        head = self._desk.read_head(bytes(received[:end]))
        if head is None:
            self._give_back()
            return
        body_start, body_end = end + 4, end + 4 + head.body_size
        if len(received) < body_end:
            return
        body = bytes(received[body_start:body_end])
        del received[:body_end]
        self._head, self.is_busy = head, True
        self._desk.answer(self, body)

    def _give_back(self) -> None:
        """The node reads on from the request's first byte."""
        transport = self._transport
        if transport is None:
            return
        transport.pause_reading()
        if self._desk.give_back(self, transport, bytes(self._received)):
            self._transport = None
        transport.abort()  # here; where the node cannot take it, because it is about to end, this ends the connection
