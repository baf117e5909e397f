"""The node: every actor of both layers, and the one clock that moves them.

Actors are synchronous and have verbs; `advance` says when each acts. `run` does one step after another, each in turns
with the servers (rollup/cooperative.py). With the machine's clock each chain has a lane of its own (rollup/lanes.py)
and waits between its steps. A virtual clock has one lane and jumps to the next step, so that the same seed, genesis
time and commands give the same block hashes.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from derivation.driver import Verifier
from derivation.errors import Critical, Reset, Temporary
from rollup.cooperative import Turns
from rollup.data_directory import CHAIN_FIELDS, begin_or_resume
from rollup.events import (
    BatchPosted,
    ConfigChanged,
    DepositIncluded,
    Event,
    L1BlockMined,
    L2BlockBuilt,
    OutputProposed,
    Reorged,
    SafeHeadMoved,
    Stalled,
    Switched,
    Waiting,
    WentBack,
)
from rollup.execution.chain import Chain, HeadChange
from rollup.execution.engine import Engine
from rollup.execution.genesis import AttributionMode
from rollup.l1 import contracts
from rollup.l1.client import LocalL1Client
from rollup.l1.devnet import Devnet, DevnetParams, LayerGenesis, make_devnet
from rollup.l1.miner import MockL1
from rollup.l1.source import LocalL1Source
from rollup.lanes import Lanes
from rollup.protocol.blob_schedule import parse_l1_forks
from rollup.protocol.block import Block
from rollup.protocol.blockref import L2BlockRef
from rollup.protocol.deposits import user_deposits
from rollup.protocol.forks import NEWEST_STABLE, ForkSchedule, L1Fork
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.protocol.system_config import CONFIG_UPDATE, UPDATE_NAMES
from rollup.protocol.transaction import DEPOSIT
from rollup.recovery import open_derived
from rollup.stalls import ChainProgress, stalls
from rollup.store.kv import LmdbStore, MemoryStore, Store, StoreDamaged, StoreError
from sequencer.batcher.batcher import Batcher
from sequencer.batcher.config import BatcherConfig, BatchType, Compression
from sequencer.batcher.da import DataAvailability
from sequencer.batcher.throttle import Throttle, ThrottleConfig
from sequencer.clock import ManualClock, SystemClock
from sequencer.mempool import Mempool
from sequencer.origin_selector import OriginMissing
from sequencer.pool_costs import l2_extra_cost
from sequencer.proposer import OutputUnavailable, ProposalRefused, Proposer
from sequencer.sequencer import Sequencer

_HISTORY = 256  # blocks whose states are kept without --archive


class NodeError(Exception):
    """The node cannot start or go on; the message is for the user."""


@dataclass(slots=True, frozen=True)
class NodeParams:
    """What a user chooses. Times in seconds; genesis_time None is a block time ago; data_dir None keeps nothing.

    forks in the words of ForkSchedule.parse, l1_forks in those of parse_l1_forks.
    """

    data_dir: Path | None = None
    l1_block_time: int = 12
    l2_block_time: int = 2
    l1_chain_id: int = 900
    l2_chain_id: int = 901
    instant: bool = False
    da: DataAvailability = "auto"
    batch_type: BatchType = "span"
    compression: Compression = "brotli"
    forks: str = NEWEST_STABLE.name.lower()
    l1_forks: str = L1Fork.PRAGUE.name.lower()
    attribution: AttributionMode = "native"
    attribution_time: int = 0
    operator_fee_scalar: int = 0
    operator_fee_constant: int = 0
    seed: int = 0
    genesis_time: int | None = None
    virtual_clock: bool = False
    archive: bool = False
    proposer: bool = True
    throttle_threshold: int = ThrottleConfig().lower_threshold


@dataclass(slots=True)
class L1Node:
    """The mock L1 and its pool."""

    chain: Chain
    pool: Mempool
    miner: MockL1
    source: LocalL1Source
    client: LocalL1Client


@dataclass(slots=True)
class L2Node:
    """An L2 chain with its engine and its derivation; the sequencer's has a pool."""

    chain: Chain
    engine: Engine
    derivation: Verifier
    pool: Mempool | None = None


@dataclass(slots=True)
class Node:
    """All actors. Open one with `Node.open`."""

    params: NodeParams
    devnet: Devnet
    clock: SystemClock | ManualClock
    l1: L1Node
    l2: L2Node
    verifier: L2Node
    sequencer: Sequencer
    batcher: Batcher
    proposer: Proposer
    throttle: Throttle
    on_event: Callable[[Event], None] = field(default=lambda event: None)
    turns: Turns = field(default_factory=Turns)
    batches_posted: int = 0
    recoveries: list[WentBack] = field(default_factory=list)  # what this start had to do for chains without states
    _stores: list[Store] = field(default_factory=list)
    _stopping: bool = False
    _lanes: Lanes | None = None
    _running: asyncio.Task[None] | None = None
    _said: dict[str, str] = field(default_factory=dict)
    _active: dict[str, bool] = field(default_factory=dict)
    _stalled: set[str] = field(default_factory=set)
    _safe: L2BlockRef | None = None  # as of the last report, or of the one that waits for the verifier
    _verified_l1: int = -1  # the L1 block to which the verifier has read all
    _moved_to: tuple[L2BlockRef, int] | None = None  # a safe head that is not reported yet, and its L1 block

    # ------------------------------------------------------------ opening
    @classmethod
    def open(cls, params: NodeParams, on_event: Callable[[Event], None] = lambda event: None) -> "Node":
        """Begins or resumes a chain; raises NodeError."""
        try:
            params = _resumed(params)
            devnet = make_devnet(_devnet_params(params))
            return cls._assemble(params, devnet, on_event)
        except (StoreError, ValueError, OSError) as error:
            raise NodeError(str(error)) from error

    @classmethod
    def _assemble(cls, params: NodeParams, devnet: Devnet, on_event: Callable[[Event], None]) -> "Node":
        with ExitStack() as opened:
            stores: list[Store] = []
            for name in ("l1", "l2", "verifier"):
                stores.append(_open_store(params.data_dir, name))
                opened.callback(stores[-1].close)
            node = cls._with_stores(params, devnet, on_event, stores)
            opened.pop_all()
        return node

    @classmethod
    def _with_stores(
        cls, params: NodeParams, devnet: Devnet, on_event: Callable[[Event], None], stores: list[Store]
    ) -> "Node":
        clock = ManualClock(devnet.params.genesis_time) if params.virtual_clock else SystemClock()
        l1 = _open_l1(params, devnet, stores[0], clock)
        l2_chain, l2_back = _open_derived(params, "l2", stores[1], devnet, l1)
        verifier_chain, verifier_back = _open_derived(params, "verifier", stores[2], devnet, l1)
        pool = Mempool(l2_chain, devnet.l2_config, l2_extra_cost(devnet.l2_config), journal=stores[1], now=clock.now)
        engine = Engine(l2_chain, devnet.l2_config, pool)
        if not params.virtual_clock:
            engine.seconds = l1.miner.seconds = time.monotonic
        config = devnet.rollup_config
        derivation = Verifier(config, l1.source, l1.source, engine)
        l2 = L2Node(l2_chain, engine, derivation, pool)
        sequencer = Sequencer(config, engine, l1.source, clock, pool=pool, instant=params.instant)
        options = BatcherConfig(
            da=params.da,
            batch_type=params.batch_type,
            compression=params.compression,
            follow_depth=l1.miner.finality.finalized + 1,  # from then on L1 cannot drop what it included
        )
        batcher = Batcher(config, l2_chain, l1.client, devnet.params.batcher.private_key, derivation, options)
        throttle = Throttle(
            ThrottleConfig.scaled(params.throttle_threshold),
            engine,
            safe_number=lambda: derivation.safe_head.number,
            is_batching=lambda: batcher.is_active,
        )
        proposer = Proposer(
            config,
            l2_chain,
            l1.client,
            devnet.params.proposer.private_key,
            contracts.L2_OUTPUT_ORACLE,
            proposable_head=lambda: derivation.safe_head,
        )
        if not params.proposer:
            proposer.stop()
        verifier_engine = Engine(verifier_chain, devnet.l2_config)
        node = cls(
            params=params,
            devnet=devnet,
            clock=clock,
            l1=l1,
            l2=l2,
            verifier=L2Node(verifier_chain, verifier_engine, Verifier(config, l1.source, l1.source, verifier_engine)),
            sequencer=sequencer,
            batcher=batcher,
            proposer=proposer,
            throttle=throttle,
            on_event=on_event,
            recoveries=[back for back in (l2_back, verifier_back) if back is not None],
            _stores=stores,
        )
        node._safe = derivation.safe_head
        node._listen()
        node._catch_up_clock()
        return node

    def _listen(self) -> None:
        self.l1.chain.subscribe(lambda change: self._on_head("L1", change))
        self.l2.chain.subscribe(lambda change: self._on_head("L2", change))
        if self.l2.pool is not None:
            self.l2.pool.subscribe(lambda transaction: self.wake())

    def _catch_up_clock(self) -> None:
        """A chain's clock stands still while no node runs it: blocks go on from where they stopped, the first at once.

        At once, unless that puts a chain ahead of the machine's clock.
        """
        newest = max(self.l1.chain.head.timestamp, self.l2.chain.head.timestamp)
        now = self.clock.now()
        if isinstance(self.clock, SystemClock):
            first = newest if self.params.instant else min(self.sequencer.next_block_time, now)
            self.clock.offset += max(newest, first) - now
        elif newest > now:
            self.clock.advance(newest - now)

    def close(self) -> None:
        """Closes the stores."""
        for store in self._stores:
            store.close()

    # ------------------------------------------------------------ acting
    @property
    def safe_head(self) -> L2BlockRef:
        """The sequencer node's safe head."""
        return self.l2.derivation.safe_head

    def next_due(self) -> float:
        """Seconds: when the next actor has something to do."""
        due = [float(self.l1.miner.next_block_time)]
        if self.sequencer.is_active:
            due.append(self.clock.now() if self.sequencer.is_due() else float(self.sequencer.next_block_time))
        return min(due)

    def advance(self, limit: int = 50) -> int:
        """Does what is due, L1 first where both are, at most limit steps; returns how many it did.

        Raises NodeError where derivation cannot go on, or nothing can be written.
        """
        done = 0
        self._report_switches()
        with self._failures():
            while done < limit and not self._stopping:
                if self.l1.miner.is_due() and not self.is_l2_first():
                    self.mine_l1()
                elif self.sequencer.is_due():
                    self.build_l2()
                else:
                    break
                done += 1
        return done

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """What ends the node, as a NodeError."""
        try:
            yield
        except (Critical, StoreDamaged) as error:
            raise NodeError(str(error)) from error
        except StoreError as error:
            where = self.params.data_dir or "memory"
            raise NodeError(f"{where}: {error} (is the disk full?); everything announced is kept") from error

    def is_l2_first(self) -> bool:
        """An L2 block of an earlier time than the L1 block that is due goes first."""
        return self.sequencer.is_due() and self.sequencer.next_block_time < self.l1.miner.next_block_time

    def mine_l1(self) -> Block:
        """Mines an L1 block and lets everyone read it."""
        block = self.mine_l1_block()
        self.read_l1()
        return block

    def build_l2(self) -> Block | None:
        """Builds an L2 block; None while L1 must come first, which then mines, or does not answer."""
        try:
            return self.build_l2_block()
        except OriginMissing:
            self.mine_l1()
            return None

    def read_l1(self) -> None:
        """Derivation on both nodes, then the batcher and the proposer."""
        self.l2.derivation.sync()
        self.verifier.derivation.sync()
        self._verified_l1 = self.verifier.derivation.current_l1.number
        self.after_derivation()

    # ------------------------------------------------------------ one chain's steps
    def mine_l1_block(self) -> Block:
        """Mines an L1 block."""
        return self.l1.miner.mine()

    def build_l2_block(self) -> Block | None:
        """Builds an L2 block; None while L1 does not answer. Raises OriginMissing while L1 must come first."""
        started = time.perf_counter()
        if self.clock.now() < self.sequencer.next_block_time:
            # Instant blocks run ahead of the clock: it jumps, and L1 follows it.
            self.clock.advance(self.sequencer.next_block_time - self.clock.now())
        self.throttle.step()
        try:
            block = self.sequencer.build_block()
        except OriginMissing as error:
            self._wait("sequencer", str(error))
            raise
        except (Temporary, Reset) as error:
            self._wait("sequencer", str(error))
            return None
        signed = sum(not transaction.is_deposit for transaction in block.transactions)
        seconds = time.perf_counter() - started
        gas = sum(
            receipt.gas_used for receipt in self.l2.chain.receipts(block.hash) or [] if receipt.tx_type != DEPOSIT
        )
        self.on_event(L2BlockBuilt(block.number, block.hash, signed, gas, seconds))
        self._report_deposits(block)
        self._post()
        return block

    def begin_round(self) -> None:
        """Reports which actors were started or stopped since."""
        self._report_switches()

    def after_derivation(self) -> None:
        """Batcher, proposer and reports, after the sequencer's derivation has read all of L1."""
        self._post()  # first, so that a batch is reported before the safe head that it moved
        self._note_safe()
        self._report_safe()
        self._report_stalls()
        self._post()
        try:
            proposed = self.proposer.step()
        except (ProposalRefused, OutputUnavailable, Temporary) as error:
            self._wait("proposer", str(error))
        else:
            if proposed is not None:
                self.on_event(OutputProposed(proposed.l2_block, proposed.output_root, proposed.transaction_hash))

    def after_verification(self) -> None:
        """Reports, after the verifier has read all of L1."""
        self._verified_l1 = self.verifier.derivation.current_l1.number
        self._report_safe()

    def _post(self) -> None:
        for report in self.batcher.step():
            self.batches_posted += 1
            self.on_event(
                BatchPosted(
                    report.l1_block,
                    report.transaction_hash,
                    report.kind,
                    report.data_bytes,
                    report.blobs,
                    report.cost,
                    report.first_block,
                    report.last_block,
                    report.raw_bytes,
                    report.compressed_bytes,
                )
            )
        if self.batcher.waiting_for:
            self._wait("batcher", self.batcher.waiting_for)

    # ------------------------------------------------------------ running
    async def run(self, until_safe: int | None = None) -> None:
        """Acts until stopped, or until an L2 block is safe; raises NodeError."""
        run = self._run_virtually if isinstance(self.clock, ManualClock) else self._run_in_lanes
        self._running = asyncio.create_task(run(until_safe))
        try:
            await self._running
        except asyncio.CancelledError:
            if not self._stopping:
                raise

    async def _run_virtually(self, until_safe: int | None) -> None:
        while not self._stopping:
            await self.turns.change(lambda: self.advance(1))
            if self._is_safe(until_safe):
                return
            self.clock.advance(max(self.next_due() - self.clock.now(), 0))
            await asyncio.sleep(0)

    async def _run_in_lanes(self, until_safe: int | None) -> None:
        derivations = self.l2.derivation, self.verifier.derivation
        self._lanes = Lanes(self, self.l1.miner, self.sequencer, derivations, self.clock, self.turns)
        with self._failures():
            await self._lanes.run(lambda: self._is_safe(until_safe))

    def _is_safe(self, number: int | None) -> bool:
        """The block is safe on both nodes."""
        return number is not None and min(self.safe_head.number, self._verified()) >= number

    def run_until_safe(self, number: int) -> L2BlockRef:
        """The same for a virtual clock, without servers; returns the safe head. Raises NodeError."""
        if not isinstance(self.clock, ManualClock):
            raise NodeError("only a virtual clock can be run without waiting")
        while min(self.safe_head.number, self._verified()) < number:
            if not self.advance():
                self.clock.advance(max(self.next_due() - self.clock.now(), 0))
        return self.safe_head

    def stop(self) -> None:
        """Has run return at once. A step that is under way ends at its next check point: what it has written is whole,
        and the next start goes on from there, as after a kill."""
        self._stopping = True
        if self._running is not None:
            self._running.cancel()

    def wake(self) -> None:
        """Has run look at once whether something is due."""
        if self._lanes is not None:
            self._lanes.wake()

    def _verified(self) -> int:
        return self.verifier.derivation.safe_head.number

    # ------------------------------------------------------------ reporting
    def progress(self) -> ChainProgress:
        """Where the heads are now."""
        head, safe = self.l2.chain.head, self.l2.chain.safe
        return ChainProgress(
            now=self.clock.now(),
            l1_time=self.l1.chain.head.timestamp,
            l1_block_time=self.params.l1_block_time,
            l2_head=head.number,
            l2_time=head.timestamp,
            l2_block_time=self.params.l2_block_time,
            safe_head=safe.number,
            safe_time=safe.timestamp,
            is_sequencing=self.sequencer.is_active,
            is_batching=self.batcher.is_active,
        )

    def stalls(self) -> dict[str, str]:
        """What is behind now, by name, and what to do about it."""
        return stalls(self.progress())

    def is_verifier_equal(self) -> bool:
        """Both nodes have the same block at the lower of their safe heads."""
        number = min(self.l2.chain.safe.number, self.verifier.chain.safe.number)
        return self.l2.chain.canonical_hash(number) == self.verifier.chain.canonical_hash(number)

    def _on_head(self, layer: str, change: HeadChange) -> None:
        if change.removed:
            head = change.added[-1].number if change.added else change.removed[-1].number - 1
            self.on_event(Reorged(layer, len(change.removed), head))
        if layer == "L1":
            for block in change.added:
                fee = block.header.base_fee_per_gas or 0
                self.on_event(L1BlockMined(block.number, block.hash, len(block.transactions), fee))
                self._report_config(block)

    def _note_safe(self) -> None:
        """Notes that the safe head moved. While a move waits for the verifier, further ones wait behind it."""
        safe = self.safe_head
        if self._moved_to is not None:
            return
        if self._safe is not None and safe.number > self._safe.number:
            self._moved_to = safe, self.l2.derivation.current_l1.number
        self._safe = safe

    def _report_safe(self) -> None:
        """Reports the safe head that has moved, once the verifier has read L1 as far."""
        if self._moved_to is None:
            return
        (safe, l1_block), verified = self._moved_to, self.verifier.derivation.safe_head
        if verified.number < safe.number and self._verified_l1 < l1_block:
            return
        is_equal = verified.number >= safe.number and self.verifier.chain.canonical_hash(safe.number) == safe.hash
        self.on_event(SafeHeadMoved(safe.number, safe.hash, l1_block, verified.number, is_equal))
        self._moved_to = None

    def _report_switches(self) -> None:
        for actor, active in (("sequencer", self.sequencer.is_active), ("batcher", self.batcher.is_active)):
            if self._active.get(actor, True) != active:
                self.on_event(Switched(actor, active))
            self._active[actor] = active

    def _report_config(self, block: Block) -> None:
        address = self.devnet.rollup_config.l1_system_config_address
        for receipt in self.l1.chain.receipts(block.hash) or []:
            for log in receipt.logs:
                if log.address == address and len(log.topics) == 3 and log.topics[0] == CONFIG_UPDATE:
                    kind = int.from_bytes(log.topics[2], "big")
                    self.on_event(ConfigChanged(block.number, UPDATE_NAMES.get(kind, f"type {kind}")))

    def _report_stalls(self) -> None:
        """Says what is behind, once until it keeps its pace again."""
        found = self.stalls()
        for name in self._stalled - found.keys():
            self._stalled.discard(name)
        for name in found.keys() - self._stalled:
            self._stalled.add(name)
            self.on_event(Stalled(name, found[name]))

    def _report_deposits(self, block: Block) -> None:
        ref = l2_block_ref(self.devnet.rollup_config, block)
        if ref.sequence_number:
            return
        portal = self.devnet.rollup_config.deposit_contract_address
        origin = self.l1.chain.block(ref.l1_origin.hash)
        for index, receipt in enumerate(self.l1.chain.receipts(ref.l1_origin.hash) or []):
            found = user_deposits([receipt], ref.l1_origin.hash, portal)
            if not found or origin is None:
                continue
            l1_hash = origin.transactions[index].hash
            wanted = {(item.sender, item.to, item.mint, item.value, item.data) for item in found}
            for item in block.transactions[1:]:
                if item.is_deposit and (item.sender, item.to, item.mint, item.value, item.data) in wanted:
                    self.on_event(DepositIncluded(l1_hash, item.hash, item.sender, item.to, item.mint or 0, item.value))

    def _wait(self, actor: str, reason: str) -> None:
        """Says what an actor waits for, once until it changes."""
        if self._said.get(actor) != reason:
            self._said[actor] = reason
            self.on_event(Waiting(actor, reason))


# ---------------------------------------------------------------- pieces
def _open_l1(params: NodeParams, devnet: Devnet, store: Store, clock: SystemClock | ManualClock) -> L1Node:
    chain = _open_chain(params, "l1", store, devnet.l1)
    pool = Mempool(chain, devnet.l1_config, journal=store, now=clock.now)
    miner = MockL1(chain, devnet.l1_config, clock, pool, params.l1_block_time, seed=params.seed)
    return L1Node(chain, pool, miner, LocalL1Source(miner), LocalL1Client(miner))


def _open_store(data_dir: Path | None, name: str) -> Store:
    return MemoryStore() if data_dir is None else LmdbStore.open(data_dir / name)


def _open_derived(
    params: NodeParams, name: str, store: Store, devnet: Devnet, l1: L1Node
) -> tuple[Chain, WentBack | None]:
    """An L2 chain of the data directory; where its states are gone it is derived again (rollup/recovery.py)."""

    def derivation_of(chain: Chain) -> Verifier:
        return Verifier(devnet.rollup_config, l1.source, l1.source, Engine(chain, devnet.l2_config))

    try:
        return open_derived(
            "L2" if name == "l2" else name,
            lambda needs_state: _open_chain(params, name, store, devnet.l2, needs_state),
            derivation_of,
        )
    except Critical as error:
        raise NodeError(str(error)) from error


def _open_chain(params: NodeParams, name: str, store: Store, genesis: LayerGenesis, needs_state: bool = True) -> Chain:
    history = None if params.archive else _HISTORY
    try:
        return Chain.open(store, genesis.header, genesis.alloc, history, needs_state=needs_state)
    except StoreError as error:
        where = f"{params.data_dir / name}: " if params.data_dir is not None else ""
        raise NodeError(f"{where}{error}") from error


def _devnet_params(params: NodeParams) -> DevnetParams:
    genesis_time = params.genesis_time if params.genesis_time is not None else _default_genesis_time(params)
    return DevnetParams(
        genesis_time=genesis_time,
        forks=ForkSchedule.parse(params.forks, genesis_time),
        l1_forks=parse_l1_forks(params.l1_forks, genesis_time),
        l1_block_time=params.l1_block_time,
        l2_block_time=params.l2_block_time,
        l1_chain_id=params.l1_chain_id,
        l2_chain_id=params.l2_chain_id,
        attribution=params.attribution,
        attribution_time=params.attribution_time,
        operator_fee_scalar=params.operator_fee_scalar,
        operator_fee_constant=params.operator_fee_constant,
    )


def _resumed(params: NodeParams) -> NodeParams:
    """The parameters with the data directory's genesis time; raises DataDirectoryError for another chain's."""
    if params.data_dir is None:
        return params
    chosen = {name: getattr(params, name) for name in CHAIN_FIELDS}
    return replace(params, **begin_or_resume(params.data_dir, chosen, _default_genesis_time(params)))


def _default_genesis_time(params: NodeParams) -> int:
    """A block time ago: the first block is due at once."""
    return int(time.time()) - params.l2_block_time


__all__ = ["Node", "NodeError", "NodeParams"]
