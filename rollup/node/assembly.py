"""Makes the actors of a node and connects them.

`assemble` makes a whole node. `open_store`, `open_chain`, `open_l1`, `open_engine` and `open_l2` make its parts. The
commands, tests and benchmarks that need only some of them use the same functions.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from derivation.driver import Verifier
from derivation.errors import Critical
from derivation.sources import BlobSource, L1Source
from rollup.clock import Clock, ManualClock, SystemClock
from rollup.events import EventLog, Recovering, WentBack
from rollup.execution.chain import Chain, OtherGenesis
from rollup.execution.config import L2Config
from rollup.execution.engine import Engine
from rollup.execution.state.changes import GenesisEntry
from rollup.l1 import contracts
from rollup.l1.client import LocalL1Client
from rollup.l1.devnet import Devnet, LayerGenesis
from rollup.l1.miner import FinalityLag, MockL1
from rollup.l1.source import LocalL1Source
from rollup.node.actors import Actors, L1Node, L2Node
from rollup.node.params import HISTORY, NodeError, NodeParams
from rollup.patches import Patches
from rollup.pool.costs import l2_extra_cost
from rollup.pool.limits import PoolLimits
from rollup.pool.mempool import Mempool
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.header import Header
from rollup.protocol.primitives import Address
from rollup.recovery import open_derived
from rollup.store.kv import LmdbStore, MemoryStore, Store, StoreError
from sequencer.batcher.batcher import Batcher
from sequencer.batcher.config import BatcherConfig
from sequencer.batcher.throttle import Throttle, ThrottleConfig
from sequencer.proposer import Proposer
from sequencer.sequencer import Sequencer

Seconds = Callable[[], float]


# ---------------------------------------------------------------- parts
def open_store(folder: Path | None) -> Store:
    """The store in a folder, or one in memory; raises StoreError."""
    return MemoryStore() if folder is None else LmdbStore.open(folder)


def open_chain(
    folder: Path | None, header: Header, alloc: Mapping[Address, GenesisEntry], history: int | None = HISTORY
) -> tuple[Store, Chain]:
    """The store in a folder, or one in memory, with its chain; raises what `open_store` and `Chain.open` raise.

    Where the chain cannot be opened, the store is closed again.
    """
    with ExitStack() as opened:
        store = open_store(folder)
        opened.callback(store.close)
        chain = Chain.open(store, header, alloc, history)
        opened.pop_all()
    return store, chain


def open_l1(
    chain: Chain,
    devnet: Devnet,
    clock: Clock,
    *,
    seed: int = 0,
    finality: FinalityLag | None = None,
    seconds: Seconds | None = None,
) -> L1Node:
    """The mock L1 on a chain. seconds: a clock that limits the time of pool transactions in a block."""
    pool = Mempool(chain, devnet.l1_config, journal=chain.store, now=clock.now)
    block_time = devnet.params.l1_block_time
    miner = MockL1(chain, devnet.l1_config, clock, pool, block_time, seed=seed, finality=finality, seconds=seconds)
    return L1Node(chain, pool, miner, LocalL1Source(miner), LocalL1Client(miner))


def open_engine(
    chain: Chain, config: L2Config, now: Seconds, seconds: Seconds | None = None, limits: PoolLimits | None = None
) -> tuple[Engine, Mempool]:
    """An engine that takes transactions, and its pool. now: the node's clock; seconds: as for open_l1."""
    pool = Mempool(chain, config, l2_extra_cost(config), limits=limits, journal=chain.store, now=now)
    return Engine(chain, config, pool, seconds), pool


def open_l2(
    chain: Chain,
    config: L2Config,
    rollup_config: RollupConfig,
    l1: L1Source,
    blobs: BlobSource,
    *,
    now: Seconds | None = None,
    seconds: Seconds | None = None,
    limits: PoolLimits | None = None,
) -> L2Node:
    """An L2 chain that is derived from an L1. With now, the node's clock, it has a pool of these limits."""
    pool = None
    if now is None:
        engine = Engine(chain, config)
    else:
        engine, pool = open_engine(chain, config, now, seconds, limits)
    return L2Node(chain, engine, Verifier(rollup_config, l1, blobs, engine), pool)


# ---------------------------------------------------------------- a whole node
def assemble(
    params: NodeParams, devnet: Devnet, stores: tuple[Store, Store, Store], events: EventLog, patches: Patches
) -> Actors:
    """All actors on the stores of L1, L2 and verifier; raises NodeError where a chain cannot be opened."""
    devnet = _patched(devnet, patches)
    clock = ManualClock(devnet.params.genesis_time) if params.virtual_clock else SystemClock()
    seconds = None if params.virtual_clock else time.monotonic
    l1_chain = _open_chain(params, "l1", stores[0], devnet.l1)
    l1 = open_l1(l1_chain, devnet, clock, seed=params.seed, seconds=seconds)
    chain, back = _open_derived(params, "l2", stores[1], devnet, l1, events)
    verifier_chain, verifier_back = _open_derived(params, "verifier", stores[2], devnet, l1, events)
    config, l2_config, source = devnet.rollup_config, devnet.l2_config, l1.source
    limits = PoolLimits(total=params.pool_limit, account_pending=params.pool_sender_limit)
    l2 = open_l2(chain, l2_config, config, source, source, now=clock.now, seconds=seconds, limits=limits)
    batcher = _batcher(params, devnet, l1, l2)
    return Actors(
        devnet=devnet,
        clock=clock,
        l1=l1,
        l2=l2,
        verifier=open_l2(verifier_chain, l2_config, config, source, source),
        sequencer=Sequencer(config, l2.engine, source, clock, pool=l2.pool, instant=params.instant),
        batcher=batcher,
        proposer=_proposer(params, devnet, l1, l2),
        throttle=_throttle(params, l2, batcher),
        patches=patches,
        posts=params.posts,
        verifies=params.verifier,
        recoveries=[item for item in (back, verifier_back) if item is not None],
    )


def _patched(devnet: Devnet, patches: Patches) -> Devnet:
    """The devnet with configs that apply the patches; sequencer and verifier share the L2's."""
    return replace(
        devnet,
        l1_config=replace(devnet.l1_config, irregular=(patches.layers["l1"],)),
        l2_config=replace(devnet.l2_config, irregular=(patches.layers["l2"],)),
    )


def _batcher(params: NodeParams, devnet: Devnet, l1: L1Node, l2: L2Node) -> Batcher:
    options = BatcherConfig(
        da="auto" if params.da == "none" else params.da,
        batch_type=params.batch_type,
        compression=params.compression,
        follow_depth=l1.miner.finality.finalized + 1,  # from then on L1 cannot drop what it included
    )
    key = devnet.params.batcher.private_key
    batcher = Batcher(devnet.rollup_config, l2.chain, l1.client, key, l2.derivation, options)
    if not params.posts:
        batcher.stop()
    return batcher


def _throttle(params: NodeParams, l2: L2Node, batcher: Batcher) -> Throttle:
    return Throttle(
        ThrottleConfig.scaled(params.throttle_threshold),
        l2.engine,
        safe_number=lambda: l2.derivation.safe_head.number,
        is_batching=lambda: batcher.is_active,
    )


def _proposer(params: NodeParams, devnet: Devnet, l1: L1Node, l2: L2Node) -> Proposer:
    proposer = Proposer(
        devnet.rollup_config,
        l2.chain,
        l1.client,
        devnet.params.proposer.private_key,
        contracts.L2_OUTPUT_ORACLE,
        proposable_head=lambda: l2.derivation.safe_head,
    )
    if not (params.proposer and params.posts):
        proposer.stop()
    return proposer


def _open_derived(
    params: NodeParams, name: str, store: Store, devnet: Devnet, l1: L1Node, events: EventLog
) -> tuple[Chain, WentBack | None]:
    """An L2 chain of the data directory; where its states are gone it is derived again (rollup/recovery.py)."""
    shown = "L2" if name == "l2" else name

    def on_progress(reading: L1BlockRef, safe: L2BlockRef) -> None:
        events.publish(Recovering(shown, reading.number, l1.chain.head.number, safe.number))

    def derivation_of(chain: Chain) -> Verifier:
        return open_l2(chain, devnet.l2_config, devnet.rollup_config, l1.source, l1.source).derivation

    try:
        return open_derived(
            shown,
            lambda needs_state: _open_chain(params, name, store, devnet.l2, needs_state),
            derivation_of,
            on_progress,
        )
    except Critical as error:
        raise NodeError(str(error)) from error


def _open_chain(params: NodeParams, name: str, store: Store, genesis: LayerGenesis, needs_state: bool = True) -> Chain:
    try:
        return Chain.open(store, genesis.header, genesis.alloc, params.history, needs_state=needs_state)
    except StoreError as error:
        where = f"{params.data_dir / name}: " if params.data_dir is not None else ""
        advice = (  # openrollup.json has the same parameters
            "; if another version of openrollup began it, run that version, or begin a new chain in another --data-dir"
        )
        raise NodeError(f"{where}{error}{advice if isinstance(error, OtherGenesis) else ''}") from error
