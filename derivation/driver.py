"""The verifier: derived attributes go to an engine, and the heads move (specs protocol/derivation.md, "Engine Queue";
protocol/rollup-node.md, "Sync").

A sequencer's node runs the same driver over its own engine: blocks that are there already and agree with the
attributes become safe, others are replaced.
"""

from dataclasses import dataclass
from enum import Enum

import structlog

from derivation.attributes_match import attributes_mismatch
from derivation.attributes_queue import DerivedAttributes
from derivation.batch_record import BatchRecord
from derivation.drops import Rule
from derivation.errors import Critical, EndOfSource, NotEnoughData, NotFound, Reset, StatesGone, Temporary
from derivation.journal import BlockDerived, Journal
from derivation.pipeline import Pipeline
from derivation.safe_heads import SafeHeads, SafeRecord
from derivation.sources import BlobSource, L1Source, is_canonical
from derivation.sync_start import SyncStart
from rollup.cooperative import pause
from rollup.execution.block_context import InvalidPayloadAttributes
from rollup.execution.engine import Engine, InvalidForkchoiceState, TooDeepReorg
from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig, SystemConfig
from rollup.protocol.l2_blocks import l2_block_ref, system_config_of_block
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import ZERO_HASH, Hash

log = structlog.get_logger()


class Progress(Enum):
    """The result of a step."""

    IDLE = "idle"  # all of L1 is read
    ADVANCED = "advanced"  # something was read
    DERIVED = "derived"  # the safe head moved
    RETRY = "retry"  # a source did not answer
    RESET = "reset"  # began again


@dataclass(slots=True, frozen=True)
class DerivationSnapshot:
    """The state of a derivation, without the heads of its chain."""

    is_begun: bool
    safe_heads: list[SafeRecord]  # newest first, down to the finalized block
    waiting_for: str | None


class Verifier:
    """Derives an L2 chain into an engine. step() makes one step; sync() makes all steps that are possible now."""

    def __init__(
        self,
        config: RollupConfig,
        l1: L1Source,
        blobs: BlobSource,
        engine: Engine,
    ) -> None:
        self.config = config
        self.waiting_for: str | None = None  # why the last step had to be retried
        self._l1 = l1
        self._engine = engine
        self._chain = engine.chain
        self.journal = Journal()
        self.record = BatchRecord(engine.chain.store, self.journal)
        self._pipeline = Pipeline(config, l1, blobs, engine.chain, self.journal)
        self._safe_heads = SafeHeads(engine.chain.store)
        self._start = SyncStart(config, l1, engine.chain, self._safe_heads)
        self._is_begun = False
        self._pending = self._ref(engine.chain.safe)  # ahead of the safe head inside a span batch, before Holocene
        self._attributes: DerivedAttributes | None = None

    # ---------------------------------------------------------------- heads
    @property
    def unsafe_head(self) -> L2BlockRef:
        """The newest block of the engine."""
        return self._ref(self._chain.head)

    @property
    def safe_head(self) -> L2BlockRef:
        """The newest block derived from L1 data."""
        return self._ref(self._chain.safe)

    @property
    def pending_safe_head(self) -> L2BlockRef:
        """The newest block derived, within a span batch that may still prove invalid."""
        return self._pending

    @property
    def finalized_head(self) -> L2BlockRef:
        """The newest block derived from finalized L1 data."""
        return self._ref(self._chain.finalized)

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block being read; the rollup's first before anything was."""
        genesis = self.config.genesis.l1
        return self._pipeline.origin or L1BlockRef(genesis.hash, genesis.number, ZERO_HASH, 0)

    def safe_head_at_l1(self, number: int) -> SafeRecord | None:
        """The safe head as of an L1 block; the genesis block before the first batch. None where it is not known."""
        return self._safe_heads.at_l1(number)

    # ---------------------------------------------------------------- verbs
    def sync(self, limit: int | None = None) -> Progress:
        """Steps until all of L1 is read, a source does not answer, or limit steps were made."""
        # spec: verifier.equivalent
        steps = 0
        while limit is None or steps < limit:
            progress = self.step()
            pause()
            steps += 1
            if progress in (Progress.IDLE, Progress.RETRY):
                return progress
        return Progress.ADVANCED

    def step(self) -> Progress:
        """Makes one step; raises Critical if derivation cannot continue."""
        # spec: driver.retry
        try:
            if not self._is_begun:
                self._begin()
                return Progress.RESET
            return self._step()
        except NotFound as error:
            self.waiting_for = str(error)
            self.record.flush()
            return Progress.IDLE
        except Temporary as error:
            self.waiting_for = str(error)
            return Progress.RETRY
        except Reset as error:
            log.warning("derivation starts over", reason=str(error))
            self._is_begun = False
            return Progress.RESET

    def reset(self) -> None:
        """Starts over at the next step, from the last safe block whose L1 block is still canonical."""
        self._is_begun = False

    # ---------------------------------------------------------------- snapshots
    def capture(self) -> DerivationSnapshot:
        """The state of the derivation, without the heads of its chain."""
        return DerivationSnapshot(
            self._is_begun, self._safe_heads.since(self._chain.finalized.number), self.waiting_for
        )

    def restore(self, snapshot: DerivationSnapshot) -> None:
        """Reads L1 again to its head, from as far back as after a start. L1 and the chain must be restored first."""
        self._safe_heads.replace(snapshot.safe_heads)
        self._pending = self._ref(self._chain.safe)
        self._attributes = None
        self._is_begun = False
        if snapshot.is_begun:
            self.sync()
        self.waiting_for = snapshot.waiting_for

    # ---------------------------------------------------------------- inside
    def _step(self) -> Progress:
        if self._attributes is not None:
            self._process(self._attributes)
            self._attributes = None
            return Progress.DERIVED
        try:
            system_config = self._system_config(self._pending)
            self._attributes = self._pipeline.next_attributes(self._pending, system_config)
        except NotEnoughData:
            return Progress.ADVANCED
        except EndOfSource:
            self._finalize()
            self._check_origin()
            self._pipeline.advance()
            return Progress.ADVANCED
        self.waiting_for = None
        return Progress.ADVANCED

    def _check_origin(self) -> None:
        """An L1 that was reorganised to a shorter or equal chain has no next block to notice it by."""
        origin = self._pipeline.origin
        if origin is not None and self._l1.ref_by_number(origin.number).hash != origin.hash:
            raise Reset(f"L1 reorg: block {origin.number} is no longer 0x{origin.hash.hex()}")

    def _begin(self) -> None:
        """Finds heads that agree with L1, and an L1 block from which every channel of the next batch can be read."""
        self._attributes = None
        safe = self._start.find_safe()
        unsafe = self._start.find_unsafe(safe)
        finalized = self._chain.finalized
        if unsafe.hash != self._chain.head.hash or safe.hash != self._chain.safe.hash:
            self._forkchoice(unsafe.hash, safe.hash, finalized.hash)
        self._pending = self._ref(safe)
        base, system_config = self._start.pipeline_start(self._pending)
        self.record.begin_again()
        self.journal.begin(self._start.settled_l1(safe))
        self._pipeline.reset(base, system_config)
        self._is_begun = True

    def _process(self, derived: DerivedAttributes) -> None:
        """Makes the block of some attributes safe: the one that is there if it agrees, a new one otherwise."""
        # spec: driver.invalid-batch-dropped, driver.invalid-deposits-critical, driver.consolidate
        # spec: holocene.deposits-only, holocene.deposits-only-drops-rest
        existing = self._chain.block_by_number(derived.parent.number + 1)
        if existing is not None and existing.header.parent_hash == derived.parent.hash:
            mismatch = attributes_mismatch(self.config, derived.attributes, existing)
            if mismatch is None:
                self._accept(existing, derived)
                return
            log.warning("unsafe block contradicts L1 data", number=existing.number, reason=mismatch)
        block = self._build(derived.parent.hash, derived.attributes)
        if block is None:
            if len(derived.deposits_only().transactions) == len(derived.attributes.transactions):
                raise Critical(f"deposits alone make an invalid block on L2 block {derived.parent.number}")
            if not self.config.is_holocene(derived.attributes.timestamp):
                # The batch is dropped; the next one for this parent may be good.
                self.journal.drop_batch(derived.batch, Rule.PAYLOAD, f"L2 block {derived.parent.number + 1}")
                return
            self.journal.drop_batch(derived.batch, Rule.PAYLOAD_DEPOSITS_ONLY, f"L2 block {derived.parent.number + 1}")
            self._pipeline.flush()
            block = self._build(derived.parent.hash, derived.deposits_only())
            if block is None:
                raise Critical(f"deposits alone make an invalid block on L2 block {derived.parent.number}")
        self._accept(block, derived)

    def _build(self, parent: Hash, attributes: PayloadAttributes) -> Block | None:
        """Builds and inserts a block; None when its transactions are invalid."""
        # spec: driver.forkchoice-error-resets
        engine, chain = self._engine, self._chain
        try:
            started = engine.forkchoice_updated(parent, chain.safe.hash, chain.finalized.hash, attributes)
        except InvalidPayloadAttributes as error:
            log.warning("derived payload is invalid", reason=str(error))
            return None
        except TooDeepReorg as error:
            raise StatesGone(f"L1 data contradicts a block that is too old to go back to: {error}") from error
        except InvalidForkchoiceState as error:
            raise Reset(str(error)) from error
        if started.payload_id is None:
            raise Reset(f"the engine does not build on 0x{parent.hex()}: {started.status}")
        block = engine.get_payload(started.payload_id)
        status = engine.new_payload(block)
        if status.status != "VALID":
            log.warning("derived payload is invalid", reason=status.validation_error)
            return None
        return block

    def _accept(self, block: Block, derived: DerivedAttributes) -> None:
        """Moves the heads onto a derived block; the safe head only at its batch's end."""
        head = self._chain.head
        unsafe = head.hash if self._chain.is_canonical(block.hash) else block.hash
        safe = block.hash if derived.is_last_in_batch else self._chain.safe.hash
        if derived.is_last_in_batch:
            self._safe_heads.record(SafeRecord(BlockId(block.hash, block.number), derived.derived_from.id))
        self.journal.report(BlockDerived(BlockId(block.hash, block.number), derived.derived_from.id, derived.batch))
        self._forkchoice(unsafe, safe, self._chain.finalized.hash)
        self._pending = self._ref(block)

    def _finalize(self) -> None:
        """Finalizes the blocks derived from finalized L1 data (specs protocol/rollup-node.md, "Finalization")."""
        finalized = self._l1.finalized()
        newest = self._safe_heads.at_l1(finalized.number)
        if newest is None or newest.l2.number <= self._chain.finalized.number:
            return
        if is_canonical(self._l1, newest.derived_from):
            self._forkchoice(self._chain.head.hash, self._chain.safe.hash, newest.l2.hash)

    def _forkchoice(self, unsafe: Hash, safe: Hash, finalized: Hash) -> None:
        # spec: driver.forkchoice-error-resets
        try:
            result = self._engine.forkchoice_updated(unsafe, safe, finalized)
        except TooDeepReorg as error:
            raise StatesGone(f"L1 data contradicts a block that is too old to go back to: {error}") from error
        except InvalidForkchoiceState as error:
            raise Reset(str(error)) from error
        if result.status.status != "VALID":
            raise Reset(f"forkchoice: the engine says {result.status.status}")

    def _system_config(self, ref: L2BlockRef) -> SystemConfig:
        block = self._chain.block(ref.hash)
        if block is None:
            raise Critical(f"L2 block {ref.number} 0x{ref.hash.hex()} is missing")
        return system_config_of_block(self.config, block)

    def _ref(self, block: Block) -> L2BlockRef:
        return l2_block_ref(self.config, block)
