"""eth_subscribe: new heads, logs, pending transactions, pushed over a WebSocket (geth eth/filters/api.go)."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from rollup.rpc.errors import InvalidParams, RpcError


class Connection:
    """One WebSocket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket


class Subscriptions:
    """Who wants what. topics: name to a function of the subscription's options that checks and returns them."""

    def __init__(self, topics: dict[str, Callable[[Any], Any]]) -> None:
        self._topics = topics
        self._active: dict[str, tuple[Connection, str, Any]] = {}
        self._numbers = itertools.count(1)
        self._sending: set[asyncio.Task[None]] = set()

    def subscribe(self, connection: Connection, params: list[Any]) -> str:
        """Registers a subscription and returns its id; raises RpcError."""
        if not params or not isinstance(params[0], str):
            raise InvalidParams("missing value for required argument 0")
        topic = params[0]
        if topic not in self._topics:
            raise RpcError(f'no "{topic}" subscription in eth namespace', -32601)
        options = self._topics[topic](params[1] if len(params) > 1 else None)
        ident = f"0x{next(self._numbers):032x}"
        self._active[ident] = (connection, topic, options)
        return ident

    def unsubscribe(self, connection: Connection, params: list[Any]) -> bool:
        """Ends a subscription of this connection."""
        entry = self._active.get(params[0]) if params and isinstance(params[0], str) else None
        if entry is None or entry[0] is not connection:
            raise RpcError("subscription not found")
        del self._active[params[0]]
        return True

    def drop(self, connection: Connection) -> None:
        """Ends all subscriptions of a connection."""
        self._active = {ident: entry for ident, entry in self._active.items() if entry[0] is not connection}

    def publish(self, topic: str, render: Callable[[Any], list[Any]]) -> None:
        """Sends to each subscriber of a topic what render makes of its options."""
        for ident, (connection, name, options) in list(self._active.items()):
            if name != topic:
                continue
            for value in render(options):
                message = {
                    "jsonrpc": "2.0",
                    "method": "eth_subscription",
                    "params": {"subscription": ident, "result": value},
                }
                self._send(connection, orjson.dumps(message).decode())

    def _send(self, connection: Connection, message: str) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(connection, message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _deliver(self, connection: Connection, message: str) -> None:
        try:
            await connection.socket.send_str(message)
        except (ConnectionError, RuntimeError):
            self.drop(connection)
