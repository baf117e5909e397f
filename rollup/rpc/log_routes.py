"""Finds the subscribers of a log without asking each of them."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from rollup.protocol.receipt import Log
from rollup.rpc.log_query import LogQuery

Subscriber = TypeVar("Subscriber")


class LogRoutes(Generic[Subscriber]):
    """Subscribers by their criteria: by address, else by the topics of one position, else in the group for all logs."""

    def __init__(self) -> None:
        self._by_value: dict[tuple[int, bytes], dict[Subscriber, LogQuery]] = {}
        self._open: dict[Subscriber, LogQuery] = {}

    def add(self, subscriber: Subscriber, query: LogQuery) -> None:
        """Adds a subscriber."""
        keys = _keys(query)
        if keys is None:
            self._open[subscriber] = query
            return
        for key in keys:
            self._by_value.setdefault(key, {})[subscriber] = query

    def remove(self, subscriber: Subscriber, query: LogQuery) -> None:
        """Removes a subscriber that was added with this query."""
        keys = _keys(query)
        if keys is None:
            del self._open[subscriber]
            return
        for key in keys:
            entry = self._by_value[key]
            del entry[subscriber]
            if not entry:
                del self._by_value[key]

    def of(self, log: Log) -> Iterator[Subscriber]:
        """The subscribers of a log, each once."""
        for key in ((_ADDRESS, log.address), *enumerate(log.topics)):
            yield from (subscriber for subscriber, query in self._entries(key) if query.matches(log))
        yield from (subscriber for subscriber, query in list(self._open.items()) if query.matches(log))

    def _entries(self, key: tuple[int, bytes]) -> list[tuple[Subscriber, LogQuery]]:
        return list(self._by_value.get(key, {}).items())


_ADDRESS = -1  # where a key's value is an address; otherwise the topic's position


def _keys(query: LogQuery) -> list[tuple[int, bytes]] | None:
    """The values one of which a wanted log has; None when any log may be wanted."""
    if query.addresses:
        return [(_ADDRESS, item) for item in query.addresses]
    for position, wanted in enumerate(query.topics):
        if wanted is not None:
            return [(position, item) for item in wanted]
    return None
