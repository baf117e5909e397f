"""What happened, read from the precompile's events over eth_getLogs: standard, so any node will do."""

from collections.abc import Iterator
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


@dataclass(slots=True)
class Member:
    """A contributor of a DataNet: units as they are now, and the texts it registered, in order."""

    account: ChecksumAddress
    units: int = 0
    contents: list[bytes] = field(default_factory=list)


class History:
    """Events of one precompile up to the head as it was when this was made."""

    def __init__(self, client: AttributionClient) -> None:
        self._client = client
        self._head = client.web3.eth.block_number

    def events(self, name: str, *topics: int | None) -> Iterator[dict[str, Any]]:
        """The arguments of every `name` event, oldest first; `topics` are indexed arguments, None for any."""
        event = self._client.contract.events[name]()
        wanted = [_word(_TOPICS[name]), *(None if topic is None else _word(topic) for topic in topics)]
        for first in range(0, self._head + 1, _BLOCKS_A_QUERY):
            last = min(first + _BLOCKS_A_QUERY - 1, self._head)
            query: FilterParams = {
                "address": self._client.address,
                "fromBlock": BlockNumber(first),
                "toBlock": BlockNumber(last),
                "topics": wanted,
            }
            for log in self._client.web3.eth.get_logs(query):
                yield dict(event.process_log(log)["args"])

    def members(self, datanet_id: int) -> list[Member]:
        """Everyone who ever had units in a DataNet, in order of their first contribution."""
        found: dict[ChecksumAddress, Member] = {}
        for item in self.events("Contributed", datanet_id):
            member = found.setdefault(item["contributor"], Member(item["contributor"]))
            member.contents.append(bytes(item["contentHash"]))
        for item in self.events("UnitsSet", datanet_id):
            found.setdefault(item["contributor"], Member(item["contributor"]))
        for member in found.values():
            member.units = self._client.member(datanet_id, member.account)[0]
        return list(found.values())

    def registered_texts(self, datanet_id: int) -> dict[bytes, ChecksumAddress]:
        """Whose each registered text is, by content hash, in order of registration."""
        return {bytes(item["contentHash"]): item["contributor"] for item in self.events("Contributed", datanet_id)}

    def datanets_of(self, account: str) -> list[int]:
        """The DataNets where an account ever had units, ascending."""
        who = int(account, 16)
        found = {item["datanetId"] for name in ("Contributed", "UnitsSet") for item in self.events(name, None, who)}
        return sorted(found)

    def models_of(self, account: str) -> list[int]:
        """The models an account owns now, ascending."""
        who = int(account, 16)
        found = {item["modelId"] for item in self.events("ModelRegistered", None, who)}
        found |= {item["modelId"] for item in self.events("ModelTransferred", None, None, who)}
        return sorted(ident for ident in found if int(self._client.model(ident).owner, 16) == who)

    def claimed(self, account: str) -> int:
        """Wei paid out of an account's credit, ever."""
        return sum(item["amount"] for item in self.events("Claimed", int(account, 16)))


def _word(value: int) -> HexBytes:
    return HexBytes(value.to_bytes(32, "big"))
