"""One JSON-RPC endpoint: HTTP POST and WebSocket on the same port."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress

import structlog
from aiohttp import web
from aiohttp.http import SERVER_SOFTWARE

from rollup.cooperative import Turns
from rollup.rpc.body import BodyBroken, BodyTooLarge, read_body, skip_body
from rollup.rpc.busy import BusyConnections
from rollup.rpc.dispatch import RESULT, Dispatcher, TakeTransactions, is_local_caller
from rollup.rpc.front.fronts import Fronts, Item
from rollup.rpc.front.sends import SEND_METHOD, Answer
from rollup.rpc.hosts import Hosts
from rollup.rpc.http_connection import HttpConnection, abort, note_use, send
from rollup.rpc.incoming import PortIncoming
from rollup.rpc.limits import (
    MAX_BODY,
    MAX_LARGE_BODIES,
    MAX_WEBSOCKETS,
    PING_SECONDS,
    STOP_SECONDS,
)
from rollup.rpc.listener import Listener
from rollup.rpc.methods import Method, collect
from rollup.rpc.origins import Origins, is_loopback, is_same_origin, single_origin
from rollup.rpc.subscriptions import Connection, Subscriptions
from rollup.rpc.websocket import converse

log = structlog.get_logger()

Page = Callable[[web.BaseRequest], web.Response | None]  # None: not for this client
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _METHOD_NOT_ALLOWED, _TOO_LARGE = 400, 401, 403, 405, 413
_UNSUPPORTED, _UNAVAILABLE = 415, 503


class RpcServer:
    """Serves a Dispatcher's methods over HTTP and WebSocket.

    turns: those of the node. authorize, if given, is called with the request's headers and returns None, or the reason
    of a refusal (HTTP 401).
    """

    def __init__(
        self,
        name: str,
        methods: Mapping[str, Method],
        subscriptions: Subscriptions | None = None,
        authorize: Callable[[Mapping[str, str]], str | None] | None = None,
        max_body: int = MAX_BODY,
        turns: Turns | None = None,
    ) -> None:
        self.name = name
        self._dispatcher = Dispatcher(methods, subscriptions, turns)
        self.methods = self._dispatcher.methods
        self.answered = self._dispatcher.answered
        self.port = 0
        self._subscriptions = subscriptions
        self._authorize = authorize
        self._max_body = max_body
        self._hosts, self._origins = Hosts(), Origins()
        self._large_bodies = asyncio.Semaphore(MAX_LARGE_BODIES)
        self._busy = BusyConnections()
        self._websockets = 0
        self._incoming = PortIncoming()
        self._listener: Listener | None = None
        self._server: web.Server | None = None
        self.pages: dict[str, Page] = {}  # what GET answers, by path
        self._takes: TakeTransactions | None = None
        self._front_count = 0
        self.mounted: dict[str, RpcServer] = {}  # other endpoints, by the path under which this port answers for them

    def allow(self, hosts: Hosts, origins: Origins) -> None:
        """Sets the rules for Host and Origin. Call it before the start."""
        self._hosts, self._origins = hosts, origins

    def add(self, *namespaces: object) -> None:
        """Adds the methods of more namespaces."""
        self.add_methods(collect(*namespaces))

    def add_methods(self, methods: Mapping[str, Method]) -> None:
        """Adds methods by name."""
        self._dispatcher.add(methods)

    @property
    def names(self) -> frozenset[str]:
        """Every method that is answered here, subscriptions too."""
        return self._dispatcher.names

    async def handle(self, body: bytes, connection: Connection | None = None) -> bytes | None:
        """The answer to a request or a batch; None if nothing is to be answered."""
        return await self._dispatcher.handle(body, connection)

    def use_fronts(self, count: int, takes: TakeTransactions) -> None:
        """Starts this number of front processes with the port. takes: answers transactions, with and without them."""
        self._front_count, self._takes = count, takes
        self._dispatcher.takes = lambda items: self.take_transactions(items)

    @property
    def fronts(self) -> Fronts | None:
        """The front processes of this port."""
        return self._listener.fronts if self._listener is not None else None

    async def start(self, host: str, port: int) -> int:
        """Listens; port 0 takes a free one. Returns the port; raises RpcCannotListen."""
        self._hosts = self._hosts.allow(host)
        self._large_bodies = asyncio.Semaphore(MAX_LARGE_BODIES)
        self._server = web.Server(self._on_request, handler_cancellation=True)  # of clients that have left
        runner = web.ServerRunner(self._server, shutdown_timeout=STOP_SECONDS)
        self._busy = BusyConnections()
        listener = self._listener = Listener(runner, self.name, self._busy.__contains__, unpacks_bodies=True)
        self.port = await listener.start(host, port)
        if self._front_count:
            listener.fronts = Fronts(self._front_count, self, SERVER_SOFTWARE, self._hosts.names)
            listener.fronts.start()
        return self.port

    async def stop(self) -> None:
        """Closes the port and every connection. Requests in work have a short time to be answered."""
        if self._listener is not None:
            if self._listener.fronts is not None:
                await self._listener.fronts.stop()
            self._listener.close()
            await self._busy.stop(STOP_SECONDS)
            await self._listener.stop()
            self._listener = self._server = None
            await self._dispatcher.stop()

    # ------------------------------------------------------------ front processes
    async def handle_body(self, body: bytes, is_local: bool) -> bytes:
        """The answer to a JSON-RPC body that a front process has read. is_local: its client is on this machine."""
        is_local_caller.set(is_local)
        return await self.handle(body) or b""

    async def take_transactions(self, items: Sequence[Item]) -> list[Answer]:
        """The answers to transactions: bytes, and what a front process has worked out of them, if there is one."""
        assert self._takes is not None
        answers = await self._takes(items)
        codes = Counter(answer[0] if isinstance(answer, tuple) else RESULT for answer in answers)
        for code, count in codes.items():
            self._dispatcher.count(SEND_METHOD, code, count)
        return answers

    async def adopt(self, connection: socket.socket, received: bytes) -> None:
        """Serves a connection of a front process. received: what its client has sent and no one has answered."""
        server = self._server
        if server is None:
            connection.close()
            return
        connection.setblocking(False)
        with suppress(OSError):  # the client has left
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: HttpConnection(server, received=received), connection
            )

    # ------------------------------------------------------------ HTTP
    async def _on_request(self, request: web.BaseRequest) -> web.StreamResponse:
        self._busy.begin(request.protocol)
        try:
            response = await self._respond(request)
            if not response.prepared:
                await send(request, response)
            self._busy.rest(request.protocol, is_kept=False)
            await skip_body(request)
            return response
        except asyncio.CancelledError:
            pass  # the client has left
        finally:
            self._busy.end(request.protocol)
            note_use(request.protocol)
        # aiohttp's task keeps its exception in a cycle. The traceback of a new one holds nothing that the client sent.
        raise asyncio.CancelledError

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        is_local_caller.set(is_loopback(request.remote))
        if not self._hosts.allows(request.headers.get("Host")):
            return web.Response(status=_FORBIDDEN, text="invalid host specified\n")
        origin = single_origin(request.headers.getall("Origin", ()))
        if not self._origins.allows(origin):
            return web.Response(status=_FORBIDDEN, text=f"origin {origin} is not allowed here\n")
        headers = self._origins.headers(origin)
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=headers)
        if request.method not in ("POST", "GET", "HEAD"):
            return web.Response(status=_METHOD_NOT_ALLOWED, headers={"Allow": "POST, GET, HEAD, OPTIONS"})
        reason = self._authorize(request.headers) if self._authorize is not None else None
        if reason is not None:
            return web.Response(status=_UNAUTHORIZED, text=reason)
        endpoint = self.mounted.get(request.path, self)
        if endpoint is not self and not is_same_origin(origin, request.headers.get("Host")):
            return web.Response(status=_FORBIDDEN, text=f"origin {origin} is not this port's own\n")
        if request.method == "POST":
            if origin is not None and not _is_json(request.content_type):
                return web.Response(status=_UNSUPPORTED, text="a page sends JSON-RPC as application/json\n")
            return await endpoint._on_post(request, headers)
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await endpoint._on_websocket(request, self._busy)
        page = self.pages.get(request.path)
        answer = page(request) if page is not None else None
        if answer is not None:
            return answer
        return web.Response(text=f"{self.name}: send JSON-RPC here, by POST or WebSocket\n", headers=headers)

    async def _on_post(self, request: web.BaseRequest, headers: dict[str, str]) -> web.Response:
        async with AsyncExitStack() as stack:
            try:
                body = await read_body(request, self._max_body, self._large_bodies, stack)
            except BodyTooLarge:
                text = f"content length too large ({request.content_length or 'more'}>{self._max_body})"
                return web.Response(status=_TOO_LARGE, text=text, headers=headers)
            except BodyBroken as error:
                response = web.Response(status=_BAD_REQUEST, text=f"{error}\n", headers=headers)
                response.force_close()  # the rest of the body would look like a next request
                return response
            except ConnectionError:  # gone before it had sent all of it: nobody reads the answer
                return web.Response(status=_BAD_REQUEST)
            answer = await self.handle(body)
        return web.Response(body=answer or b"", content_type="application/json", headers=headers)

    async def _on_websocket(self, request: web.BaseRequest, busy: BusyConnections) -> web.StreamResponse:
        if self._websockets >= MAX_WEBSOCKETS:
            return web.Response(status=_UNAVAILABLE, text="too many WebSockets\n")
        socket = web.WebSocketResponse(
            max_msg_size=self._max_body, compress=False, heartbeat=PING_SECONDS, autoping=False
        )
        connection = Connection(socket, lambda: abort(request))
        protocol, incoming = request.protocol, self._incoming.begin(connection.abort)
        assert isinstance(protocol, HttpConnection)
        protocol.on_bytes = incoming.add
        self._websockets += 1
        try:
            await socket.prepare(request)
            await converse(socket, connection, incoming, self.handle, busy, protocol)
        except web.HTTPException as refusal:
            return web.Response(status=refusal.status, text=f"{refusal.text}\n")
        except ConnectionError:  # gone while it was answered
            pass
        except asyncio.CancelledError:
            if request.transport is None and socket.prepared:
                await socket.close()  # sends nothing: it ends the timer of the pings, which holds the socket
            # The frames of a traceback hold the socket.
            if (error := socket.exception()) is not None:
                error.with_traceback(None).__context__ = None
            raise
        finally:
            self._websockets -= 1
            protocol.on_bytes = None
            self._incoming.end(incoming)
            if self._subscriptions is not None:
                self._subscriptions.drop(connection)
        return socket


def _is_json(content_type: str) -> bool:
    """Whether a browser asks before it sends such a body to another site (Fetch, CORS-safelisted request-header)."""
    return content_type in ("application/json", "application/json-rpc", "application/jsonrequest")
