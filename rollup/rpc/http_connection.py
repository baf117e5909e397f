"""One connection of a port, as aiohttp's protocol: when it was last used, what it sends, and how it is answered."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from rollup.rpc.limits import IDLE_SECONDS, SEND_SECONDS


class _NotMalformedRequests(logging.Filter):
    """Keeps the tracebacks of requests that are no HTTP out of the log: they say nothing about this node."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionError)


_http_log = logging.getLogger("rollup.rpc.http")
_http_log.addFilter(_NotMalformedRequests())


class HttpConnection(RequestHandler):
    """One connection of a port. Its bytes are reported as soon as it is a WebSocket.

    last_used: when the client last sent something or was answered, by the loop's clock.
    """

    __slots__ = ("_received", "last_used", "on_bytes")

    def __init__(self, server: web.Server, *, received: bytes = b"", unpacks_bodies: bool = True) -> None:
        """received: what the client has sent before this process had the connection.

        unpacks_bodies: whether a request's body is decompressed. The rest of a body that nobody has read is not waited
        for: the port's own handler calls `skip_body`, which gives others their turn.
        """
        loop = asyncio.get_running_loop()
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=IDLE_SECONDS,
            access_log=None,  # type: ignore[arg-type]
            logger=_http_log,
            lingering_time=0,
            auto_decompress=unpacks_bodies,
        )
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

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by the transport. A WebSocket and its connection hold each other; this lets go of it."""
        super().connection_lost(exc)
        self._data_received_cb = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer where a handler failed, or where the request is no HTTP. The frames of a traceback hold this."""
        response = super().handle_error(request, status, exc, message)
        if exc is not None:
            exc.with_traceback(None).__context__ = None
        return response


def note_use(connection: RequestHandler) -> None:
    """Notes that the client of a connection has sent something or was answered."""
    if isinstance(connection, HttpConnection):
        connection.last_used = asyncio.get_running_loop().time()


async def send(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Sends an answer; ends the connection of a reader who does not take it."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        abort(request)


def abort(request: web.BaseRequest) -> None:
    """Ends a connection at once, with what waits to be sent on it."""
    if request.transport is not None:
        request.transport.abort()
