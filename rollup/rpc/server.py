"""One JSON-RPC endpoint: HTTP POST and WebSocket on the same port (JSON-RPC 2.0, geth's answers to defects)."""

import asyncio
import errno
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import structlog
from aiohttp import WSMsgType, web

from rollup.cooperative import Stopwatch, Turns
from rollup.rpc.errors import (
    HANDLER_CRASHED,
    INVALID_REQUEST,
    PARSE_ERROR,
    RESPONSE_TOO_LARGE,
    RpcCannotListen,
    RpcError,
    RpcPortInUse,
    method_not_found,
    notifications_not_supported,
)
from rollup.rpc.methods import Duration, duration_of
from rollup.rpc.origins import Origins
from rollup.rpc.subscriptions import Connection, Subscriptions

log = structlog.get_logger()

Handler = Callable[..., Any]
MAX_BODY = 32 * 1024 * 1024  # bytes: six blobs in hex and room
MAX_BATCH = 1000
MAX_BATCH_ANSWER = 25_000_000  # bytes (geth node/defaults.go: BatchResponseMaxSize)
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _TOO_LARGE = 400, 401, 403, 413
_SUBSCRIBING = frozenset(("eth_subscribe", "eth_unsubscribe"))


class RpcServer:
    """Serves handlers by method name. A handler takes the params list and returns what orjson can write.

    turns: those of the node. What takes long, or changes a chain, runs in them (rollup/rpc/methods.py says which).
    authorize, if given, is asked with the request's headers and answers None or why not (HTTP 401).
    """

    def __init__(
        self,
        name: str,
        methods: Mapping[str, Handler],
        subscriptions: Subscriptions | None = None,
        authorize: Callable[[Mapping[str, str]], str | None] | None = None,
        origins: Origins | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.name = name
        self.methods = {"rpc_modules": self._modules, **methods}
        self.port = 0
        self._subscriptions = subscriptions
        self._authorize = authorize
        self._origins = origins if origins is not None else Origins()
        self._turns = turns if turns is not None else Turns()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listens; port 0 takes a free one. Returns the port; raises RpcCannotListen."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/{path:.*}", self._on_post)
        app.router.add_get("/{path:.*}", self._on_get)
        app.router.add_options("/{path:.*}", self._on_options)
        self._runner, self.port = await serve(app, host, port, self.name)
        return self.port

    async def stop(self) -> None:
        """Closes the port and every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # ------------------------------------------------------------ JSON-RPC
    @property
    def names(self) -> frozenset[str]:
        """Every method that is answered here, subscriptions too."""
        return frozenset(self.methods) | (_SUBSCRIBING if self._subscriptions is not None else frozenset())

    def _modules(self, params: list[Any]) -> dict[str, str]:
        """rpc_modules: the namespaces of this port (geth rpc/server.go)."""
        del params
        return dict.fromkeys(sorted({name.split("_")[0] for name in self.names}), "1.0")

    async def handle(self, body: bytes, connection: Connection | None = None) -> bytes | None:
        """The answer to a request or a batch; None where nothing is to be answered."""
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _failure(None, RpcError("parse error", PARSE_ERROR))
        if isinstance(request, list):
            return await self._batch(request, connection)
        return await self._call(request, connection)

    async def _batch(self, requests: list[Any], connection: Connection | None) -> bytes | None:
        if not requests:
            return _failure(None, RpcError("empty batch", INVALID_REQUEST))
        if len(requests) > MAX_BATCH:
            # There is no error for a whole batch: the first call gets it (geth rpc/handler.go).
            ident = next((request["id"] for request in requests if _is_call(request)), None)
            return b"[%b]" % _failure(ident, RpcError("batch too large", INVALID_REQUEST))
        answers: list[bytes] = []
        size, stopwatch = 0, Stopwatch()
        for request in requests:
            if size > MAX_BATCH_ANSWER:
                if _is_call(request):
                    answers.append(_failure(request["id"], RpcError("response too large", RESPONSE_TOO_LARGE)))
                continue
            answer = await self._call(request, connection, stopwatch)
            if answer is not None:
                answers.append(answer)
                size += len(answer)
            await asyncio.sleep(0)  # the chain goes on meanwhile
        return b"[%b]" % b",".join(answers) if answers else None

    async def _call(
        self, request: Any, connection: Connection | None, stopwatch: Stopwatch | None = None
    ) -> bytes | None:
        is_notification = _is_named(request) and "id" not in request
        if not is_notification and not _is_call(request):
            ident = request.get("id") if isinstance(request, dict) else None
            return _failure(ident if _is_ident(ident) else None, RpcError("invalid request", INVALID_REQUEST))
        params, ident = request.get("params"), request.get("id")
        answer = await self._answer(request["method"], params, ident, connection, stopwatch)
        return None if is_notification else answer

    async def _answer(
        self, method: str, params: Any, ident: Any, connection: Connection | None, stopwatch: Stopwatch | None
    ) -> bytes:
        """The result or the error, encoded: what a handler or its result does wrong ends here."""
        try:
            result = await self._dispatch(method, [] if params is None else params, connection, stopwatch)
            return orjson.dumps({"jsonrpc": "2.0", "id": ident, "result": result})
        except RpcError as error:
            return _failure(ident, error)
        except Exception:
            log.exception("handler failed", method=method)
            return _failure(ident, RpcError("method handler crashed", HANDLER_CRASHED))

    async def _dispatch(
        self, method: str, params: Any, connection: Connection | None, stopwatch: Stopwatch | None
    ) -> Any:
        if not isinstance(params, list):
            raise RpcError("non-array args", -32602)
        if connection is not None and self._subscriptions is not None:
            if method == "eth_subscribe":
                return self._subscriptions.subscribe(connection, params)
            if method == "eth_unsubscribe":
                return self._subscriptions.unsubscribe(connection, params)
        handler = self.methods.get(method)
        if handler is None:
            if method in self.names:
                raise notifications_not_supported()
            raise method_not_found(method)
        result = await self._run(handler, params, stopwatch)
        return await result if inspect.isawaitable(result) else result

    async def _run(self, handler: Handler, params: list[Any], stopwatch: Stopwatch | None) -> Any:
        """Runs a handler in turns with others, if it is long, changes a chain or is one of a batch."""
        duration = duration_of(handler)
        if duration is Duration.CHANGE:
            return await self._turns.change(lambda: handler(params))
        if duration is Duration.LONG or stopwatch is not None:
            return await self._turns.call(lambda: handler(params), stopwatch)
        return handler(params)

    # ------------------------------------------------------------ HTTP
    async def _on_post(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        headers = self._origins.headers(request.headers.get("Origin"))
        try:
            body = await request.read()
        except ConnectionError:  # gone before it had sent all of it: nobody reads the answer
            return web.Response(status=_BAD_REQUEST)
        except web.HTTPRequestEntityTooLarge:
            text = f"content length too large ({request.content_length or 'more'}>{MAX_BODY})"
            return web.Response(status=_TOO_LARGE, text=text, headers=headers)
        answer = await self.handle(body)
        return web.Response(body=answer or b"", content_type="application/json", headers=headers)

    async def _on_get(self, request: web.Request) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        if request.headers.get("upgrade", "").lower() != "websocket":
            headers = self._origins.headers(request.headers.get("Origin"))
            return web.Response(text=f"{self.name}: JSON-RPC is spoken here, by POST or WebSocket\n", headers=headers)
        socket = web.WebSocketResponse(max_msg_size=MAX_BODY)
        await socket.prepare(request)
        connection = Connection(socket)
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    data = message.data.encode() if isinstance(message.data, str) else message.data
                    answer = await self.handle(data, connection)
                    if answer is not None:
                        await socket.send_str(answer.decode())
        except ConnectionError:  # gone while it was answered
            pass
        finally:
            if self._subscriptions is not None:
                self._subscriptions.drop(connection)
        return socket

    async def _on_options(self, request: web.Request) -> web.Response:
        origin = request.headers.get("Origin")
        if not self._origins.allows(origin):
            return _origin_refused(origin)
        return web.Response(status=204, headers=self._origins.headers(origin))

    def _refusal(self, request: web.Request) -> web.Response | None:
        origin = request.headers.get("Origin")
        if not self._origins.allows(origin):
            return _origin_refused(origin)
        reason = self._authorize(request.headers) if self._authorize is not None else None
        return None if reason is None else web.Response(status=_UNAUTHORIZED, text=reason)


async def serve(app: web.Application, host: str, port: int, name: str) -> tuple[web.AppRunner, int]:
    """Starts an application; returns its runner and port. Raises RpcCannotListen."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        if error.errno == errno.EADDRINUSE:
            raise RpcPortInUse(host, port, name) from error
        raise RpcCannotListen(f"{name} cannot listen on port {port} of {host}: {error.strerror}") from error
    bound: int = runner.addresses[0][1]
    return runner, bound


def _is_named(request: Any) -> bool:
    """Has a version and a method."""
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0":
        return False
    return isinstance(request.get("method"), str) and bool(request["method"])


def _is_call(request: Any) -> bool:
    return _is_named(request) and "id" in request and _is_ident(request["id"])


def _is_ident(ident: Any) -> bool:
    """An id is a string, a number or null (geth lets true and false pass too)."""
    return not isinstance(ident, dict | list)


def _origin_refused(origin: str | None) -> web.Response:
    return web.Response(status=_FORBIDDEN, text=f"origin {origin} is not allowed here\n")


def _failure(ident: Any, error: RpcError) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "id": ident, "error": error.to_json()})
