"""The node: all actors of both layers, with the verbs of tests, commands and servers."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Literal

from rollup.cooperative import Turns
from rollup.data_directory import CHAIN_FIELDS
from rollup.dump import STORES, encode_dump, read_dump
from rollup.events import Event, EventLog
from rollup.execution.overrides import StateOverride
from rollup.l1.devnet import make_devnet
from rollup.lanes import WEIGHTS
from rollup.node.actors import Actors
from rollup.node.assembly import assemble, open_store
from rollup.node.params import NodeError, NodeParams, devnet_params, loaded, resumed
from rollup.node.reports import Reports
from rollup.node.schedule import Schedule
from rollup.node.snapshots import snapshots_of
from rollup.node.steps import NodeSteps
from rollup.node.view import NodeView, is_verifier_equal, view_of
from rollup.patches import Patches
from rollup.pool.mempool import Mempool
from rollup.protocol.block import Block
from rollup.protocol.blockref import L2BlockRef
from rollup.protocol.primitives import Address, Hash
from rollup.rush import Rush
from rollup.store.kv import Store, StoreError


class Node:
    """A running rollup. Open one with `Node.open`, and close it at the end.

    The actors are attributes: clock, l1, l2, verifier, sequencer, batcher, proposer, throttle.
    """

    def __init__(self, params: NodeParams, actors: Actors, events: EventLog, stores: tuple[Store, ...]) -> None:
        """stores: what close closes."""
        self.params = params
        self.devnet = actors.devnet
        self.clock = actors.clock
        self.l1 = actors.l1
        self.l2 = actors.l2
        self.verifier = actors.verifier
        self.sequencer = actors.sequencer
        self.batcher = actors.batcher
        self.proposer = actors.proposer
        self.throttle = actors.throttle
        self.patches = actors.patches
        self.recoveries = actors.recoveries
        self.events = events
        self.turns = Turns(weights=WEIGHTS)
        self.snapshots = snapshots_of(actors)
        self._actors = actors
        self._stores = stores
        self._reports = Reports(actors, events)
        self._steps = NodeSteps(actors, self._reports)
        self.rush = _rush_of(self.l2.pool)
        self._schedule = Schedule(params, actors, self._steps, self.turns, self.rush)
        self._reports.listen()
        if self.l2.pool is not None:
            self.l2.pool.subscribe(lambda transactions: self._on_transactions())
        self._schedule.catch_up_clock()

    @classmethod
    def open(cls, params: NodeParams, on_event: Callable[[Event], None] | None = None) -> "Node":
        """Begins a chain, or resumes the one in the data directory; raises NodeError.

        on_event is called for each event, from the first one on.
        """
        events = EventLog()
        if on_event is not None:
            events.subscribe(on_event)
        try:
            dump = None if params.load is None else read_dump(params.load)
            params = resumed(params if dump is None else loaded(params, dump))
            devnet = make_devnet(devnet_params(params))
            with ExitStack() as opened:
                stores = []
                for name in STORES:
                    stores.append(open_store(params.data_dir and params.data_dir / name))
                    opened.callback(stores[-1].close)
                    if dump is not None and params.data_dir is None:
                        dump.fill(name, stores[-1])
                l1, l2, verifier = stores
                patches = Patches(params.data_dir, None if dump is None else dump.patches)
                actors = assemble(params, devnet, (l1, l2, verifier), events, patches)
                node = cls(params, actors, events, (l1, l2, verifier))
                opened.pop_all()
        except (StoreError, ValueError, OSError) as error:
            raise NodeError(str(error)) from error
        return node

    def dump(self) -> bytes:
        """The whole node as the bytes of a file (rollup/dump.py). Not to be called while a step is under way."""
        stores = dict(zip(STORES, self._stores, strict=True))
        made = self.devnet.params
        decided = {"genesis_time": made.genesis_time, "sequencing_window": made.seq_window_size}
        parameters = {name: getattr(self.params, name) for name in CHAIN_FIELDS} | decided
        return encode_dump(parameters, self.patches.document(), stores)

    def close(self) -> None:
        """Closes the stores."""
        for store in self._stores:
            store.close()

    # ------------------------------------------------------------ verbs
    def mine_l1(self, timestamp: int | None = None) -> Block:
        """Mines an L1 block, which derivation, batcher and proposer then read.

        timestamp: a slot's time in seconds, the next slot's by default; raises SlotError for another.
        """
        return self._steps.mine_l1(timestamp)

    def build_l2(self, takes_pool: bool = True) -> Block | None:
        """Builds an L2 block; None while L1 does not answer, or must come first, which then mines unless on demand.

        takes_pool: False for a block without users' transactions.
        """
        return self._steps.build_l2(takes_pool)

    def read_l1(self) -> None:
        """Has both derivations read all of L1, then batcher and proposer act."""
        self._steps.read_l1()

    def next_due(self) -> float:
        """Seconds: when the next actor has something to do."""
        return self._schedule.next_due()

    def advance(self, limit: int = 50) -> int:
        """Does what is due, at most limit steps; returns how many it did. Raises NodeError."""
        return self._schedule.advance(limit)

    def run_until_safe(self, number: int) -> L2BlockRef:
        """Advances a virtual clock until an L2 block is safe on both nodes; returns the safe head. Raises NodeError."""
        return self._schedule.run_until_safe(number)

    async def run(self, until_safe: int | None = None) -> None:
        """Acts until stopped, or until an L2 block is safe on both nodes; raises NodeError."""
        await self._schedule.run(until_safe)

    def stop(self) -> None:
        """Makes run return at once; what a step has written is whole."""
        self._schedule.stop()

    def wake(self) -> None:
        """Makes run look at once whether something is due."""
        self._schedule.wake()

    def _on_transactions(self) -> None:
        """Transactions make a block due where blocks are instant. Many are taken into a block before its time."""
        if self.sequencer.instant or self.sequencer.fills_ahead:
            self._schedule.transaction_came()

    def is_block_coming(self, hashes: Sequence[Hash]) -> bool:
        """Whether an L2 block that may take one of these transactions is built at once; never while the node does not
        run.
        """
        return self._schedule.is_running and self.sequencer.is_due_for(hashes)

    def patch(self, layer: Literal["l1", "l2"], address: Address, override: StateOverride) -> int:
        """Changes an account at the beginning of a layer's next block; returns that block's height.

        Both nodes apply the change. It is not in L1 data: a node that derives the chain needs the patches
        (rollup/patches.py).
        """
        height = (self.l1.chain if layer == "l1" else self.l2.chain).head.number + 1
        self.patches.add(layer, height, address, override)
        return height

    def changed(self) -> None:
        """Makes run look at everything again, after chains, clock or actors were changed from outside."""
        self._schedule.changed()

    def anchor(self) -> AbstractContextManager[None]:
        """Undoes, at the end of a `with` block, all that happened in it; for tests.

        >>> node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000))
        >>> with node.anchor():
        ...     node.run_until_safe(3).number
        5
        >>> node.l2.chain.head.number
        0
        >>> node.close()
        """
        return self.snapshots.anchor()

    # ------------------------------------------------------------ looking
    @property
    def safe_head(self) -> L2BlockRef:
        """The sequencer node's safe head."""
        return self.l2.derivation.safe_head

    def view(self) -> NodeView:
        """The node at this moment: heads, pools, what each actor waits for, the last batches."""
        reports = self._reports
        return view_of(self._actors, reports.waiting_for, tuple(reports.last_batches), reports.batches_posted)

    def is_verifier_equal(self) -> bool | None:
        """Whether both nodes have the same block at the lower of their safe heads. None without a verifier."""
        return is_verifier_equal(self._actors)


def _rush_of(pool: Mempool | None) -> Rush:
    if pool is None:
        return Rush(lambda: 0, lambda: 0, time.monotonic)
    return Rush(lambda: pool.arrivals, lambda: len(pool), time.monotonic)
