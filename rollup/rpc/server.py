"""One JSON-RPC endpoint: HTTP POST and WebSocket on the same port (JSON-RPC 2.0, geth's answers to defects)."""

import errno
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import structlog
from aiohttp import WSMsgType, web

from rollup.rpc.errors import INVALID_REQUEST, PARSE_ERROR, RpcError, RpcPortInUse, method_not_found
from rollup.rpc.subscriptions import Connection, Subscriptions

log = structlog.get_logger()

Handler = Callable[..., Any]
MAX_BODY = 32 * 1024 * 1024  # bytes: six blobs in hex and room
MAX_BATCH = 1000
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "content-type, authorization",
    "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
}


class RpcServer:
    """Serves handlers by method name. A handler takes the params list and returns what orjson can write.

    authorize, if given, is asked with the request's headers and answers None or why not (HTTP 401).
    """

    def __init__(
        self,
        name: str,
        methods: Mapping[str, Handler],
        subscriptions: Subscriptions | None = None,
        authorize: Callable[[Mapping[str, str]], str | None] | None = None,
    ) -> None:
        self.name = name
        self.methods = dict(methods)
        self.port = 0
        self._subscriptions = subscriptions
        self._authorize = authorize
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listens; port 0 takes a free one. Returns the port; raises RpcPortInUse."""
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

    async def handle(self, body: bytes, connection: Connection | None = None) -> bytes | None:
        """The answer to a request or a batch; None where nothing is to be answered."""
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError:
            return orjson.dumps(_failure(None, RpcError("parse error", PARSE_ERROR)))
        if not isinstance(request, list):
            answer = await self._call(request, connection)
            return None if answer is None else _dumps(answer)
        if not request:
            return orjson.dumps(_failure(None, RpcError("empty batch", INVALID_REQUEST)))
        if len(request) > MAX_BATCH:
            return orjson.dumps(_failure(None, RpcError("batch too large", INVALID_REQUEST)))
        answers = [await self._call(entry, connection) for entry in request]
        kept = [answer for answer in answers if answer is not None]
        return _dumps(kept) if kept else None

    async def _call(self, request: Any, connection: Connection | None) -> dict[str, Any] | None:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            ident = request.get("id") if isinstance(request, dict) else None
            return _failure(ident, RpcError("invalid request", INVALID_REQUEST))
        is_notification = "id" not in request
        ident, params = request.get("id"), request.get("params")
        try:
            result = await self._dispatch(request["method"], [] if params is None else params, connection)
        except RpcError as error:
            return None if is_notification else _failure(ident, error)
        except Exception as error:
            log.exception("handler failed", method=request["method"])
            return None if is_notification else _failure(ident, RpcError(f"internal error: {error}", -32603))
        return None if is_notification else {"jsonrpc": "2.0", "id": ident, "result": result}

    async def _dispatch(self, method: str, params: Any, connection: Connection | None) -> Any:
        if not isinstance(params, list):
            raise RpcError("non-array args", -32602)
        if connection is not None and self._subscriptions is not None:
            if method == "eth_subscribe":
                return self._subscriptions.subscribe(connection, params)
            if method == "eth_unsubscribe":
                return self._subscriptions.unsubscribe(connection, params)
        handler = self.methods.get(method)
        if handler is None:
            if method in ("eth_subscribe", "eth_unsubscribe") and self._subscriptions is not None:
                raise RpcError("notifications not supported")
            raise method_not_found(method)
        result = handler(params)
        return await result if inspect.isawaitable(result) else result

    async def _on_post(self, request: web.Request) -> web.Response:
        refusal = self._authorize(request.headers) if self._authorize is not None else None
        if refusal is not None:
            return web.Response(status=401, text=refusal)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text=f"request of more than {MAX_BODY} bytes", headers=_CORS)
        answer = await self.handle(body)
        return web.Response(body=answer or b"", content_type="application/json", headers=_CORS)

    async def _on_get(self, request: web.Request) -> web.StreamResponse:
        refusal = self._authorize(request.headers) if self._authorize is not None else None
        if refusal is not None:
            return web.Response(status=401, text=refusal)
        if request.headers.get("upgrade", "").lower() != "websocket":
            return web.Response(text=f"{self.name}: JSON-RPC is spoken here, by POST or WebSocket\n", headers=_CORS)
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
        finally:
            if self._subscriptions is not None:
                self._subscriptions.drop(connection)
        return socket

    async def _on_options(self, request: web.Request) -> web.Response:
        del request
        return web.Response(status=204, headers=_CORS)


async def serve(app: web.Application, host: str, port: int, name: str) -> tuple[web.AppRunner, int]:
    """Starts an application; returns its runner and port. Raises RpcPortInUse."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise RpcPortInUse(host, port, name) from error
        raise
    bound: int = runner.addresses[0][1]
    return runner, bound


def _failure(ident: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": ident, "error": error.to_json()}


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value)
