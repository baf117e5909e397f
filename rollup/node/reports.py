"""Turns what happens in a node into events (rollup/events.py), each published once."""

from collections import deque
from collections.abc import Iterable

from rollup.events import (
    BatchPosted,
    ConfigChanged,
    DepositIncluded,
    EventLog,
    L1BlockMined,
    L2BlockBuilt,
    OutputProposed,
    Reorged,
    SafeHeadMoved,
    Stalled,
    Switched,
    Waiting,
)
from rollup.execution.chain import HeadChange
from rollup.node.actors import Actors
from rollup.node.dropped import DropReports
from rollup.node.view import progress_of
from rollup.protocol.block import Block
from rollup.protocol.blockref import L2BlockRef
from rollup.protocol.deposits import user_deposits
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.protocol.system_config import CONFIG_UPDATE, UPDATE_NAMES
from rollup.protocol.transaction import DEPOSIT
from rollup.stalls import stalls
from sequencer.batcher.posted import PostedBatch
from sequencer.proposer import OutputPosted

_LAST_BATCHES = 16


class Reports:
    """Publishes events, and remembers them so that none is published twice."""

    def __init__(self, actors: Actors, events: EventLog) -> None:
        self._actors = actors
        self._events = events
        self.batches_posted = 0
        self.last_batches: deque[BatchPosted] = deque(maxlen=_LAST_BATCHES)
        self.waiting_for: dict[str, str] = {}  # by actor, while it waits
        self._said: dict[str, str] = {}  # actor to what it waits for
        self._active: dict[str, bool] = {}
        self._stalled: set[str] = set()
        self._safe: L2BlockRef = actors.l2.derivation.safe_head
        self._verified_l1 = -1  # the L1 block to which the verifier has read all
        self._moved_to: tuple[L2BlockRef, int] | None = None  # a safe head that is not reported yet, and its L1 block

    def listen(self) -> None:
        """Subscribes to the heads of both layers, and to what the sequencer's derivation drops."""
        self._actors.l1.chain.subscribe(lambda change: self._on_head("L1", change))
        self._actors.l2.chain.subscribe(lambda change: self._on_head("L2", change))
        self._actors.l2.derivation.journal.subscribe(DropReports(self._events, self._actors.clock))

    # ------------------------------------------------------------ what actors did
    def built(self, block: Block, seconds: float) -> None:
        """Reports an L2 block that the sequencer built, and the deposits in it."""
        signed = sum(not transaction.is_deposit for transaction in block.transactions)
        receipts = self._actors.l2.chain.receipts(block.hash) or []
        gas = sum(receipt.gas_used for receipt in receipts if receipt.tx_type != DEPOSIT)
        self._events.publish(L2BlockBuilt(block.number, block.hash, signed, gas, seconds))
        self._deposits(block)

    def posted(self, batches: Iterable[PostedBatch]) -> None:
        """Reports batcher transactions that L1 included."""
        for batch in batches:
            self.batches_posted += 1
            event = BatchPosted(
                batch.l1_block,
                batch.transaction_hash,
                batch.kind,
                batch.data_bytes,
                batch.blobs,
                batch.cost,
                batch.first_block,
                batch.last_block,
                batch.raw_bytes,
                batch.compressed_bytes,
            )
            self.last_batches.append(event)
            self._events.publish(event)

    def proposed(self, output: OutputPosted) -> None:
        """Reports an output root that L1 included."""
        self._events.publish(OutputProposed(output.l2_block, output.output_root, output.transaction_hash))

    def waiting(self, actor: str, reason: str) -> None:
        """Reports what an actor waits for, once until it changes."""
        self.waiting_for[actor] = reason
        if self._said.get(actor) != reason:
            self._said[actor] = reason
            self._events.publish(Waiting(actor, reason))

    def moved(self, actor: str) -> None:
        """Notes that an actor does not wait any more."""
        self.waiting_for.pop(actor, None)

    # ------------------------------------------------------------ what changed since the last look
    def switches(self) -> None:
        """Reports which actors were started or stopped."""
        actors = self._actors
        for actor, active in (("sequencer", actors.sequencer.is_active), ("batcher", actors.batcher.is_active)):
            if self._active.get(actor, True) != active:
                self._events.publish(Switched(actor, active))
            self._active[actor] = active

    def stalls(self) -> None:
        """Reports what is behind, once until it keeps its pace again."""
        found = stalls(progress_of(self._actors))
        for name in self._stalled - found.keys():
            self._stalled.discard(name)
        for name in found.keys() - self._stalled:
            self._stalled.add(name)
            self._events.publish(Stalled(name, found[name]))

    def safe_head(self) -> None:
        """Reports that the safe head moved, once the verifier, if there is one, has read L1 as far.

        While one move waits for the verifier, further ones wait behind it.
        """
        safe = self._actors.l2.derivation.safe_head
        if self._moved_to is None:
            if safe.number > self._safe.number:
                self._moved_to = safe, self._actors.l2.derivation.current_l1.number
            self._safe = safe
        self._report_safe()

    def note_verified(self) -> None:
        """Notes how far the verifier has read L1."""
        self._verified_l1 = self._actors.verifier.derivation.current_l1.number

    def verified(self) -> None:
        """Reports the safe head that waits for the verifier, which has now read all of L1."""
        self.note_verified()
        self._report_safe()

    # ------------------------------------------------------------ inside
    def _report_safe(self) -> None:
        if self._moved_to is None:
            return
        (safe, l1_block), verifier = self._moved_to, self._actors.verifier
        verified = verifier.derivation.safe_head
        is_equal: bool | None = None
        if self._actors.verifies:
            if verified.number < safe.number and self._verified_l1 < l1_block:
                return
            is_equal = verified.number >= safe.number and verifier.chain.canonical_hash(safe.number) == safe.hash
        self._events.publish(SafeHeadMoved(safe.number, safe.hash, l1_block, verified.number, is_equal))
        self._moved_to = None

    def _on_head(self, layer: str, change: HeadChange) -> None:
        if change.removed:
            head = change.added[-1].number if change.added else change.removed[-1].number - 1
            self._events.publish(Reorged(layer, len(change.removed), head))
        if layer == "L1":
            for block in change.added:
                fee = block.header.base_fee_per_gas or 0
                self._events.publish(L1BlockMined(block.number, block.hash, len(block.transactions), fee))
                self._config_changes(block)

    def _config_changes(self, block: Block) -> None:
        address = self._actors.devnet.rollup_config.l1_system_config_address
        for receipt in self._actors.l1.chain.receipts(block.hash) or []:
            for log in receipt.logs:
                if log.address == address and len(log.topics) == 3 and log.topics[0] == CONFIG_UPDATE:
                    kind = int.from_bytes(log.topics[2], "big")
                    self._events.publish(ConfigChanged(block.number, UPDATE_NAMES.get(kind, f"type {kind}")))

    def _deposits(self, block: Block) -> None:
        """Reports the deposits of an epoch's first block, each with the L1 transaction that made it."""
        config = self._actors.devnet.rollup_config
        l1_chain = self._actors.l1.chain
        ref = l2_block_ref(config, block)
        if ref.sequence_number:
            return
        origin = l1_chain.block(ref.l1_origin.hash)
        for index, receipt in enumerate(l1_chain.receipts(ref.l1_origin.hash) or []):
            deposits = user_deposits([receipt], ref.l1_origin.hash, config.deposit_contract_address)
            if not deposits or origin is None:
                continue
            l1_hash = origin.transactions[index].hash
            wanted = {(item.sender, item.to, item.mint, item.value, item.data) for item in deposits}
            for item in block.transactions[1:]:
                if item.is_deposit and (item.sender, item.to, item.mint, item.value, item.data) in wanted:
                    minted = item.mint or 0
                    self._events.publish(DepositIncluded(l1_hash, item.hash, item.sender, item.to, minted, item.value))
