"""Which logs a caller wants (geth eth/filters/api.go: FilterCriteria)."""

from dataclasses import dataclass
from typing import Any

from rollup.execution.log_index import Group, address_group, topic_group
from rollup.protocol.bloom import BloomTest
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.receipt import Log
from rollup.rpc.errors import InvalidParams, RpcError
from rollup.rpc.limits import MAX_ADDRESSES, MAX_TOPIC_POSITIONS, MAX_TOPICS_PER_POSITION
from rollup.rpc.params import BlockId, Invalid, address, block_id, hash32, mapping


@dataclass(slots=True, frozen=True)
class LogQuery:
    """Any of the addresses (none: every address), and at each position any of the topics (None: every topic)."""

    addresses: frozenset[Address] = frozenset()
    topics: tuple[frozenset[Hash] | None, ...] = ()
    block_hash: Hash | None = None
    start: BlockId = "latest"
    stop: BlockId = "latest"

    @property
    def size(self) -> int:
        """How many addresses and topics there are."""
        return len(self.addresses) + sum(len(wanted) for wanted in self.topics if wanted is not None)

    def index_groups(self) -> list[Group]:
        """Groups of values, as the chain's index of logs names them. A matching block has at least one value of each
        group.
        """
        groups = [address_group(self.addresses)] if self.addresses else []
        return groups + [topic_group(place, wanted) for place, wanted in enumerate(self.topics) if wanted is not None]

    def covers(self, number: int) -> bool:
        """Whether a new block of this height is in the range; a tag bounds nothing (geth: filterLogs)."""
        is_before = isinstance(self.start, int) and number < self.start
        return not is_before and not (isinstance(self.stop, int) and number > self.stop)

    def matches(self, log: Log) -> bool:
        """Whether a log is wanted."""
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        return all(wanted is None or log.topics[index] in wanted for index, wanted in enumerate(self.topics))


class BlockTest:
    """Tests a block's bloom for the query. False means that it has no wanted log. The bits of the query are computed
    once.
    """

    def __init__(self, query: LogQuery) -> None:
        groups = [query.addresses] if query.addresses else []
        groups += [wanted for wanted in query.topics if wanted is not None]
        self._tests = [BloomTest(group) for group in groups]

    def may_match(self, bloom: bytes) -> bool:
        """False when no log of the block can be wanted."""
        bits = int.from_bytes(bloom, "big")
        return all(test.may_match(bits) for test in self._tests)


def parse_log_query(source: Any) -> LogQuery:
    """A filter object; raises RpcError."""
    try:
        item = mapping({} if source is None else source)
        start, stop, block_hash = (item.get(name) for name in ("fromBlock", "toBlock", "blockHash"))
        if block_hash is not None and (start is not None or stop is not None):
            raise Invalid("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
        return LogQuery(
            _addresses(item.get("address")),
            _topics(item.get("topics")),
            None if block_hash is None else bytes(hash32(block_hash)),
            "latest" if start is None else block_id(start),
            "latest" if stop is None else block_id(stop),
        )
    except Invalid as error:
        raise InvalidParams(f"invalid argument 0: {error}") from error


def _addresses(value: Any) -> frozenset[Address]:
    if value is None:
        return frozenset()
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_ADDRESSES:
        raise RpcError("exceed max addresses or topics per search position")
    return frozenset(bytes(address(item)) for item in items)


def _topics(value: Any) -> tuple[frozenset[Hash] | None, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Invalid("topics: a list is expected")
    if len(value) > MAX_TOPIC_POSITIONS:
        raise RpcError("exceed max topics")
    return tuple(_topic(item) for item in value)


def _topic(value: Any) -> frozenset[Hash] | None:
    if value is None or value == []:
        return None
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_TOPICS_PER_POSITION:
        raise RpcError("exceed max topics")
    return None if None in items else frozenset(bytes(hash32(item)) for item in items)
