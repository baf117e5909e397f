"""A run with the chain in the loop: a node of its own in this process, on a virtual clock, under a load of inferences.

What no formula says comes from here: how the base fee answers the load, what the batcher pays on L1 for each inference,
and what an outage of the batcher does. The same task gives the same result on any machine.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from attribution_precompile import ADDRESS_BYTES
from rollup.clock import ManualClock
from rollup.economics import calls
from rollup.economics.errors import EconomicsError
from rollup.economics.experiment import Task
from rollup.economics.measure import FEE
from rollup.economics.shape import Level
from rollup.economics.units import GWEI
from rollup.events import BatchPosted, Event
from rollup.node import Node, NodeParams
from rollup.protocol.accounts import USERS, DevAccount
from rollup.protocol.call import Call

CHAIN: Final = "chain"
DEFAULTS: Final[Mapping[str, int]] = {
    "inferences_per_block": 20,
    "blocks": 10,
    "entries": 1,
    "outage_blocks": 0,
    "operator_fee_scalar": 0,
    "max_gas_price_gwei": 1_000,
}
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "inferences_per_block": (0, 400),
    "blocks": (1, 1_000),
    "entries": (1, 32),
    "outage_blocks": (0, 500),
    "operator_fee_scalar": (0, 2**32 - 1),
    "max_gas_price_gwei": (2, 2_000),
}
_SET_UP_CAP: Final = 100 * GWEI  # the pool refuses a transaction that may cost more than 1 OPEN of gas
_GENESIS_TIME: Final = 1_700_000_000


def parameters(values: Mapping[str, Any]) -> dict[str, int]:
    """The defaults with some values changed; EconomicsError for an unknown name or a number out of range."""
    unknown = sorted(set(values) - set(DEFAULTS))
    if unknown:
        raise EconomicsError(f"a chain run has no parameter {unknown[0]!r}; it has {', '.join(DEFAULTS)}")
    for name, value in values.items():
        low, high = LIMITS[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise EconomicsError(f"{name} is a whole number from {low:,} to {high:,}, not {value!r}")
    return {**DEFAULTS, **values}


@dataclass(slots=True)
class _Load:
    """A node under load, and what its batches cost on L1 [wei]."""

    node: Node
    chain_id: int
    cap: int
    nonces: dict[bytes, int]

    def send(self, sender: DevAccount, data: bytes, value: int = 0) -> None:
        nonce = self.nonces.get(sender.address, 0)
        self.nonces[sender.address] = nonce + 1
        call = Call(ADDRESS_BYTES, value, data, 2_000_000 if value == 0 else 400_000)
        cap = min(self.cap, _SET_UP_CAP) if value == 0 else self.cap
        signed = call.signed(sender.private_key, nonce, self.chain_id, cap, GWEI)
        assert self.node.l2.pool is not None
        self.node.l2.pool.add(signed.encode())

    def build(self) -> int:
        """Advances until an L2 block more is there; its base fee [wei per gas]."""
        number = self.node.l2.chain.head.number
        while self.node.l2.chain.head.number == number:
            _advance(self.node)
        return self.node.l2.chain.head.header.base_fee_per_gas or 0


def run_chain(task: Task) -> str:
    """One task: each of its runs as a row of one line of JSON. Pure: nothing but the task decides it."""
    given = dict(task.parameters)
    rows = [_run(given, task.seed + task.first_run + offset) for offset in range(task.runs)]
    return json.dumps(
        {
            "simulation": task.simulation,
            "subset": task.subset,
            "values": dict(task.values),
            "first_run": task.first_run,
            "rows": rows,
        },
        sort_keys=True,
    )


def _run(given: Mapping[str, int], seed: int) -> dict[str, Any]:
    posted: list[BatchPosted] = []

    def note(event: Event) -> None:
        if isinstance(event, BatchPosted):
            posted.append(event)

    node = Node.open(
        NodeParams(
            virtual_clock=True,
            genesis_time=_GENESIS_TIME,
            seed=seed,
            operator_fee_scalar=given["operator_fee_scalar"],
        ),
        note,
    )
    try:
        load = _Load(node, node.devnet.params.l2_chain_id, given["max_gas_price_gwei"] * GWEI, {})
        _set_up(load, given["entries"])
        before = len(posted)
        return _loaded(load, given) | _posted(node, posted[before:], given)
    finally:
        node.close()


def _set_up(load: _Load, entries: int) -> None:
    """A model over `entries` DataNets of one contributor each, and one inference to leave the first use behind."""
    owner, contributor = USERS[0], int.from_bytes(USERS[9].address, "big")
    for datanet in range(1, entries + 1):
        load.send(owner, calls.create_datanet())
        load.send(owner, calls.contribute(datanet, [(contributor, 1, datanet)]))
    load.send(owner, calls.register_model(Level(weights=(1,) * entries), range(1, entries + 1), 0, USERS[8], FEE))
    load.send(owner, calls.infer(1, (1, 1)), FEE)
    load.build()
    while sum(load.node.l2.pool.counts() if load.node.l2.pool else ()):
        load.build()
    load.node.run_until_safe(load.node.l2.chain.head.number)


def _loaded(load: _Load, given: Mapping[str, int]) -> dict[str, Any]:
    """The blocks of the load: base fees, gas, and how many inferences got in."""
    node, base_fees, included, gas_used = load.node, [], 0, 0
    if given["outage_blocks"]:
        node.batcher.stop()
    for number in range(given["blocks"]):
        for index in range(given["inferences_per_block"]):
            load.send(USERS[index % 8], calls.infer(1, (812, 640)), FEE)
        base_fees.append(load.build())
        block = node.l2.chain.head
        signed = [item for item in block.transactions if not item.is_deposit]
        included += len(signed)
        gas_used += block.header.gas_used
        if number + 1 == given["outage_blocks"]:
            node.batcher.start()
    if given["outage_blocks"] >= given["blocks"]:
        node.batcher.start()
    return {"base_fees": [str(fee) for fee in base_fees], "inferences": included, "gas_used": gas_used}


def _posted(node: Node, posted: list[BatchPosted], given: Mapping[str, int]) -> dict[str, Any]:
    """The cost of the load's batches, once all of it is safe. `posted`: the batches posted before the wait."""
    found: list[BatchPosted] = list(posted)

    def note(event: Event) -> None:
        if isinstance(event, BatchPosted):
            found.append(event)

    node.events.subscribe(note)
    head = node.l2.chain.head
    node.run_until_safe(head.number)
    cost, sent = sum(item.cost for item in found), given["inferences_per_block"] * given["blocks"]
    return {
        "batch_cost": str(cost),
        "batch_bytes": sum(item.data_bytes for item in found),
        "batch_cost_per_inference": str(cost // sent) if sent else "0",
        "head": "0x" + head.hash.hex(),
    }


def _advance(node: Node) -> None:
    clock = node.clock
    assert isinstance(clock, ManualClock)
    if not node.advance():
        clock.advance(max(node.next_due() - clock.now(), 0))
