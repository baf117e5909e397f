"""eth_getLogs, filters that are polled, and what subscriptions are fed from (geth eth/filters)."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import orjson

from rollup.cooperative import Turns, is_in_turns, wait_for
from rollup.execution.chain import HeadChange
from rollup.protocol.primitives import Hash
from rollup.protocol.transaction import Transaction
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.deadline import Deadline
from rollup.rpc.errors import LIMIT_EXCEEDED, InvalidParams, RpcError, request_timed_out
from rollup.rpc.filters import Filter, Filters, Kind
from rollup.rpc.formats import hex_data
from rollup.rpc.journal import Journal
from rollup.rpc.limits import LOG_SECONDS, MAX_JOURNAL, MAX_LOG_BLOCKS
from rollup.rpc.log_feed import LogFeed
from rollup.rpc.log_query import LogQuery, parse_log_query
from rollup.rpc.log_search import BlockChange, LogSearch
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import mapping, text


class EthLogs:
    """Logs of the canonical chain, and filters over its changes.

    A new block costs the same with one filter and with a thousand: it is written into a journal, and a filter is
    compared with the blocks since its last poll when it is polled.
    """

    def __init__(self, backend: ExecutionBackend, turns: Turns, now: Callable[[], float] = monotonic) -> None:
        """turns: those of the node, in which subscribers are notified. now: seconds of a clock that never goes back."""
        self._backend = backend
        self._chain = backend.chain
        self._filters = Filters(now)
        self._searches: set[LogSearch] = set()
        self._blocks: Journal[BlockChange] = Journal(MAX_JOURNAL)
        self._pending: Journal[Hash] = Journal(MAX_JOURNAL)
        self._feed = LogFeed(backend.chain, turns)
        self.subscriptions = self._feed.subscriptions
        backend.chain.subscribe(self.on_head_change)

    @takes_long
    @rpc("eth_getLogs", mapping)
    def get_logs(self, filter_: Any) -> list[orjson.Fragment]:
        """Logs of a block, or of a range of blocks, of the canonical chain, by an index of addresses and topics."""
        return self._find(parse_log_query(filter_))

    @rpc("eth_newFilter", mapping)
    def new_filter(self, filter_: Any) -> str:
        """A new filter of logs; its id. After a reorganisation it also returns logs with `removed`."""
        query = parse_log_query(filter_)
        if isinstance(query.start, int) and isinstance(query.stop, int) and query.start > query.stop:
            raise InvalidParams("invalid block range params")
        return self._filters.install(Filter("logs", self._blocks.end, query))

    @rpc("eth_newBlockFilter")
    def new_block_filter(self) -> str:
        """A new filter of new blocks; its id."""
        return self._filters.install(Filter("blocks", self._blocks.end))

    @rpc("eth_newPendingTransactionFilter")
    def new_pending_transaction_filter(self) -> str:
        """A new filter of transactions that enter the pool; its id."""
        return self._filters.install(Filter("pending", self._pending.end))

    @takes_long
    @rpc("eth_getFilterChanges", text)
    def get_filter_changes(self, filter_id: str) -> list[Any]:
        """The changes since the last call."""
        found = self._filters.polled(filter_id)
        if is_in_turns():  # two polls at once would both answer the same
            wait_for(found.polling.acquire())
        try:
            changes = _READERS[found.kind](self, found)
        finally:
            if found.polling.locked():
                found.polling.release()
        if changes is None:
            self._filters.uninstall(filter_id)
            raise RpcError("filter not found")
        return changes

    @takes_long
    @rpc("eth_getFilterLogs", text)
    def get_filter_logs(self, filter_id: str) -> list[orjson.Fragment]:
        """All logs of a filter."""
        query = self._filters.polled(filter_id).query
        if query is None:
            raise RpcError("filter not found")
        return self._find(query)

    @rpc("eth_uninstallFilter", text)
    def uninstall_filter(self, filter_id: str) -> bool:
        """Ends a filter."""
        return self._filters.uninstall(filter_id)

    # ------------------------------------------------------------ events
    def on_head_change(self, change: HeadChange) -> None:
        """Notes a change of the head for filters, running searches and subscriptions."""
        if change.removed:
            for search in self._searches:
                search.rewind(change.removed[-1].number)
        for block in change.removed:
            self._blocks.append(BlockChange(block.hash, is_removed=True))
        for block in change.added:
            self._blocks.append(BlockChange(block.hash, is_removed=False))
        self._feed.on_head_change(change)

    def on_pending_transactions(self, transactions: Sequence[Transaction]) -> None:
        """Notes transactions that entered the pool."""
        for transaction in transactions:
            self._pending.append(transaction.hash)
        self._feed.on_pending_transactions(transactions)

    # ------------------------------------------------------------ filters
    def _new_blocks(self, item: Filter) -> list[Any] | None:
        entries = self._blocks.since(item.position)
        item.position = self._blocks.end
        return None if entries is None else [hex_data(entry.block_hash) for entry in entries if not entry.is_removed]

    def _new_pending(self, item: Filter) -> list[Any] | None:
        entries = self._pending.since(item.position)
        item.position = self._pending.end
        return None if entries is None else [hex_data(tx_hash) for tx_hash in entries]

    def _new_logs(self, item: Filter) -> list[Any] | None:
        """The logs since the last poll. Logs that are too many for one answer wait for the next poll."""
        entries = self._blocks.since(item.position)
        if entries is None or item.query is None:
            return None
        search = LogSearch(self._chain, item.query, _log_deadline())
        search.changes(entries)
        item.position += search.read
        return search.found

    # ------------------------------------------------------------ searches
    def _find(self, query: LogQuery) -> list[orjson.Fragment]:
        search = LogSearch(self._chain, query, _log_deadline())
        if query.block_hash is not None:
            if self._chain.header(query.block_hash) is None:
                raise RpcError("unknown block")
            search.changes([BlockChange(query.block_hash, is_removed=False)])
            return search.found
        start, stop = self._range(query)
        self._searches.add(search)
        try:
            search.canonical(start, stop)
        finally:
            self._searches.discard(search)
        return search.found

    def _range(self, query: LogQuery) -> tuple[int, int]:
        """The first and the last block (geth eth/filters/api.go: GetLogs)."""
        head = self._chain.head.number
        start, stop = self._number(query.start), self._number(query.stop)
        if start > stop:
            raise InvalidParams("invalid block range params")
        if stop > head:
            raise InvalidParams("block range extends beyond current head block")
        if stop - start > MAX_LOG_BLOCKS:
            raise RpcError(f"block range is above {MAX_LOG_BLOCKS}", LIMIT_EXCEEDED)
        return start, stop

    def _number(self, which: Any) -> int:
        if isinstance(which, int):
            return which
        block = self._backend.block(which)
        return block.number if block is not None else self._chain.head.number


def _log_deadline() -> Deadline:
    return Deadline(LOG_SECONDS, request_timed_out)


_READERS: dict[Kind, Callable[[EthLogs, Filter], list[Any] | None]] = {
    "blocks": EthLogs._new_blocks,
    "pending": EthLogs._new_pending,
    "logs": EthLogs._new_logs,
}
