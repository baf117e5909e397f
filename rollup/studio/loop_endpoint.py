"""JSON-RPC of a server of this process, for synchronous code in another thread than its event loop."""

import asyncio
from typing import Any

import orjson

from rollup.rpc.server import RpcServer


class LoopEndpoint:
    """Posts to a server without a socket. Never from the loop's own thread, which would wait for itself."""

    def __init__(self, server: RpcServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop

    @property
    def url(self) -> str:
        """The name of this endpoint in errors."""
        return "this node"

    def post(self, body: Any) -> tuple[int, Any]:
        """The answer to a request or a batch."""
        waited = asyncio.run_coroutine_threadsafe(self._server.handle(orjson.dumps(body)), self._loop)
        answer = waited.result()
        return 200, None if answer is None else orjson.loads(answer)
