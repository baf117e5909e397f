"""eth_getLogs and filters (geth eth/filters)."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rollup.execution.chain import HeadChange
from rollup.protocol.block import Block
from rollup.protocol.bloom import may_contain
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.receipt import Log
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import InvalidParams, RpcError
from rollup.rpc.formats import header_json, hex_data, log_json, transaction_json
from rollup.rpc.params import Invalid, address, block_id, hash32, mapping, params, text
from rollup.rpc.subscriptions import Subscriptions

_MAX_TOPICS, _MAX_BLOCKS, _MAX_LOGS, _MAX_FILTERS, _MAX_UNREAD = 4, 100_000, 100_000, 1_000, 100_000


@dataclass(slots=True)
class LogQuery:
    """Which logs: any of the addresses, and at each place any of the topics (None: anything)."""

    addresses: frozenset[Address] = frozenset()
    topics: list[frozenset[Hash] | None] = field(default_factory=list)
    block_hash: Hash | None = None
    start: Any = "latest"
    stop: Any = "latest"

    def matches(self, log: Log) -> bool:
        """The log is one of those."""
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        return all(wanted is None or log.topics[index] in wanted for index, wanted in enumerate(self.topics))

    def may_match(self, bloom: bytes) -> bool:
        """False when no log of the block can match."""
        if self.addresses and not any(may_contain(bloom, item) for item in self.addresses):
            return False
        return all(wanted is None or any(may_contain(bloom, item) for item in wanted) for wanted in self.topics)


@dataclass(slots=True)
class _Filter:
    query: LogQuery | None  # None: a block filter
    changes: list[Any] = field(default_factory=list)
    is_pending: bool = False


class EthLogs:
    """Logs of the canonical chain, filters over its changes, subscriptions to them."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._filters: dict[str, _Filter] = {}
        self._numbers = itertools.count(1)
        self.subscriptions = Subscriptions(
            {
                "newHeads": lambda options: None,
                "logs": _parse_query,
                "newPendingTransactions": lambda options: bool(options),
                "syncing": lambda options: None,
            }
        )
        backend.chain.subscribe(self.on_head_change)

    @params(mapping)
    def eth_getLogs(self, source: Any) -> list[dict[str, Any]]:  # noqa: N802
        """Logs of a block, or of a range of blocks."""
        return self._find(_parse_query(source))

    @params(mapping)
    def eth_newFilter(self, source: Any) -> str:  # noqa: N802
        """A filter of logs."""
        return self._install(_Filter(_parse_query(source)))

    @params()
    def eth_newBlockFilter(self) -> str:  # noqa: N802
        """A filter of new blocks."""
        return self._install(_Filter(None))

    @params()
    def eth_newPendingTransactionFilter(self) -> str:  # noqa: N802
        """A filter of transactions that enter the pool."""
        return self._install(_Filter(None, is_pending=True))

    @params(text)
    def eth_getFilterChanges(self, ident: str) -> list[Any]:  # noqa: N802
        """What came since the last call."""
        found = self._filter(ident)
        changes, found.changes = found.changes, []
        return changes

    @params(text)
    def eth_getFilterLogs(self, ident: str) -> list[dict[str, Any]]:  # noqa: N802
        """All logs of a filter."""
        query = self._filter(ident).query
        if query is None:
            raise RpcError("filter not found")
        return self._find(query)

    @params(text)
    def eth_uninstallFilter(self, ident: str) -> bool:  # noqa: N802
        """Ends a filter."""
        return self._filters.pop(ident, None) is not None

    # ------------------------------------------------------------ events
    def on_head_change(self, change: HeadChange) -> None:
        """Tells filters and subscribers."""
        for item in self._filters.values():
            if item.is_pending:
                continue
            if item.query is None:
                item.changes += [hex_data(block.hash) for block in change.added]
            else:
                item.changes += self._changed_logs(item.query, change)
        self._forget_unread()
        self.subscriptions.publish(
            "newHeads", lambda _: [header_json(block.header, block.hash) for block in change.added]
        )
        self.subscriptions.publish("logs", lambda query: self._changed_logs(query, change))

    def on_pending_transaction(self, transaction: Any) -> None:
        """Tells filters and subscribers of a transaction that entered the pool."""
        tx_hash = hex_data(transaction.hash)
        for item in self._filters.values():
            if item.is_pending:
                item.changes.append(tx_hash)
        self._forget_unread()
        self.subscriptions.publish(
            "newPendingTransactions", lambda full: [transaction_json(transaction) if full else tx_hash]
        )

    # ------------------------------------------------------------ inside
    def _changed_logs(self, query: LogQuery, change: HeadChange) -> list[dict[str, Any]]:
        gone = [item for block in change.removed for item in self._logs_of(query, block, removed=True)]
        return gone + [item for block in change.added for item in self._logs_of(query, block)]

    def _install(self, item: _Filter) -> str:
        if len(self._filters) >= _MAX_FILTERS:
            self._filters.pop(next(iter(self._filters)))
        ident = f"0x{next(self._numbers):032x}"
        self._filters[ident] = item
        return ident

    def _forget_unread(self) -> None:
        """A filter that nobody polls ends (geth: after five minutes; here by how much waits)."""
        unread = [ident for ident, item in self._filters.items() if len(item.changes) > _MAX_UNREAD]
        for ident in unread:
            del self._filters[ident]

    def _filter(self, ident: str) -> _Filter:
        found = self._filters.get(ident)
        if found is None:
            raise RpcError("filter not found")
        return found

    def _find(self, query: LogQuery) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for block in self._blocks(query):
            found += self._logs_of(query, block)
            if len(found) > _MAX_LOGS:
                raise RpcError(f"query returned more than {_MAX_LOGS} results", -32005)
        return found

    def _blocks(self, query: LogQuery) -> Iterable[Block]:
        chain = self._backend.chain
        if query.block_hash is not None:
            block = chain.block(query.block_hash)
            if block is None:
                raise RpcError("unknown block")
            return [block]
        start, stop = self._number(query.start), self._number(query.stop)
        if start > stop:
            raise RpcError("invalid block range params", -32602)
        if stop - start > _MAX_BLOCKS:
            raise RpcError(f"block range is above {_MAX_BLOCKS}", -32005)
        return self._range(start, min(stop, chain.head.number))

    def _range(self, start: int, stop: int) -> Iterator[Block]:
        for number in range(start, stop + 1):
            block = self._backend.chain.block_by_number(number)
            if block is not None:
                yield block

    def _number(self, which: Any) -> int:
        if isinstance(which, int):
            return which
        block = self._backend.block(which)
        return block.number if block is not None else self._backend.chain.head.number

    def _logs_of(self, query: LogQuery, block: Block, *, removed: bool = False) -> list[dict[str, Any]]:
        if not query.may_match(block.header.logs_bloom):
            return []
        found, log_index = [], 0
        for index, receipt in enumerate(self._backend.chain.receipts(block.hash) or []):
            for log in receipt.logs:
                if query.matches(log):
                    tx_hash = block.transactions[index].hash
                    found.append(log_json(log, log_index, tx_hash, index, block, removed=removed))
                log_index += 1
        return found


def _parse_query(source: Any) -> LogQuery:
    try:
        item = mapping({} if source is None else source)
        query = LogQuery(addresses=_addresses(item.get("address")), topics=_topics(item.get("topics")))
        if item.get("blockHash") is not None:
            if item.get("fromBlock") is not None or item.get("toBlock") is not None:
                raise Invalid("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
            query.block_hash = bytes(hash32(item["blockHash"]))
        if item.get("fromBlock") is not None:
            query.start = block_id(item["fromBlock"])
        if item.get("toBlock") is not None:
            query.stop = block_id(item["toBlock"])
    except Invalid as error:
        raise InvalidParams(f"invalid argument 0: {error}") from error
    return query


def _addresses(value: Any) -> frozenset[Address]:
    if value is None:
        return frozenset()
    return frozenset(bytes(address(item)) for item in (value if isinstance(value, list) else [value]))


def _topics(value: Any) -> list[frozenset[Hash] | None]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid("topics: a list is expected")
    if len(value) > _MAX_TOPICS:
        raise RpcError("exceed max topics")
    return [_topic(item) for item in value]


def _topic(value: Any) -> frozenset[Hash] | None:
    if value is None or value == []:
        return None
    items = value if isinstance(value, list) else [value]
    return None if None in items else frozenset(bytes(hash32(item)) for item in items)


__all__ = ["EthLogs", "LogQuery"]
