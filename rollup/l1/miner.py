"""The mock L1: a real EVM chain whose blocks are built on demand, one per slot, from a pool that takes blobs.

It is both halves of an Ethereum node: the execution chain (rollup.execution with L1's rules), and the visible part of
the beacon chain (slots, prevRandao, beacon roots, blob sidecars, safe and finalized blocks).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from rollup.clock import Clock
from rollup.execution.block_builder import BlockBuilder, BlockContext, l1_context
from rollup.execution.block_context import BlockOverrides
from rollup.execution.block_filling import BlockFilling
from rollup.execution.chain import Chain, HeadChange
from rollup.execution.config import L1Config
from rollup.execution.errors import InvalidTransaction
from rollup.l1.archive import L1Archive
from rollup.l1.pool_blobs import PoolBlobs
from rollup.l1.sidecar import BlobSidecar, SidecarError, is_blob_transaction, unwrap
from rollup.l1.slots import BeaconSeed, SlotGrid
from rollup.pool.errors import PoolError
from rollup.pool.mempool import Mempool
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.primitives import Address, Hash, keccak256
from rollup.protocol.transaction import Transaction, TransactionError

DEFAULT_BLOCK_TIME = 12  # seconds
_FEE_RECIPIENT: Address = keccak256(b"openrollup l1 fee recipient")[12:]
_EXTRA_DATA = b"openrollup l1"
_GAS_LIMIT_BOUND_DIVISOR = 1024  # a block's limit may differ from its parent's by less than this part


class ReorgError(ValueError):
    """A reorg that L1 does not make: below its finalized block, or with transactions that cannot run."""


@dataclass(slots=True, frozen=True)
class FinalityLag:
    """The distance of the safe and the finalized block from the head, in blocks. On Ethereum it is 32 to 64 and 64 to
    96 slots. With the defaults L2 becomes final within two minutes, and reorgs of some depth are still possible.
    """

    safe: int = 2
    finalized: int = 8

    def __post_init__(self) -> None:
        if not 0 <= self.safe <= self.finalized:
            raise ValueError(
                f"the finalized block (lag {self.finalized}) cannot be ahead of the safe (lag {self.safe})"
            )


@dataclass(slots=True, frozen=True)
class NextBlock:
    """A developer's settings for the next block alone: a slot's time, base fee in wei, prevRandao, gas limit."""

    timestamp: int | None = None
    base_fee: int | None = None
    prev_randao: Hash | None = None
    gas_limit: int | None = None

    def changed(self, context: BlockContext) -> BlockContext:
        """The context of the block with these settings."""
        return context.overridden(
            BlockOverrides(base_fee=self.base_fee, prev_randao=self.prev_randao, gas_limit=self.gas_limit)
        )


@dataclass(slots=True, frozen=True)
class MinerSnapshot:
    """A miner's state, without its chain and its pool."""

    seed: BeaconSeed
    gas_limit: int
    coinbase: Address
    loose_blobs: list[tuple[Hash, bytes]]
    next_block: NextBlock
    interval: int | None
    on_demand: bool


class MockL1:
    """An L1 node in process. Not thread-safe: all verbs from one thread."""

    def __init__(
        self,
        chain: Chain,
        config: L1Config,
        clock: Clock,
        pool: Mempool,
        block_time: int = DEFAULT_BLOCK_TIME,
        *,
        seed: int = 0,
        finality: FinalityLag | None = None,
        coinbase: Address = _FEE_RECIPIENT,
        seconds: Callable[[], float] | None = None,
    ) -> None:
        """block_time in seconds; pool must allow blobs. Raises ValueError for a block time below one second.

        seconds: any clock; with one, the pool's transactions have a limited time (block_filling.py).
        """
        self.chain = chain
        self.config = config
        self.clock = clock
        self.pool = pool
        self.archive = L1Archive(chain.store)
        self.slots = SlotGrid(chain.genesis.timestamp, block_time)
        self.finality = finality or FinalityLag()
        self.coinbase = coinbase
        self.gas_limit = chain.head.header.gas_limit  # the next blocks' gas limit moves towards this
        self.seconds = seconds
        self.on_demand = False  # blocks come only when mine is called, and none is ever due
        self.next_block = NextBlock()
        self.interval: int | None = None  # seconds between blocks, where slots are to be skipped
        self._filling = BlockFilling(pool)
        self._seed = BeaconSeed(seed, self.archive.branch())
        self.archive.add_block(0, chain.genesis.hash)
        self._blobs = PoolBlobs(pool, self.archive)
        self._move_labels()

    @property
    def block_time(self) -> int:
        """Seconds per slot."""
        return self.slots.seconds_per_slot

    @property
    def next_block_time(self) -> int:
        """The time of the next block in seconds: the first slot after the head, or after the interval, or that of
        set_next_time.
        """
        head = self.chain.head.timestamp
        first = (
            self.slots.next_time(head) if self.interval is None else self.slots.first_time_from(head + self.interval)
        )
        wanted = self.next_block.timestamp
        return max(wanted, self.slots.next_time(head)) if wanted is not None else first

    def set_next_time(self, timestamp: int) -> None:
        """Skips the slots before a slot's time, in seconds, for the next block; raises SlotError for another time."""
        self.next_block = replace(self.next_block, timestamp=self.slots.check(timestamp, self.chain.head.timestamp))

    def is_due(self) -> bool:
        """True when the next slot has begun by the clock, unless blocks come only on demand."""
        return not self.on_demand and self.clock.now() >= self.next_block_time

    def send_raw_transaction(self, raw: bytes) -> Hash:
        """Takes in EIP-2718 bytes, a blob transaction in either network form; raises PoolError with geth's text."""
        if not is_blob_transaction(raw):
            return self.pool.add(raw)
        try:
            transaction, sidecar = unwrap(raw)
        except (SidecarError, TransactionError) as error:
            raise PoolError(str(error)) from error
        return self.send_with_sidecar(transaction, sidecar)

    def send_with_sidecar(self, transaction: Transaction, sidecar: BlobSidecar) -> Hash:
        """Takes in a blob transaction with its blobs; raises PoolError.

        The commitments must be the blobs': unwrap has verified those that come from outside, and make_sidecar has
        computed the node's own.
        """
        return self._blobs.send(transaction, sidecar)

    def mine(self, timestamp: int | None = None) -> Block:
        """Builds a block on the head from the pool and makes it the head.

        timestamp: a slot's time in seconds, next_block_time by default; raises SlotError for another.
        """
        return self._mine(timestamp, self._take_from_pool)

    @property
    def has_slow_transactions(self) -> bool:
        """Whether the pool has transactions that are executed ahead."""
        return self._filling.has_slow_transactions

    def execute_ahead(self) -> bool:
        """Executes one of the pool's slow transactions for a later block. Returns False if there is nothing to do.

        It changes no chain and may run while a block is mined (rollup/execution/block_filling.py).
        """
        if self.seconds is None:
            return False
        return self._filling.execute_ahead(self._builder_ahead, self.seconds, lambda: not self.is_due())

    def _builder_ahead(self, last: BlockContext, distance: int) -> BlockBuilder:
        """A builder for the block that many slots after the head."""
        head = self.chain.head
        context = self.context_on(head, head.timestamp + distance * self.block_time)
        number = head.number + distance
        context = replace(context, number=number, prev_randao=self._seed.prev_randao(number))
        return BlockBuilder(self.config, context, self.chain.states, self.block_hashes_from(head), ahead=True)

    def mine_empty(self, timestamp: int | None = None) -> Block:
        """Builds a block without the pool's transactions."""
        return self._mine(timestamp, lambda builder: None)

    def finalize(self) -> None:
        """Makes the head safe and final at once."""
        head = self.chain.head.hash
        self.chain.set_labels(head, head)

    def reorg(self, depth: int, blocks: Sequence[Sequence[bytes | Transaction]] | None = None) -> HeadChange:
        """Replaces the newest blocks by others and makes the last of those the head.

        depth: how many go. blocks: the transactions of each new block in order, raw ones or those of old blocks; by
        default as many empty blocks as went; an empty list only goes back. A blob transaction is in network form or,
        when L1 has seen its blobs, without them. What was in the old blocks and is not in the new returns to the pool.
        Raises ReorgError with nothing changed.
        """
        parent = _ancestor(self.chain, depth)
        before = self._seed
        try:
            contents = [self._decoded(raws) for raws in (blocks if blocks is not None else [()] * depth)]
            self._seed = BeaconSeed(before.seed, before.branch + 1)
            for transactions in contents:
                parent = self._build(parent, self.slots.next_time(parent.timestamp), _exactly(transactions))
        except ReorgError:
            self._seed = before
            self._blobs.drop_unused()
            raise
        self.archive.set_branch(self._seed.branch)
        return self._adopt(parent)

    def blobs_of(self, block: Block) -> list[Hash]:
        """The versioned hashes of a block's blobs, in their order in the block: a blob's place is its index."""
        return [item for transaction in block.transactions for item in transaction.blob_versioned_hashes]

    # ------------------------------------------------------------ snapshots
    def capture(self) -> MinerSnapshot:
        """The state that decides the next blocks, without the chain and the pool."""
        blobs = self.archive.loose_blobs()
        return MinerSnapshot(
            self._seed, self.gas_limit, self.coinbase, blobs, self.next_block, self.interval, self.on_demand
        )

    def restore(self, snapshot: MinerSnapshot) -> None:
        """Restores what capture returned. Restore chain and pool first."""
        self._seed, self.gas_limit, self.coinbase = snapshot.seed, snapshot.gas_limit, snapshot.coinbase
        self.next_block, self.interval, self.on_demand = snapshot.next_block, snapshot.interval, snapshot.on_demand
        self.archive.set_branch(self._seed.branch)
        self.archive.put_back(snapshot.loose_blobs)
        self._blobs.drop_unused()

    # ------------------------------------------------------------ inside
    def _mine(self, timestamp: int | None, fill: Callable[[BlockBuilder], None]) -> Block:
        parent = self.chain.head
        time = self.next_block_time if timestamp is None else self.slots.check(timestamp, parent.timestamp)
        block = self._build(parent, time, fill, self.next_block)
        self.next_block = NextBlock()
        self._adopt(block)
        return block

    def _decoded(self, raws: Iterable[bytes | Transaction]) -> list[Transaction]:
        """Decodes transactions and stores the blobs that came with them. Raises ReorgError."""
        try:
            return [raw if isinstance(raw, Transaction) else self._blobs.decode(raw) for raw in raws]
        except (SidecarError, TransactionError) as error:
            raise ReorgError(f"replacement transaction: {error}") from error

    def context_on(self, parent: Block, timestamp: int) -> BlockContext:
        """The context of the block after a parent; timestamp in seconds."""
        number = parent.number + 1
        return l1_context(
            self.config,
            parent.header,
            timestamp,
            self.coinbase,
            self._next_gas_limit(parent.header),
            _EXTRA_DATA,
            self._seed.prev_randao(number),
            self._seed.beacon_root(number),
            parent.hash,
        )

    def block_hashes_from(self, parent: Block) -> Callable[[int], Hash | None]:
        """The hashes that BLOCKHASH sees in the block after a parent, which need not be canonical."""

        def block_hash(number: int) -> Hash | None:
            block: Block | None = parent
            while block is not None and block.number > number:
                if self.chain.is_canonical(block.hash):
                    return self.chain.canonical_hash(number)
                block = self.chain.block(block.header.parent_hash)
            return block.hash if block is not None and block.number == number else None

        return block_hash

    def _build(
        self,
        parent: Block,
        timestamp: int,
        fill: Callable[[BlockBuilder], None],
        chosen: NextBlock = NextBlock(),
    ) -> Block:
        """Executes and stores a block without making it canonical."""
        context = chosen.changed(self.context_on(parent, timestamp))
        builder = BlockBuilder(self.config, context, self.chain.states, self.block_hashes_from(parent))
        builder.begin()
        fill(builder)
        sealed = builder.seal()
        block = sealed.executed.block
        self.archive.add_block(self.slots.slot_at(timestamp), block.hash)
        for transaction in block.transactions:
            self.archive.keep(transaction.blob_versioned_hashes)
        self.chain.insert(sealed.executed, sealed.staged)
        return block

    def _take_from_pool(self, builder: BlockBuilder) -> None:
        self._filling.fill(builder, lambda: self._blobs.pending(builder.context.base_fee), self.seconds)

    def _adopt(self, block: Block) -> HeadChange:
        change = self.chain.set_head(block.hash)
        self.next_block = replace(self.next_block, timestamp=None)
        self._move_labels()
        return change

    def _move_labels(self) -> None:
        """Safe and finalized follow the head and never go back, except for safe in a reorg."""
        head = self.chain.head.number
        safe = max(head - self.finality.safe, self.chain.finalized.number)
        finalized = max(head - self.finality.finalized, self.chain.finalized.number)
        self.chain.set_labels(self.chain.canonical_hash(safe), self.chain.canonical_hash(finalized))

    def _next_gas_limit(self, parent: Header) -> int:
        step = parent.gas_limit // _GAS_LIMIT_BOUND_DIVISOR - 1
        return min(max(self.gas_limit, parent.gas_limit - step), parent.gas_limit + step)


def _ancestor(chain: Chain, depth: int) -> Block:
    """The block that a reorg of this depth builds on; raises ReorgError."""
    head = chain.head
    finalized = chain.finalized.number
    if depth < 1:
        raise ReorgError(f"a reorg replaces at least one block, got a depth of {depth}")
    if head.number - depth < finalized:
        raise ReorgError(
            f"a reorg of depth {depth} from block {head.number} would remove block {finalized}, which is finalized"
        )
    ancestor = chain.block_by_number(head.number - depth)
    if ancestor is None:
        raise ReorgError(f"block {head.number - depth} is not in the chain")
    return ancestor


def _exactly(transactions: Sequence[Transaction]) -> Callable[[BlockBuilder], None]:
    def fill(builder: BlockBuilder) -> None:
        for transaction in transactions:
            try:
                builder.apply(transaction)
            except (InvalidTransaction, TransactionError) as error:
                raise ReorgError(f"replacement transaction 0x{transaction.hash.hex()}: {error}") from error

    return fill
