"""JSON-RPC methods of a node in the same process, without a port: what a URL would answer."""

import asyncio
import inspect
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from rollup.index.index import Index
from rollup.l1.json_rpc import RpcError
from rollup.rpc.errors import METHOD_NOT_FOUND
from rollup.rpc.errors import RpcError as Refusal
from rollup.rpc.methods import collect


class LocalRpc:
    """Calls the handlers of some namespaces; an index among them is brought up to the head first."""

    def __init__(self, *namespaces: object, index: Index | None = None) -> None:
        self._handlers = collect(*namespaces)
        self._index = index

    def call(self, method: str, *params: Any) -> Any:
        """One call's result; raises RpcError for what the node refuses."""
        handler = self._handlers.get(method)
        if handler is None:
            raise RpcError(method, METHOD_NOT_FOUND, f"the method {method} does not exist here")
        if self._index is not None and method.startswith("open_"):
            self._index.update()  # the handler itself would give up after a second
        try:
            answer = handler(list(params))
            # Through JSON, as on a port: handlers may answer with parts that are JSON text already.
            return orjson.loads(orjson.dumps(_awaited(answer) if inspect.iscoroutine(answer) else answer))
        except Refusal as error:
            raise RpcError(method, error.code, error.message, error.data) from error

    def batch(self, method: str, params: Sequence[Sequence[Any]]) -> list[Any]:
        """The results of one method for many parameter lists, in order; raises as `call`."""
        return [self.call(method, *item) for item in params]


def _awaited(answer: Coroutine[Any, Any, Any]) -> Any:
    """The coroutine's result. It runs in a thread: a notebook's own thread has a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, answer).result()
