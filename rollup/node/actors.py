"""The actors of a node: two layers, the sequencer's helpers, a verifier, and the clock they share."""

from dataclasses import dataclass, field

from derivation.driver import Verifier
from rollup.clock import ManualClock, SystemClock
from rollup.events import WentBack
from rollup.execution.chain import Chain
from rollup.execution.engine import Engine
from rollup.l1.client import LocalL1Client
from rollup.l1.devnet import Devnet
from rollup.l1.miner import MockL1
from rollup.l1.source import LocalL1Source
from rollup.patches import Patches
from rollup.pool.mempool import Mempool
from sequencer.batcher.batcher import Batcher
from sequencer.batcher.throttle import Throttle
from sequencer.proposer import Proposer
from sequencer.sequencer import Sequencer


@dataclass(slots=True)
class L1Node:
    """The mock L1 and its pool; source and client are how the L2 reads it and sends to it."""

    chain: Chain
    pool: Mempool
    miner: MockL1
    source: LocalL1Source
    client: LocalL1Client


@dataclass(slots=True)
class L2Node:
    """An L2 chain with its engine and its derivation. The sequencer's has a pool."""

    chain: Chain
    engine: Engine
    derivation: Verifier
    pool: Mempool | None = None


@dataclass(slots=True)
class Actors:
    """Every actor of a node. l2 is the sequencer's node, verifier derives the same chain from L1 alone."""

    devnet: Devnet
    clock: SystemClock | ManualClock
    l1: L1Node
    l2: L2Node
    verifier: L2Node
    sequencer: Sequencer
    batcher: Batcher
    proposer: Proposer
    throttle: Throttle
    patches: Patches
    posts: bool = True  # False: nobody expects the safe head to move
    verifies: bool = True  # False: the verifier stays where it is, and nothing is compared with it
    recoveries: list[WentBack] = field(default_factory=list)  # what this start had to do for chains without states
