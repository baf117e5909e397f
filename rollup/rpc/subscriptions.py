"""eth_subscribe: the subscriptions of each connection, and their waiting notifications (geth eth/filters/api.go)."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from rollup.rpc.errors import LIMIT_EXCEEDED, METHOD_NOT_FOUND, RpcError
from rollup.rpc.idents import new_ident
from rollup.rpc.limits import MAX_PORT_SUBSCRIPTIONS, MAX_PORT_UNSENT, MAX_SUBSCRIPTIONS, MAX_UNSENT, SEND_SECONDS
from rollup.rpc.methods import rpc
from rollup.rpc.params import Optional, anything, subscription_name, text

_BEFORE, _BETWEEN, _AFTER = (
    b'{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"',
    b'","result":',
    b"}}",
)
_FRAME = 160  # bytes of a notification around its result, and of its place in the queue


class Connection:
    """One WebSocket and its subscriptions."""

    def __init__(self, socket: web.WebSocketResponse, abort: Callable[[], None]) -> None:
        """abort: ends the connection without waiting for the reader."""
        self.socket = socket
        self.abort = abort
        self.unsent = 0  # bytes in the queue
        self.queue: deque[tuple[str, bytes]] = deque()
        self.idents: set[str] = set()
        self.writer: asyncio.Task[None] | None = None

    async def send(self, text: bytes) -> None:
        """Sends a message; ends the connection of a reader who does not take it."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.socket.send_frame(text, WSMsgType.TEXT)
        except TimeoutError:
            self.abort()


@dataclass(slots=True, frozen=True, eq=False)
class Subscription:
    """A topic, with the options that its check returned."""

    ident: str
    topic: str
    options: Any
    connection: Connection


class Subscriptions:
    """The subscriptions of a port.

    topics: name to a function that checks a subscription's options and returns them. watch, if given, is called with
    each subscription that is about to begin (it may raise RpcError), unwatch with each that ended.
    """

    def __init__(
        self,
        topics: Mapping[str, Callable[[Any], Any]],
        watch: Callable[[Subscription], None] = lambda subscription: None,
        unwatch: Callable[[Subscription], None] = lambda subscription: None,
    ) -> None:
        self._topics = topics
        self._watch, self._unwatch = watch, unwatch
        self._active: dict[str, Subscription] = {}
        self._by_topic: dict[str, dict[str, Subscription]] = {name: {} for name in topics}
        self._unsent = 0
        self._waiting: set[Connection] = set()

    def subscribe(self, connection: Connection, topic: str, given: Any) -> str:
        """Begins a subscription and returns its id. given: the topic's options; None without any. Raises RpcError."""
        if topic not in self._topics:
            raise RpcError(f'no "{topic}" subscription in eth namespace', METHOD_NOT_FOUND)
        if len(connection.idents) >= MAX_SUBSCRIPTIONS:
            raise RpcError(f"more than {MAX_SUBSCRIPTIONS} subscriptions on one connection")
        if len(self._active) >= MAX_PORT_SUBSCRIPTIONS:
            raise RpcError(f"more than {MAX_PORT_SUBSCRIPTIONS} subscriptions on this port", LIMIT_EXCEEDED)
        options = self._topics[topic](given)
        subscription = Subscription(new_ident(), topic, options, connection)
        self._watch(subscription)
        self._active[subscription.ident] = self._by_topic[topic][subscription.ident] = subscription
        connection.idents.add(subscription.ident)
        return subscription.ident

    def unsubscribe(self, connection: Connection, ident: str) -> bool:
        """Ends a subscription of this connection; raises RpcError for any other id."""
        found = self._active.get(ident)
        if found is None or found.connection is not connection:
            raise RpcError("subscription not found")
        self._end(found)
        return True

    def drop(self, connection: Connection) -> None:
        """Ends all subscriptions of a connection, and forgets what waited for it."""
        for ident in list(connection.idents):
            self._end(self._active[ident])
        connection.queue.clear()
        self._unsent -= connection.unsent
        connection.unsent = 0
        if connection.writer is not None:
            connection.writer.cancel()

    def drop_all(self) -> None:
        """Ends every connection that has a subscription: its reader would miss a notification."""
        for connection in {item.connection for item in self._active.values()}:
            self._cut(connection)

    def of(self, topic: str) -> list[Subscription]:
        """The subscriptions of a topic."""
        return list(self._by_topic[topic].values())

    def push(self, subscription: Subscription, result: bytes) -> None:
        """Puts a notification into its connection's queue. result: JSON text, shared by all that are given it."""
        connection, size = subscription.connection, len(result) + _FRAME
        if subscription.ident not in connection.idents:
            return
        if connection.unsent + size > MAX_UNSENT:
            self._cut(connection)
            return
        connection.queue.append((subscription.ident, result))
        connection.unsent += size
        self._unsent += size
        if connection.writer is None:
            self._waiting.add(connection)
            connection.writer = asyncio.get_running_loop().create_task(self._write(connection))
        while self._unsent > MAX_PORT_UNSENT:
            self._cut(max(self._waiting, key=lambda waiting: waiting.unsent))

    # ------------------------------------------------------------ inside
    def _end(self, subscription: Subscription) -> None:
        del self._active[subscription.ident], self._by_topic[subscription.topic][subscription.ident]
        subscription.connection.idents.discard(subscription.ident)
        self._unwatch(subscription)

    def _cut(self, connection: Connection) -> None:
        """Ends a connection whose reader does not keep up (geth: ErrSubscriptionQueueOverflow)."""
        self.drop(connection)
        connection.abort()

    async def _write(self, connection: Connection) -> None:
        try:
            while connection.queue:
                ident, result = connection.queue.popleft()
                connection.unsent -= len(result) + _FRAME
                self._unsent -= len(result) + _FRAME
                await connection.send(b"".join((_BEFORE, ident.encode(), _BETWEEN, result, _AFTER)))
                await asyncio.sleep(0)  # sending seldom waits, and hundreds of connections have as much to send
        except (ConnectionError, RuntimeError):  # the reader is gone
            self.drop(connection)
        finally:
            connection.writer = None
            self._waiting.discard(connection)


class EthSubscriptions:
    """The methods by which one WebSocket subscribes."""

    def __init__(self, subscriptions: Subscriptions, connection: Connection) -> None:
        self._subscriptions = subscriptions
        self._connection = connection

    @rpc("eth_subscribe", subscription_name, Optional(anything))
    def subscribe(self, topic: str, options: Any) -> str:
        """Begins a subscription; its id. `newHeads` sends blocks that become canonical, and nothing when the head only
        moves back, as in geth. `logs` takes a filter as options and also sends logs with `removed`.
        `newPendingTransactions` sends hashes, or whole transactions with the option `true`. `syncing` sends nothing.
        """
        return self._subscriptions.subscribe(self._connection, topic, options)

    @rpc("eth_unsubscribe", text)
    def unsubscribe(self, subscription_id: str) -> bool:
        """Ends a subscription of this connection; `true`."""
        return self._subscriptions.unsubscribe(self._connection, subscription_id)
