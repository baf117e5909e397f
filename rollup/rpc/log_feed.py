"""Feeds subscriptions: what a new block or a pending transaction makes known, encoded once for all who asked."""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson

from rollup.cooperative import Turns, pause
from rollup.execution.chain import Chain, HeadChange
from rollup.protocol.block import Block
from rollup.protocol.transaction import Transaction
from rollup.rpc.errors import LIMIT_EXCEEDED, RpcError
from rollup.rpc.formats import header_json, hex_data, transaction_json
from rollup.rpc.limits import MAX_CRITERIA, MAX_EVENTS
from rollup.rpc.log_query import LogQuery, parse_log_query
from rollup.rpc.log_routes import LogRoutes
from rollup.rpc.log_search import encoded_log, logs_of
from rollup.rpc.subscriptions import Subscription, Subscriptions

Happening = HeadChange | Transaction


class LogFeed:
    """Turns changes of one chain into notifications, in their order, in turns with others."""

    def __init__(self, chain: Chain, turns: Turns) -> None:
        self._chain = chain
        self._turns = turns
        self._waiting: deque[Happening] = deque()
        self._working: asyncio.Task[None] | None = None
        self._routes: LogRoutes[Subscription] = LogRoutes()
        self._size = 0
        topics = {
            "newHeads": lambda options: None,
            "logs": parse_log_query,
            "newPendingTransactions": lambda options: bool(options),
            "syncing": lambda options: None,
        }
        self.subscriptions = Subscriptions(topics, self._watch, self._unwatch)

    def on_head_change(self, change: HeadChange) -> None:
        """Notes a change of the head."""
        if self.subscriptions.of("newHeads") or self.subscriptions.of("logs"):
            self._note(change)

    def on_pending_transactions(self, transactions: Sequence[Transaction]) -> None:
        """Notes transactions that entered the pool."""
        if self.subscriptions.of("newPendingTransactions"):
            for transaction in transactions:
                self._note(transaction)

    # ------------------------------------------------------------ inside
    def _watch(self, subscription: Subscription) -> None:
        query = subscription.options
        if not isinstance(query, LogQuery):
            return
        if self._size + query.size > MAX_CRITERIA:
            raise RpcError(f"more than {MAX_CRITERIA} addresses and topics on this port", LIMIT_EXCEEDED)
        self._size += query.size
        self._routes.add(subscription, query)

    def _unwatch(self, subscription: Subscription) -> None:
        query = subscription.options
        if isinstance(query, LogQuery):
            self._size -= query.size
            self._routes.remove(subscription, query)

    def _note(self, happening: Happening) -> None:
        if len(self._waiting) >= MAX_EVENTS:
            self._waiting.clear()
            self.subscriptions.drop_all()
            return
        self._waiting.append(happening)
        if self._working is None:
            self._working = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                happening = self._waiting.popleft()
                await self._turns.call(partial(self._notify, happening))
        finally:
            self._working = None

    def _notify(self, happening: Happening) -> None:
        if isinstance(happening, HeadChange):
            self._change(happening)
        else:
            self._transaction(happening)

    def _transaction(self, transaction: Transaction) -> None:
        texts: dict[bool, bytes] = {}
        for subscription in self.subscriptions.of("newPendingTransactions"):
            is_whole = bool(subscription.options)
            if is_whole not in texts:
                value: Any = transaction_json(transaction) if is_whole else hex_data(transaction.hash)
                texts[is_whole] = orjson.dumps(value)
            self.subscriptions.push(subscription, texts[is_whole])
            pause()

    def _change(self, change: HeadChange) -> None:
        for block in change.added:
            self._head(block)
        if not self.subscriptions.of("logs"):
            return
        for block in change.removed:
            self._logs(block, removed=True)
        for block in change.added:
            self._logs(block, removed=False)

    def _head(self, block: Block) -> None:
        subscriptions = self.subscriptions.of("newHeads")
        if not subscriptions:
            return
        text = orjson.dumps(header_json(block.header, block.hash))
        for subscription in subscriptions:
            self.subscriptions.push(subscription, text)
            pause()

    def _logs(self, block: Block, *, removed: bool) -> None:
        for log, index, place in logs_of(self._chain, block):
            text = b""
            for subscription in self._routes.of(log):
                if subscription.options.covers(block.number):
                    text = text or encoded_log(log, index, place, block, removed=removed)
                    self.subscriptions.push(subscription, text)
                pause()
            pause()
