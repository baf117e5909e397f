"""A view of a node at one moment, for the first screen, `/metrics`, `/health`, pages and tests."""

from collections.abc import Mapping
from dataclasses import dataclass

from rollup.events import BatchPosted
from rollup.execution.chain import Chain
from rollup.node.actors import Actors
from rollup.pool.mempool import Mempool
from rollup.protocol.block import Block
from rollup.protocol.primitives import Hash
from rollup.stalls import ChainProgress, stalls


@dataclass(slots=True, frozen=True)
class BlockView:
    """A block: number, hash and time in Unix seconds."""

    number: int
    hash: Hash
    timestamp: int


@dataclass(slots=True, frozen=True)
class Heads:
    """The three heads of a chain. On L1 unsafe is the newest block."""

    unsafe: BlockView
    safe: BlockView
    finalized: BlockView


@dataclass(slots=True, frozen=True)
class PoolCounts:
    """How many transactions of a pool can run, and how many wait behind a nonce gap."""

    pending: int
    queued: int


@dataclass(slots=True, frozen=True)
class NodeView:
    """A node at one moment. It is a copy: nothing in it changes when the node does.

    chains and pools are by name: l1, l2, verifier. waiting_for has the actors that wait now, and what for. is_active
    has the actors that can be stopped. l1_read is the L1 block that a derivation is at, by name: l2, verifier.
    """

    now: float  # Unix seconds by the node's clock
    chains: Mapping[str, Heads]
    pools: Mapping[str, PoolCounts]
    l1_read: Mapping[str, int]
    next_l1_time: int  # Unix seconds
    next_l2_time: int
    is_active: Mapping[str, bool]
    waiting_for: Mapping[str, str]
    last_batches: tuple[BatchPosted, ...]  # newest last
    batches_posted: int
    unsafe_da_bytes: int  # compressed, by Fjord's estimate, as of the newest block's building
    followed_transactions: int  # L1 transactions that the batcher may have to send again
    is_verifier_equal: bool | None  # as of the function of this name
    progress: ChainProgress

    @property
    def stalls(self) -> dict[str, str]:
        """The parts of the node that have fallen behind, by name, each with a text that says what to do about it."""
        return stalls(self.progress)


def view_of(actors: Actors, waiting: Mapping[str, str], batches: tuple[BatchPosted, ...], count: int) -> NodeView:
    """A node's actors now. waiting: what actors wait for; batches: the last ones of `count` that were posted."""
    l2, verifier = actors.l2.derivation, actors.verifier.derivation
    derivations = {"derivation": l2.waiting_for, "verifier": verifier.waiting_for}
    return NodeView(
        now=actors.clock.now(),
        chains={
            "l1": _heads(actors.l1.chain),
            "l2": _heads(actors.l2.chain),
            "verifier": _heads(actors.verifier.chain),
        },
        pools={
            name: _counts(pool) for name, pool in (("l1", actors.l1.pool), ("l2", actors.l2.pool)) if pool is not None
        },
        l1_read={"l2": l2.current_l1.number, "verifier": verifier.current_l1.number},
        next_l1_time=actors.l1.miner.next_block_time,
        next_l2_time=actors.sequencer.next_block_time,
        is_active={
            "sequencer": actors.sequencer.is_active,
            "batcher": actors.batcher.is_active,
            "proposer": actors.proposer.is_active,
        },
        waiting_for={**waiting, **{name: reason for name, reason in derivations.items() if reason}},
        last_batches=batches,
        batches_posted=count,
        unsafe_da_bytes=actors.throttle.backlog,
        followed_transactions=actors.batcher.followed,
        is_verifier_equal=is_verifier_equal(actors),
        progress=progress_of(actors),
    )


def progress_of(actors: Actors) -> ChainProgress:
    """Where the heads are now, for the decision whether something is behind."""
    head, safe = actors.l2.chain.head, actors.l2.chain.safe
    return ChainProgress(
        now=actors.clock.now(),
        l1_time=actors.l1.chain.head.timestamp,
        l1_block_time=actors.devnet.params.l1_block_time,
        l2_head=head.number,
        l2_time=head.timestamp,
        l2_block_time=actors.devnet.params.l2_block_time,
        safe_head=safe.number,
        safe_time=safe.timestamp,
        is_sequencing=actors.sequencer.is_active and not actors.sequencer.on_demand,
        is_batching=actors.batcher.is_active,
        posts=actors.posts,
    )


def is_verifier_equal(actors: Actors) -> bool | None:
    """Whether both nodes have the same block at the lower of their safe heads. None without a verifier."""
    if not actors.verifies:
        return None
    chain, other = actors.l2.chain, actors.verifier.chain
    number = min(chain.safe.number, other.safe.number)
    return chain.canonical_hash(number) == other.canonical_hash(number)


def _heads(chain: Chain) -> Heads:
    return Heads(_block(chain.head), _block(chain.safe), _block(chain.finalized))


def _block(block: Block) -> BlockView:
    return BlockView(block.number, block.hash, block.timestamp)


def _counts(pool: Mempool) -> PoolCounts:
    return PoolCounts(*pool.counts())
