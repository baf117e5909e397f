"""eth_subscribe: new heads, logs, pending transactions, pushed over a WebSocket (geth eth/filters/api.go)."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from rollup.rpc.errors import InvalidParams, RpcError

MAX_SUBSCRIPTIONS = 1_000  # a connection
MAX_UNSENT = 20_000  # notifications that wait for a slow reader (geth rpc/client.go: maxClientSubscriptionBuffer)


class Connection:
    """One WebSocket, and how many notifications wait to be sent on it."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.unsent = 0


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
            raise InvalidParams("expected subscription name as first argument")
        if sum(owner is connection for owner, _, _ in self._active.values()) >= MAX_SUBSCRIPTIONS:
            raise RpcError(f"more than {MAX_SUBSCRIPTIONS} subscriptions on one connection")
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
        if connection.unsent >= MAX_UNSENT:
            self.drop(connection)
            return
        connection.unsent += 1
        task = asyncio.get_running_loop().create_task(self._deliver(connection, message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _deliver(self, connection: Connection, message: str) -> None:
        try:
            await connection.socket.send_str(message)
        except (ConnectionError, RuntimeError):
            self.drop(connection)
        finally:
            connection.unsent -= 1
