"""One listening port: so many connections at once, and none of them idle without end."""

import asyncio
import errno
import resource
from collections.abc import Callable
from typing import Any

import structlog
from aiohttp import web

from rollup.rpc.answers import TOO_MANY_CONNECTIONS
from rollup.rpc.errors import RpcCannotListen, RpcPortInUse
from rollup.rpc.front.fronts import Fronts
from rollup.rpc.http_connection import HttpConnection
from rollup.rpc.idle import longest_idle
from rollup.rpc.limits import MAX_CONNECTIONS

log = structlog.get_logger()
_PORTS = 6  # that a node listens on
_OTHER_DESCRIPTORS = 200  # the database, the index, outgoing connections
_REPORT_SECONDS = 10  # between two lines about connections that cannot be accepted


class Listener:
    """Accepts connections for an aiohttp runner."""

    def __init__(
        self,
        runner: web.BaseRunner,
        name: str,
        is_busy: Callable[[HttpConnection], bool],
        *,
        unpacks_bodies: bool,
    ) -> None:
        """is_busy: whether a connection has a request in work.

        A full port closes the connection that has been idle for the longest time.
        """
        self._runner = runner
        self._name = name
        self._is_busy = is_busy
        self._unpacks_bodies = unpacks_bodies
        self._server: asyncio.Server | None = None
        self.fronts: Fronts | None = None  # processes that new connections are given to

    async def start(self, host: str, port: int) -> int:
        """Listens; port 0 takes a free one. Returns the port; raises RpcCannotListen."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        if loop.get_exception_handler() is None:
            loop.set_exception_handler(_LoopErrors())
        most = connections_per_port()
        try:
            self._server = await loop.create_server(lambda: self._protocol(most), host, port)
        except OSError as error:
            await self.stop()
            if error.errno == errno.EADDRINUSE:
                raise RpcPortInUse(host, port, self._name) from error
            raise RpcCannotListen(
                f"{self._name} cannot listen on port {port} of {host}: {error.strerror or error}"
            ) from error
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def close(self) -> None:
        """Takes no more connections, and no more requests on those that there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._runner.server is not None:
            self._runner.server.pre_shutdown()

    async def stop(self) -> None:
        """Closes the port and every connection."""
        self.close()
        await self._runner.cleanup()

    def _protocol(self, most: int) -> asyncio.Protocol:
        """The protocol of a new connection. When there are too many, an idle one is closed for it."""
        server = self._runner.server
        if server is None:
            return _Refusal()
        if self.fronts is not None:
            return _Passing(self.fronts, lambda: self._has_room(most), lambda: self._connection(server))
        return self._connection(server) if self._has_room(most) else _Refusal()

    def _connection(self, server: web.Server) -> HttpConnection:
        return HttpConnection(server, unpacks_bodies=self._unpacks_bodies)

    def _has_room(self, most: int) -> bool:
        """Whether the port may have one more connection. Where it has too many, one of this process makes room."""
        server = self._runner.server
        assert server is not None
        open_ones = [
            item
            for item in server.connections
            if isinstance(item, HttpConnection) and item.transport and not item.transport.is_closing()
        ]
        elsewhere = self.fronts.connections if self.fronts is not None else 0
        if len(open_ones) + elsewhere < most:
            return True
        idle = longest_idle(open_ones, self._is_busy, lambda connection: connection.last_used)
        if idle is None or idle.transport is None:
            return False
        idle.transport.close()
        return True


def connections_per_port() -> int:
    """How many connections a port may have, with the descriptors that this process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _PORTS * MAX_CONNECTIONS + _OTHER_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    available = wanted if soft == resource.RLIM_INFINITY else soft
    return max(1, min(MAX_CONNECTIONS, (available - _OTHER_DESCRIPTORS) // _PORTS))


class _Refusal(asyncio.Protocol):
    """Answers a connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.write(TOO_MANY_CONNECTIONS)
            transport.close()


class _Passing(asyncio.Protocol):
    """Gives a connection to a front process before anything is read of it; the node serves it where none takes it."""

    def __init__(self, fronts: Fronts, has_room: Callable[[], bool], make: Callable[[], HttpConnection]) -> None:
        """has_room: whether the port may have one more connection. make: makes a connection that the node serves."""
        self._fronts, self._has_room, self._make = fronts, has_room, make

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        has_room = self._has_room()
        if self._fronts.take(transport.get_extra_info("socket").fileno(), not has_room):
            transport.abort()  # the other process has the connection: only this descriptor is closed
            return
        protocol = self._make() if has_room else _Refusal()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        transport.resume_reading()


class _LoopErrors:
    """Reports the errors of an event loop, those of accepting connections in one line per ten seconds."""

    def __init__(self) -> None:
        self._reported_at: float | None = None

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Called by the loop."""
        if not str(context.get("message", "")).startswith("socket.accept()"):
            loop.default_exception_handler(context)
            return
        if self._reported_at is None or loop.time() - self._reported_at >= _REPORT_SECONDS:
            self._reported_at = loop.time()
            log.warning("connections cannot be accepted", reason=str(context.get("exception")))
