"""The sequencer: builds an L2 block every block time, on an L1 origin of its choice.

It drives the engine by the calls op-node makes: forkchoice with attributes, get payload, new payload, forkchoice.
Where many transactions wait, the engine takes them into the next block before its time (`fill_ahead`). Then the block's
attributes, and with them its L1 origin, are those of the moment at which that began, as with op-node.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from derivation.attributes import prepare_payload_attributes
from derivation.errors import Critical, NotFound, Reset, Temporary
from derivation.sources import L1Source
from rollup.clock import Clock
from rollup.execution.block_context import InvalidPayloadAttributes, l2_base_fee
from rollup.execution.engine import Engine, ForkchoiceResult, InvalidForkchoiceState, TooDeepReorg
from rollup.pool.mempool import Mempool
from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.l2_blocks import l2_block_ref, system_config_of_block
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import Hash
from rollup.protocol.upgrades import has_upgrade_transactions
from sequencer.origin_selector import OriginMissing, OriginReorged, OriginSelector

_MANY = 100  # transactions for which a block is filled before its time
_PART_SECONDS = 0.05  # of filling before a block's time, between which derivation and engine_ methods have their turn


class SequencerStopped(Exception):
    """A block was asked for while the sequencer is stopped."""


class SequencerStartError(ValueError):
    """The sequencer cannot start: it runs already, or the head is another than the caller thinks."""


@dataclass(slots=True)
class _OpenBlock:
    """A block that is filled before its time. arrivals: of the pool's transactions, how many it has looked at."""

    parent: L2BlockRef
    origin: L1BlockRef
    attributes: PayloadAttributes
    arrivals: int = 0
    has_more: bool = True


class Sequencer:
    """Builds blocks on the engine's head.

    instant: a block is also due as soon as the pool has something to run. Block times stay on the grid, so the chain
    then runs ahead of the clock, without a bound. The sequencer drift bounds it against L1 only.
    """

    def __init__(
        self,
        config: RollupConfig,
        engine: Engine,
        l1: L1Source,
        clock: Clock,
        *,
        pool: Mempool | None = None,
        confirmation_depth: int = 0,
        instant: bool = False,
        active: bool = True,
    ) -> None:
        self._config = config
        self._engine = engine
        self._l1 = l1
        self._clock = clock
        self._pool = pool
        self.origins = OriginSelector(config, l1, confirmation_depth)
        self.instant = instant
        self.on_demand = False  # blocks come only when build_block is called, and none is ever due
        self._active = active
        self._open: _OpenBlock | None = None
        self._not_opened_on: Hash | None = None  # the head on which the next block could not be begun before its time

    @property
    def is_active(self) -> bool:
        """False while stopped."""
        return self._active

    @property
    def unsafe_head(self) -> L2BlockRef:
        """The block the next one is built on."""
        return l2_block_ref(self._config, self._engine.chain.head)

    @property
    def next_block_time(self) -> int:
        """Seconds: the timestamp of the next block."""
        # spec: epoch.block-every-block-time
        return self._engine.chain.head.timestamp + self._config.block_time

    def is_due(self) -> bool:
        """True when the next block is to be built now."""
        if not self._active or self.on_demand:
            return False
        if self._clock.now() >= self.next_block_time:
            return True
        return self.instant and self._pool is not None and self._takes_at_once(self._pool.has_pending)

    def is_due_for(self, hashes: Sequence[Hash]) -> bool:
        """True when a block is to be built now because the pool has one of these transactions, which can run."""
        pool = self._pool
        if pool is None or not self._active or self.on_demand or not self.instant:
            return False
        if all(pool.get(tx_hash) is None for tx_hash in hashes):
            return False
        return self._takes_at_once(lambda base_fee: pool.has_pending(base_fee, hashes))

    def start(self, head: Hash | None = None) -> None:
        """Starts building; with a hash only if it is the head's (op-node's admin_startSequencer)."""
        if self._active:
            raise SequencerStartError("sequencer already running")
        current = self._engine.chain.head.hash
        if head is not None and head != current:
            raise SequencerStartError(f"block hash does not match: head 0x{current.hex()}, received 0x{head.hex()}")
        self._active = True

    def stop(self) -> Hash:
        """Stops building; returns the hash of the unsafe head."""
        self._active = False
        return self._engine.chain.head.hash

    def capture(self) -> tuple[bool, bool, bool]:
        """Whether it is started, and when its blocks are due; everything else is in the chain."""
        return self._active, self.instant, self.on_demand

    def restore(self, state: tuple[bool, bool, bool]) -> None:
        """Takes up what capture returned."""
        self._active, self.instant, self.on_demand = state

    @property
    def fills_ahead(self) -> bool:
        """Whether the next block is to be filled now, before its time."""
        pool = self._pool
        if pool is None or len(pool) < _MANY or not self._active or self.on_demand or self.instant:
            return False
        head, opened = self._engine.chain.head.hash, self._open
        if opened is None or opened.parent.hash != head:
            return self._not_opened_on != head
        # The more the pool holds, the longer it takes to look through it.
        return opened.has_more or pool.arrivals - opened.arrivals >= max(_MANY, len(pool) // 20)

    @property
    def is_filling_ahead(self) -> bool:
        """Whether the next block was begun before its time, so that its L1 origin is decided."""
        return self._open is not None and self._open.parent.hash == self._engine.chain.head.hash

    def fill_ahead(self) -> None:
        """Takes transactions of the pool into the next block before its time.

        Does nothing where the next block cannot be begun now: build_block then says why.
        """
        pool = self._pool
        if pool is None or not self.fills_ahead:
            return
        self._not_opened_on = self._engine.chain.head.hash
        try:
            opened, self._open = self._opened_now() or self._open_block(), None
            opened.arrivals = pool.arrivals
            opened.has_more = self._engine.fill_ahead(opened.attributes, _PART_SECONDS)
        except (OriginMissing, OriginReorged, Temporary, Reset, InvalidPayloadAttributes):
            return
        self._open, self._not_opened_on = opened, None

    def build_block(self, takes_pool: bool = True) -> Block:
        """Builds and adopts the next block, due or not. Without takes_pool it has the protocol's transactions alone.

        Raises SequencerStopped; OriginMissing when L1 must produce a block first; derivation.errors.Temporary when L1
        cannot be asked now. After an L1 reorg it first goes back to the last block whose origin is canonical.
        """
        if not self._active:
            raise SequencerStopped("the sequencer is stopped")
        opened, self._open = self._opened_now(), None
        if opened is not None and takes_pool:
            return self._build(opened.parent, opened.attributes)
        parent = self._engine.chain.head
        parent_ref = l2_block_ref(self._config, parent)
        try:
            origin = self.origins.next_origin(parent_ref)
        except OriginReorged:
            parent_ref = self.recover()
            parent = self._engine.chain.head
            origin = self.origins.next_origin(parent_ref)
        attributes = self._attributes(parent, parent_ref, origin)
        attributes.no_tx_pool = attributes.no_tx_pool or not takes_pool
        return self._build(parent_ref, attributes)

    @property
    def has_slow_transactions(self) -> bool:
        """Whether the pool has transactions that are executed ahead."""
        return self._engine.has_slow_transactions

    def execute_ahead(self) -> bool:
        """Executes one of the pool's slow transactions for a block to come; False when there is nothing to do."""
        return self._engine.execute_ahead(lambda: not self.is_due())

    def recover(self) -> L2BlockRef:
        """Makes the last block whose origin is in L1's chain the head, and returns it.

        Raises Critical when that is below the finalized block.
        """
        chain = self._engine.chain
        block = chain.head
        while not self._is_origin_canonical(block):
            if block.number <= chain.finalized.number:
                raise Critical(
                    f"L1 was reorganised below the finalized L2 block {block.number} (0x{block.hash.hex()}): "
                    "its origin is no longer in L1's chain"
                )
            parent = chain.block(block.header.parent_hash)
            if parent is None:
                raise Critical(f"L2 block {block.number - 1} is missing")
            block = parent
        safe = chain.safe if chain.safe.number <= block.number else block
        self._forkchoice(block.hash, safe.hash, chain.finalized.hash)
        return l2_block_ref(self._config, block)

    def _takes_at_once(self, has_pending: Callable[[int], bool]) -> bool:
        """has_pending: whether something waits that pays a base fee (wei)."""
        head = self._engine.chain.head
        if not has_pending(l2_base_fee(self._engine.config, head.header, self.next_block_time)):
            return False
        head_ref = l2_block_ref(self._config, head)
        try:
            origin = self._l1.ref_by_number(head_ref.l1_origin.number)
        except NotFound:
            return True  # a reorg: building recovers from it
        return not self.origins.is_past_drift(self.next_block_time, origin)

    def _opened_now(self) -> _OpenBlock | None:
        """The block that was begun before its time, if it is on the head and its origin is still in L1's chain."""
        opened = self._open
        if opened is None or opened.parent.hash != self._engine.chain.head.hash:
            return None
        return opened if self._is_canonical(opened.origin.id) else None

    def _open_block(self) -> _OpenBlock:
        parent = self._engine.chain.head
        parent_ref = l2_block_ref(self._config, parent)
        origin = self.origins.next_origin(parent_ref)
        return _OpenBlock(parent_ref, origin, self._attributes(parent, parent_ref, origin))

    def _is_origin_canonical(self, block: Block) -> bool:
        return self._is_canonical(l2_block_ref(self._config, block).l1_origin)

    def _is_canonical(self, origin: BlockId) -> bool:
        try:
            return self._l1.ref_by_number(origin.number).hash == origin.hash
        except NotFound:
            return False

    def _attributes(self, parent: Block, parent_ref: L2BlockRef, origin: L1BlockRef) -> PayloadAttributes:
        # spec: jovian.sequencer-no-pool
        system_config = system_config_of_block(self._config, parent)
        attributes = prepare_payload_attributes(self._config, self._l1, parent_ref, system_config, origin.id)
        # As op-node's sequencer: a block with upgrade transactions takes nothing from the pool.
        attributes.no_tx_pool = self.origins.is_past_drift(attributes.timestamp, origin) or has_upgrade_transactions(
            self._config, attributes.timestamp
        )
        return attributes

    def _build(self, parent: L2BlockRef, attributes: PayloadAttributes) -> Block:
        engine, chain = self._engine, self._engine.chain
        safe, finalized = chain.safe.hash, chain.finalized.hash
        started = self._forkchoice(parent.hash, safe, finalized, attributes)
        if started.payload_id is None:
            raise Reset(f"the engine did not start building on 0x{parent.hash.hex()}: {started.status}")
        block = engine.get_payload(started.payload_id)
        status = engine.new_payload(block)
        if status.status != "VALID":
            raise Critical(f"the engine refuses the block it built: {status.validation_error}")
        self._forkchoice(block.hash, safe, finalized)
        return block

    def _forkchoice(
        self, head: Hash, safe: Hash, finalized: Hash, attributes: PayloadAttributes | None = None
    ) -> ForkchoiceResult:
        """The engine's call, with its refusals by consequence."""
        try:
            return self._engine.forkchoice_updated(head, safe, finalized, attributes)
        except TooDeepReorg as error:
            raise Critical(str(error)) from error
        except InvalidForkchoiceState as error:
            raise Reset(str(error)) from error
        except InvalidPayloadAttributes as error:
            raise Critical(f"the sequencer's own attributes are invalid: {error}") from error
