"""Past events of the precompile, read with eth_getLogs, which every node has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eth_typing import BlockNumber, ChecksumAddress
from hexbytes import HexBytes
from web3.types import FilterParams

from attribution_precompile.client import AttributionClient
from attribution_precompile.events import EVENTS

# Nodes bound the range of one query; ours at 100,000 blocks.
_BLOCKS_A_QUERY: Final = 50_000
_TOPICS: Final = {signature.partition("(")[0]: topic for signature, topic in EVENTS.items()}


Place = tuple[int, int]  # block number, log index


@dataclass(slots=True)
class Member:
    """A contributor of a DataNet: its units, and the texts it registered, in order."""

    account: ChecksumAddress
    units: int = 0
    contents: list[bytes] = field(default_factory=list)


class History:
    """Events of one precompile, up to the head as it was when this was made or before a place of your own."""

    def __init__(self, client: AttributionClient, before: Place | None = None) -> None:
        self._client = client
        self._before = before or (client.web3.eth.block_number + 1, 0)

    def events(self, names: str | Sequence[str], *topics: int | None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and arguments of every event of these names, oldest first; `topics` are the indexed arguments they
        have alike, None for any."""
        by_topic = {_word(_TOPICS[name]): name for name in ([names] if isinstance(names, str) else names)}
        wanted: list[Any] = [list(by_topic), *(None if topic is None else _word(topic) for topic in topics)]
        number, index = self._before
        last = number if index else number - 1  # nodes refuse a range that ends beyond their head
        for first in range(0, last + 1, _BLOCKS_A_QUERY):
            query: FilterParams = {
                "address": self._client.address,
                "fromBlock": BlockNumber(first),
                "toBlock": BlockNumber(min(first + _BLOCKS_A_QUERY - 1, last)),
                "topics": wanted,
            }
            for log in self._client.web3.eth.get_logs(query):
                if (log["blockNumber"], log["logIndex"]) < self._before:
                    name = by_topic[log["topics"][0]]
                    yield name, dict(self._client.contract.events[name]().process_log(log)["args"])

    def members(self, datanet_id: int) -> list[Member]:
        """All accounts that ever had units in a DataNet, in order of their first contribution."""
        found: dict[ChecksumAddress, Member] = {}
        for name, item in self.events(("Contributed", "UnitsSet"), datanet_id):
            member = found.setdefault(item["contributor"], Member(item["contributor"]))
            if name == "UnitsSet":
                member.units = item["units"]
            else:
                member.units += item["units"]
                member.contents.append(bytes(item["contentHash"]))
        return list(found.values())

    def registered_texts(self, datanet_id: int) -> dict[bytes, ChecksumAddress]:
        """Whose each registered text is, by content hash, in order of registration."""
        return {bytes(item["contentHash"]): item["contributor"] for _, item in self.events("Contributed", datanet_id)}

    def datanets_of(self, account: str) -> list[int]:
        """The DataNets where an account ever had units, ascending."""
        found = self.events(("Contributed", "UnitsSet"), None, int(account, 16))
        return sorted({item["datanetId"] for _, item in found})

    def models_of(self, account: str) -> list[int]:
        """The models an account owns now, ascending."""
        who = int(account, 16)
        found = {item["modelId"] for _, item in self.events("ModelRegistered", None, who)}
        found |= {item["modelId"] for _, item in self.events("ModelTransferred", None, None, who)}
        return sorted(ident for ident in found if int(self._client.model(ident).owner, 16) == who)

    def claimed(self, account: str) -> int:
        """Wei paid out of an account's credit, ever."""
        return sum(item["amount"] for _, item in self.events("Claimed", int(account, 16)))

    def refunded(self, account: str) -> int:
        """Wei of an account's jobs that came back to its credit, ever."""
        jobs = {item["jobId"] for _, item in self.events("JobRequested", None, None, int(account, 16))}
        if not jobs:
            return 0
        ended = self.events(("JobSettled", "JobCancelled"))
        return sum(item["refund"] for _, item in ended if item["jobId"] in jobs)


def _word(value: int) -> HexBytes:
    return HexBytes(value.to_bytes(32, "big"))
