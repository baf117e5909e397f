"""Events of a running node that a person may want to know of: one plain class per event."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rollup.json_names import camel_case
from rollup.protocol.primitives import Address, Hash


@dataclass(slots=True, frozen=True)
class Resumed:
    """A kept chain as it was found at the start; waiting: acknowledged transactions taken back into the pool."""

    chain: str  # "L1", "L2" or "verifier"
    head: int
    hash: Hash
    safe: int
    waiting: int


@dataclass(slots=True, frozen=True)
class WentBack:
    """States that a kept chain needs were gone: at the start it went back to a block and was derived again from L1."""

    chain: str  # "L2" or "verifier"
    head_before: int
    number: int
    head: int
    reason: str


@dataclass(slots=True, frozen=True)
class Recovering:
    """At the start a kept chain is derived again from L1: how far L1 is read, of how much, and the safe head."""

    chain: str  # "L2" or "verifier"
    l1_block: int
    l1_head: int
    safe: int


@dataclass(slots=True, frozen=True)
class L1BlockMined:
    """A new L1 block; gas in units, base fee in wei."""

    number: int
    hash: Hash
    transactions: int
    base_fee: int


@dataclass(slots=True, frozen=True)
class L2BlockBuilt:
    """A new L2 block. transactions and gas_used (units) are those of users: the deposits of a block are not counted."""

    number: int
    hash: Hash
    transactions: int
    gas_used: int
    seconds: float


@dataclass(slots=True, frozen=True)
class BatchPosted:
    """A batcher transaction included on L1; cost in wei of L1's coin, data in bytes.

    The L2 blocks and the sizes in bytes (the batches as they are, and compressed) are of the whole channel that the
    transaction belongs to.
    """

    l1_block: int
    transaction_hash: Hash
    kind: str  # "calldata" or "blobs"
    data_bytes: int
    blobs: int
    cost: int
    first_block: int
    last_block: int
    raw_bytes: int
    compressed_bytes: int


@dataclass(slots=True, frozen=True)
class SafeHeadMoved:
    """The safe head moved to a block derived from L1 data up to l1_block.

    verifier_number is the verifier's safe head. verifier_equal: it has the same hash; None without a verifier.
    """

    number: int
    hash: Hash
    l1_block: int
    verifier_number: int
    verifier_equal: bool | None


@dataclass(slots=True, frozen=True)
class DepositIncluded:
    """An L1 deposit and the L2 transaction it became; minted in wei."""

    l1_transaction: Hash
    l2_transaction: Hash
    sender: Address
    to: Address | None
    minted: int
    value: int


@dataclass(slots=True, frozen=True)
class OutputProposed:
    """An output root posted to L1 for an L2 block."""

    l2_block: int
    output_root: Hash
    transaction_hash: Hash


@dataclass(slots=True, frozen=True)
class Reorged:
    """A layer's head went back; depth in blocks."""

    layer: str
    depth: int
    new_head: int


@dataclass(slots=True, frozen=True)
class Waiting:
    """An actor has to wait. The event says for what, and the actor continues by itself."""

    actor: str
    reason: str


@dataclass(slots=True, frozen=True)
class Switched:
    """The sequencer or the batcher was stopped or started, by `admin_` methods of the op-node RPC."""

    actor: str
    active: bool


@dataclass(slots=True, frozen=True)
class ConfigChanged:
    """The SystemConfig contract on L1 announced a new value; it holds from the first L2 block with that L1 origin."""

    l1_block: int
    what: str  # "batcher", "fee scalars", "gas limit", …


@dataclass(slots=True, frozen=True)
class DataDropped:
    """Derivation of the sequencer's node dropped data that L1 contains; size in bytes.

    rule is the name of the rule (derivation/drops.py), section its place in the OP specifications. left_out: how many
    drops before this one were not reported, because only a few per minute are.
    """

    l1_block: int
    what: str
    size: int
    rule: str
    reason: str
    section: str
    left_out: int


@dataclass(slots=True, frozen=True)
class Stalled:
    """Something is behind its pace; the advice says by how much and what to do. Said once until it has caught up."""

    what: str
    advice: str


Event = (
    Resumed
    | WentBack
    | Recovering
    | L1BlockMined
    | L2BlockBuilt
    | BatchPosted
    | SafeHeadMoved
    | DepositIncluded
    | OutputProposed
    | Reorged
    | Switched
    | ConfigChanged
    | Waiting
    | DataDropped
    | Stalled
)

_WEI = frozenset({"base_fee", "cost", "minted", "value"})


def event_json(event: Event) -> dict[str, Any]:
    """An event as JSON: names in camelCase, bytes as 0x text, wei as decimal strings.

    >>> event_json(Switched("batcher", False))
    {'event': 'Switched', 'actor': 'batcher', 'active': False}
    """
    fields: dict[str, Any] = {"event": type(event).__name__}
    for name in event.__slots__:
        value = getattr(event, name)
        if isinstance(value, bytes):
            value = "0x" + value.hex()
        fields[camel_case(name)] = str(value) if name in _WEI else value
    return fields


Listener = Callable[[Event], None]
_REMEMBERED = 1_000  # events


class EventLog:
    """Hands each event to every listener, and remembers the newest.

    >>> log = EventLog()
    >>> log.publish(Waiting("batcher", "L1 does not answer"))
    >>> [event.actor for event in log.recent(5)]
    ['batcher']
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        """remembered: how many events are kept for `recent`."""
        self._listeners: list[Listener] = []
        self._newest: deque[Event] = deque(maxlen=remembered)
        self.count = 0  # of all events until now

    def publish(self, event: Event) -> None:
        """Hands an event to the listeners, in the order in which they subscribed."""
        self._newest.append(event)
        self.count += 1
        for listener in list(self._listeners):
            listener(event)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls the listener for every event from now on; returns a function that ends the subscription."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def recent(self, count: int) -> list[Event]:
        """The newest events, oldest first."""
        return list(self._newest)[-count:] if count > 0 else []

    def since(self, count: int) -> list[Event]:
        """The events after the first so many that are still remembered, oldest first."""
        return self.recent(max(self.count - count, 0))
