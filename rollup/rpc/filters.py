"""Filters that clients poll: which there are, and when they end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from rollup.rpc.errors import RpcError
from rollup.rpc.idents import new_ident
from rollup.rpc.limits import FILTER_SECONDS, MAX_CRITERIA, MAX_FILTERS
from rollup.rpc.log_query import LogQuery

Kind = Literal["logs", "blocks", "pending"]


@dataclass(slots=True)
class Filter:
    """One filter: its kind, and how far it was read. query: only for a filter of logs."""

    kind: Kind
    position: int  # in the journal of its kind
    query: LogQuery | None = None
    polled_at: float = 0
    polling: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def size(self) -> int:
        """How many addresses and topics it has."""
        return 0 if self.query is None else self.query.size


class Filters:
    """The filters of a port, bounded by number and by size. The one that was polled longest ago ends first."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._filters: dict[str, Filter] = {}  # the one that was polled longest ago comes first
        self._size = 0

    def install(self, item: Filter) -> str:
        """Adds a filter and returns its id."""
        self._size += item.size
        while self._filters and (len(self._filters) >= MAX_FILTERS or self._size > MAX_CRITERIA):
            self.uninstall(next(iter(self._filters)))
        self._end_unpolled()
        item.polled_at = self._now()
        ident = new_ident()
        self._filters[ident] = item
        return ident

    def polled(self, ident: str) -> Filter:
        """The filter of an id, which has been polled now; raises RpcError."""
        self._end_unpolled()
        item = self._filters.pop(ident, None)
        if item is None:
            raise RpcError("filter not found")
        item.polled_at = self._now()
        self._filters[ident] = item
        return item

    def uninstall(self, ident: str) -> bool:
        """Ends a filter; whether there was one."""
        item = self._filters.pop(ident, None)
        self._size -= 0 if item is None else item.size
        return item is not None

    def _end_unpolled(self) -> None:
        oldest = self._now() - FILTER_SECONDS
        for ident, item in list(self._filters.items()):
            if item.polled_at >= oldest:
                return
            self.uninstall(ident)
