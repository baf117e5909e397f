"""The job of a load and its outcome. Both are exchanged between two processes as JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from rollup.protocol.call import Call

GWEI: Final = 10**9


class LoadError(Exception):
    """The node does not answer as the load needs it; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Job:
    """One load. Transaction i is sent by sender i modulo their number, and does call i modulo their number.

    rate: transactions per second, 0 for as fast as the node answers. seconds: when sending ends even if transactions
    are left, 0 for never. batch: transactions per JSON-RPC request. mine: `evm_mine` is called after the last
    transaction, and again until every transaction is in a block. poll: seconds between two looks at the head.
    patience: seconds without a new transaction in a block after which the load gives up. receipts: how many receipts
    are read after the run, evenly spread; 0 for all.

    >>> call = Call(bytes(20), value=1)
    >>> job = Job("http://127.0.0.1:9545", 901, keys=(b"\\1" * 32,), nonces=(0,), calls=(call,), count=10)
    >>> Job.from_json(job.to_json()) == job
    True
    """

    url: str
    chain_id: int
    keys: tuple[bytes, ...]
    nonces: tuple[int, ...]
    calls: tuple[Call, ...]
    count: int
    connections: int = 32
    batch: int = 100
    rate: float = 0.0
    seconds: float = 0.0
    mine: bool = False
    poll: float = 0.02
    patience: float = 60.0
    receipts: int = 0
    max_fee: int = 100 * GWEI
    tip: int = GWEI

    def to_json(self) -> dict[str, Any]:
        """The job with bytes as hex text."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {
            "keys": [key.hex() for key in self.keys],
            "nonces": list(self.nonces),
            "calls": [_call_json(call) for call in self.calls],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Job":
        """The job that to_json wrote."""
        return cls(
            **data
            | {
                "keys": tuple(bytes.fromhex(key) for key in data["keys"]),
                "nonces": tuple(data["nonces"]),
                "calls": tuple(_call_of(call) for call in data["calls"]),
            }
        )


def _call_json(call: Call) -> dict[str, Any]:
    return {"to": call.to.hex(), "value": call.value, "data": call.data.hex(), "gas": call.gas}


def _call_of(data: dict[str, Any]) -> Call:
    return Call(bytes.fromhex(data["to"]), data["value"], bytes.fromhex(data["data"]), data["gas"])


@dataclass(slots=True)
class Outcome:
    """The outcome of a load. Times in seconds, counted from the first byte that was sent.

    sent, accepted and included count transactions; checked counts the receipts that
    were read, succeeded those of them with status 1. refused: answers with an
    error, by their text. send_seconds: until the last answer. seconds: until the last transaction was in a block.
    generator_cpu: the generator's own CPU seconds in that time. requests: seconds that a request took, sorted.
    latencies: seconds from sending a transaction until it was seen in a block, sorted. blocks: number of the block,
    transactions of the load in it, gas it used, seconds.
    """

    sent: int = 0
    accepted: int = 0
    included: int = 0
    checked: int = 0
    succeeded: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    sign_seconds: float = 0.0
    send_seconds: float = 0.0
    seconds: float = 0.0
    generator_cpu: float = 0.0
    requests: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    blocks: list[tuple[int, int, int, float]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """True when every transaction that was sent is in a block, and every receipt that was read says success."""
        return 0 < self.sent == self.included and 0 < self.checked == self.succeeded

    @property
    def per_second(self) -> float:
        """Transactions in blocks per second, from the first byte sent to the last transaction in a block."""
        return self.included / self.seconds if self.seconds else 0.0

    @property
    def generator_share(self) -> float:
        """The part of one core that the generator used."""
        return self.generator_cpu / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """The outcome as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Outcome":
        """The outcome that to_json wrote."""
        return cls(**data | {"blocks": [tuple(block) for block in data["blocks"]]})


def percentile(ordered: list[float], percent: float) -> float:
    """The value at or below which so many percent of the sorted values lie (nearest rank); 0 without values."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * percent // 100) - 1))]
