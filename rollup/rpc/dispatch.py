"""Answers JSON-RPC requests by method name (JSON-RPC 2.0; malformed requests are answered as by geth)."""

import asyncio
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import structlog

from rollup.cooperative import Stopwatch, Turns
from rollup.execution.state.database import StateUnavailable
from rollup.execution.state.trie import MissingNode
from rollup.lanes import Lane
from rollup.rpc.answers import BatchAnswer, failure, success
from rollup.rpc.changes import Changes
from rollup.rpc.errors import (
    HANDLER_CRASHED,
    INVALID_REQUEST,
    RESPONSE_TOO_LARGE,
    RpcError,
    method_not_found,
    notifications_not_supported,
)
from rollup.rpc.front.fronts import Item
from rollup.rpc.front.sends import Answer, sends_of
from rollup.rpc.limits import LARGE_BODY, MAX_BATCH, MAX_BATCH_ANSWER
from rollup.rpc.methods import (
    Duration,
    Method,
    chosen,
    collect,
    declarations,
    duration_of,
    is_for_local_callers,
    rpc,
)
from rollup.rpc.request_text import Batch, parse_request
from rollup.rpc.subscriptions import Connection, EthSubscriptions, Subscriptions
from rollup.store.kv import StoreError

log = structlog.get_logger()

TakeTransactions = Callable[[Sequence[Item]], Awaitable[list[Answer]]]

RESULT = 0
# Whether the current request comes from this machine. A call without a connection does.
is_local_caller: ContextVar[bool] = ContextVar("is_local_caller", default=True)
UNREADABLE = (StateUnavailable, MissingNode, StoreError)  # raised by the chain if its data cannot be read
CRASHED = "method handler crashed"
_SUBSCRIBING = frozenset(name for _, found in declarations(EthSubscriptions) for name in found.names)


class Dispatcher:
    """Calls handlers by method name. A handler takes the params list and returns a value that orjson can write.

    turns: those of the node. Methods that take long, or change a chain, run in them (rollup/rpc/methods.py).

    takes: answers the transactions of a batch that has nothing else; without it they are answered one by one.
    """

    def __init__(
        self, methods: Mapping[str, Method], subscriptions: Subscriptions | None = None, turns: Turns | None = None
    ) -> None:
        self.methods: dict[str, Method] = {**collect(self), **methods}
        self.answered: Counter[tuple[str, int]] = Counter()  # calls by method and error code; 0 is a result
        self._names = frozenset(self.methods) | (_SUBSCRIBING if subscriptions is not None else frozenset())
        self._subscriptions = subscriptions
        self._turns = turns if turns is not None else Turns()
        self._changes = Changes()
        self.takes: TakeTransactions | None = None

    def add(self, methods: Mapping[str, Method]) -> None:
        """Adds methods by name."""
        self.methods.update(methods)
        self._names |= frozenset(self.methods)

    async def stop(self) -> None:
        """Ends the changes under way."""
        await self._changes.stop()

    @property
    def names(self) -> frozenset[str]:
        """Every method that is answered here, subscriptions too."""
        return self._names

    @rpc("rpc_modules")
    def modules(self) -> dict[str, str]:
        """The namespaces of this port (geth rpc/server.go)."""
        return dict.fromkeys(sorted({name.split("_")[0] for name in self.names}), "1.0")

    async def handle(self, body: bytes, connection: Connection | None = None) -> bytes | None:
        """The answer to a request or a batch; None if nothing is to be answered."""
        try:
            if len(body) > LARGE_BODY:  # many that come at once are read in turns
                request = await self._turns.call(lambda: parse_request(body))
            else:
                request = parse_request(body)
        except RpcError as error:
            return failure(None, error)
        if isinstance(request, list):
            if self.takes is not None and connection is None and len(body) <= LARGE_BODY:
                sends = sends_of(request)
                if sends is not None:
                    return sends.text(await self.takes([(raw, None) for raw in sends.raws]))
            return await self._batch(request, connection)
        return await self._call(request, connection)

    async def _batch(self, requests: list[Any], connection: Connection | None) -> bytes | None:
        if not requests:
            return failure(None, RpcError("empty batch", INVALID_REQUEST))
        if len(requests) > MAX_BATCH:
            # There is no error for a whole batch: the first call gets it (geth rpc/handler.go).
            ident = next((request["id"] for request in requests if _is_call(request)), None)
            return b"[%b]" % failure(ident, RpcError("batch too large", INVALID_REQUEST))
        answers, stopwatch = BatchAnswer(), Stopwatch()
        for request in Batch(requests):
            if answers.size > MAX_BATCH_ANSWER:
                if _is_call(request):
                    answers.add(failure(request["id"], RpcError("response too large", RESPONSE_TOO_LARGE)))
                continue
            answer = await self._call(request, connection, stopwatch)
            if answer is not None:
                answers.add(answer)
            await asyncio.sleep(0)  # so that blocks are built meanwhile
        return answers.text()

    async def _call(
        self, request: Any, connection: Connection | None, stopwatch: Stopwatch | None = None
    ) -> bytes | None:
        is_notification = _is_named(request) and "id" not in request
        if not is_notification and not _is_call(request):
            ident = request.get("id") if isinstance(request, dict) else None
            return failure(ident if _is_ident(ident) else None, RpcError("invalid request", INVALID_REQUEST))
        params, ident = request.get("params"), request.get("id")
        answer = await self._answer(request["method"], params, ident, connection, stopwatch)
        return None if is_notification else answer

    async def _answer(
        self, method: str, params: Any, ident: Any, connection: Connection | None, stopwatch: Stopwatch | None
    ) -> bytes:
        """The result or the error, encoded. Every error of a handler or of its result ends here."""
        try:
            handler = self._handler(method, params := [] if params is None else params, connection)
            answer = await self._run(handler, params, ident, stopwatch)
            self.count(method, RESULT)
            return answer
        except RpcError as error:
            return self._refusal(method, ident, error)
        except UNREADABLE as error:
            # The chain's own words: a state that is no longer kept, or goes while it is read; a damaged data file.
            return self._refusal(method, ident, RpcError(str(error)))
        except Exception:
            log.exception("handler failed", method=method)
            return self._refusal(method, ident, RpcError(CRASHED, HANDLER_CRASHED))

    def _refusal(self, method: str, ident: Any, error: RpcError) -> bytes:
        self.count(method, error.code)
        return failure(ident, error)

    def count(self, method: str, code: int, answers: int = 1) -> None:
        """Counts answers. All unknown names count as one, so that clients cannot add names."""
        self.answered[method if method in self.names else "unknown", code] += answers

    def _handler(self, method: str, params: Any, connection: Connection | None) -> Method:
        """The handler of a method; raises RpcError."""
        if method not in self.names:
            raise method_not_found(method)
        if not isinstance(params, list):
            raise RpcError("non-array args", -32602)
        if method in _SUBSCRIBING:
            if connection is None or self._subscriptions is None:
                raise notifications_not_supported()
            return collect(EthSubscriptions(self._subscriptions, connection))[method]
        handler = chosen(self.methods[method], params)
        if is_for_local_callers(handler) and not is_local_caller.get():
            raise RpcError(f"{method} answers only callers from this machine")
        return handler

    async def _run(self, handler: Method, params: list[Any], ident: Any, stopwatch: Stopwatch | None) -> bytes:
        """Runs a handler and encodes its result: in turns, if it is long, changes a chain or is one of a batch."""

        def answer() -> bytes | Awaitable[Any]:
            result = handler(params)
            return result if inspect.isawaitable(result) else success(ident, result)

        duration = duration_of(handler)
        if duration is Duration.CHANGE:
            answered = await self._changes.run(self._turns.change(answer))
        elif duration is Duration.CHANGE_ALL:
            answered = await self._changes.run(self._turns.change_all(answer, tuple(Lane)))
        elif duration is Duration.INDEX:
            answered = await self._turns.call_in(Lane.INDEX, answer, stopwatch)
        elif duration is Duration.LONG or stopwatch is not None:
            answered = await self._turns.call(answer, stopwatch)
        else:
            answered = answer()
        return answered if isinstance(answered, bytes) else success(ident, await answered)


def _is_named(request: Any) -> bool:
    """Whether a request has a version and a method."""
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0":
        return False
    return isinstance(request.get("method"), str) and bool(request["method"])


def _is_call(request: Any) -> bool:
    return _is_named(request) and "id" in request and _is_ident(request["id"])


def _is_ident(ident: Any) -> bool:
    """An id is a string, a number or null (geth lets true and false pass too)."""
    return not isinstance(ident, dict | list)
