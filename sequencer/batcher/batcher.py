"""The batcher: gets every unsafe L2 block into an L1 block.

It keeps no state that it cannot find again. A block counts as posted when the derivation of the same node makes it
safe; until then its transaction is followed on L1. So after a restart the batcher waits until none of its transactions
is pending, and continues from the safe head.
"""

from dataclasses import dataclass, field
from typing import Protocol

from derivation.errors import Temporary
from rollup.execution.chain import Chain
from rollup.l1.l1_client import L1Client, PatientL1Client
from rollup.l1.sidecar import make_sidecar
from rollup.protocol.blobs import encode_blob
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.primitives import Address, Hash
from sequencer.batcher.channel_builder import ChannelBuilder
from sequencer.batcher.config import BatcherConfig
from sequencer.batcher.da import DERIVATION_VERSION_0, L1Prices, blobs_are_cheaper
from sequencer.batcher.tx_manager import NonceTaken, TrackedTx, TxCandidate, TxManager, TxSnapshot

_NOT_BEGUN = -1


class DerivationStatus(Protocol):
    """The progress of the node's own derivation; implemented by derivation.driver.Verifier."""

    @property
    def safe_head(self) -> L2BlockRef:
        """The newest L2 block derived from L1 data."""

    @property
    def current_l1(self) -> L1BlockRef | None:
        """The L1 block whose data is being read. All blocks before it are done. None before derivation has begun."""


@dataclass(slots=True, frozen=True)
class PostedBatch:
    """A batcher transaction included on L1: data in bytes (frames with their version bytes), cost in wei.

    first_block and last_block are the L2 blocks of the whole channel the transaction belongs to; raw_bytes and
    compressed_bytes are the sizes of that channel's batches.
    """

    transaction_hash: Hash
    l1_block: int
    kind: str  # "calldata" or "blobs"
    data_bytes: int
    blobs: int
    cost: int
    first_block: int
    last_block: int
    raw_bytes: int
    compressed_bytes: int


@dataclass(slots=True)
class _SentTx:
    tracked: TrackedTx
    kind: str
    data_bytes: int
    blobs: int
    is_reported: bool = False


@dataclass(slots=True)
class _SentChannel:
    first: BlockId
    last: BlockId
    sizes: tuple[int, int]  # bytes of the batches, raw and compressed
    transactions: list[_SentTx] = field(default_factory=list)

    def inclusion(self) -> int | None:
        """The L1 block of the last transaction, None while one is not included."""
        numbers = [sent.tracked.receipt.block_number for sent in self.transactions if sent.tracked.receipt is not None]
        return max(numbers) if len(numbers) == len(self.transactions) else None


@dataclass(slots=True, frozen=True)
class BatcherSnapshot:
    """The state of a batcher."""

    manager: TxSnapshot
    cursor: BlockId | None
    settle_at: int | None
    stuck_since: tuple[int, int] | None
    open: ChannelBuilder | None
    sent: list[tuple[_SentChannel, list[bool]]]  # with each transaction, whether it was reported
    is_active: bool
    is_flushing: bool
    waiting_for: str | None
    lost: str | None


class Batcher:
    """Posts a chain's blocks with one key. Call step as often as you like."""

    def __init__(
        self,
        config: RollupConfig,
        chain: Chain,
        client: L1Client,
        private_key: bytes,
        status: DerivationStatus,
        options: BatcherConfig | None = None,
    ) -> None:
        self._config = config
        self._chain = chain
        self._client: L1Client = PatientL1Client(client)
        self._status = status
        self.options = options or BatcherConfig()
        self._manager = TxManager(
            client,
            private_key,
            config.l1_chain_id,
            confirmations=self.options.confirmations,
            resubmit_after=self.options.resubmit_after,
            follow_depth=self.options.follow_depth,
        )
        self._cursor: BlockId | None = None  # the last L2 block put into a channel
        self._settle_at: int | None = None
        self._stuck_since: tuple[int, int] | None = None  # the account's nonce, and the L1 block it was first seen at
        self._open: ChannelBuilder | None = None
        self._sent: list[_SentChannel] = []
        self._active = True
        self._flush = False
        self.waiting_for: str | None = None
        self._lost: str | None = None  # channels that were posted and not derived, until a part of them is

    @property
    def address(self) -> Address:
        """The address that posts."""
        return self._manager.address

    @property
    def is_active(self) -> bool:
        """False while stopped."""
        return self._active

    @property
    def followed(self) -> int:
        """The number of L1 transactions that are held with their data: pending ones, and those that are not yet deep
        enough.
        """
        return self._manager.followed

    @property
    def posted_to(self) -> int | None:
        """The number of the last L2 block put into a channel, None before the first."""
        return self._cursor.number if self._cursor is not None else None

    def start(self) -> None:
        """Starts to take blocks again."""
        self._active = True

    def stop(self) -> None:
        """Takes no more blocks. Transactions that are already sent are still followed."""
        self._active = False

    def step(self) -> list[PostedBatch]:
        """Follows what is sent, packs new blocks, sends closed channels; returns what L1 has confirmed since.

        Never raises for L1: when it cannot go on, waiting_for says why and the next step tries again.
        """
        self.waiting_for = None
        try:
            head = self._manager.step()
            reports = self._report(head)
            self._check_progress(head)
            if self._active and self._is_settled(head):
                self._take_blocks(head)
                self._close_if_due(head)
                self._manager.step()
        except NonceTaken as error:
            self._restart(str(error))
            return []
        except Temporary as error:
            self.waiting_for = f"L1: {error}"
            return []
        if self._manager.last_refusal is not None:
            self.waiting_for = f"L1 refuses a batch: {self._manager.last_refusal}"
        self.waiting_for = self.waiting_for or self._lost
        return reports

    def flush(self) -> None:
        """Makes the next step send all blocks, whatever the channel's size and age."""
        self._flush = True

    # ------------------------------------------------------------ snapshots
    def capture(self) -> BatcherSnapshot:
        """The current state."""
        return BatcherSnapshot(
            self._manager.capture(),
            self._cursor,
            self._settle_at,
            self._stuck_since,
            None if self._open is None else self._open.copy(),
            [(channel, [sent.is_reported for sent in channel.transactions]) for channel in self._sent],
            self._active,
            self._flush,
            self.waiting_for,
            self._lost,
        )

    def restore(self, snapshot: BatcherSnapshot) -> None:
        """Restores a state of capture."""
        self._manager.restore(snapshot.manager)
        self._cursor, self._settle_at = snapshot.cursor, snapshot.settle_at
        self._stuck_since = snapshot.stuck_since
        self._open = None if snapshot.open is None else snapshot.open.copy()
        self._sent = [channel for channel, _ in snapshot.sent]
        for channel, reported in snapshot.sent:
            for sent, is_reported in zip(channel.transactions, reported, strict=True):
                sent.is_reported = is_reported
        self._active, self._flush = snapshot.is_active, snapshot.is_flushing
        self.waiting_for, self._lost = snapshot.waiting_for, snapshot.lost

    # ------------------------------------------------------------ inside
    def _restart(self, reason: str) -> None:
        """Discards its state and finds it again from the safe head."""
        self.waiting_for = reason
        self._manager.reset()
        self._sent.clear()
        self._open = None
        self._cursor = None
        self._settle_at = None
        self._stuck_since = None

    def _is_settled(self, head: L1BlockRef) -> bool:
        """Whether, after a start, no transaction of this key is pending and derivation has read all of L1's chain."""
        if self._cursor is not None:
            return True
        foreign = self._manager.foreign_in_flight()
        if foreign:
            self.waiting_for = f"{foreign} transactions of 0x{self.address.hex()} sent before the start"
            self._settle_at = None
            self._replace_if_stuck(head)
            return False
        self._stuck_since = None
        if self._settle_at is None:
            self._settle_at = head.number if self._client.nonce(self.address) else _NOT_BEGUN
        if self._derived_to() < self._settle_at:
            self.waiting_for = f"derivation to reach L1 block {self._settle_at}"
            return False
        self._cursor = self._status.safe_head.id
        return True

    def _replace_if_stuck(self, head: L1BlockRef) -> None:
        """Replaces a transaction of an earlier run that L1 does not include because its fees have become too low. It
        would block every batch.
        """
        nonce = self._client.nonce(self.address)
        if self._stuck_since is None or self._stuck_since[0] != nonce or head.number < self._stuck_since[1]:
            self._stuck_since = nonce, head.number
        elif head.number - self._stuck_since[1] >= self.options.resubmit_after:
            self._manager.take_over()
            self._manager.step()

    def _check_progress(self, head: L1BlockRef) -> None:
        """Goes back to the safe head when posted blocks left the L2 chain, or L1 data did not make them safe."""
        # spec: holocene.batcher-resends
        if self._cursor is None:
            return
        safe = self._status.safe_head
        if self._chain.canonical_hash(self._cursor.number) != self._cursor.hash:
            self._requeue(safe)
            return
        for channel in self._sent:
            inclusion = channel.inclusion()
            if inclusion is not None and self._derived_to() > inclusion + 1 and safe.number < channel.last.number:
                self._lost = (
                    f"L2 blocks {channel.first.number} to {channel.last.number} were posted in L1 block {inclusion}, "
                    f"but the safe head stayed at {safe.number}: they are posted again"
                )
                self._requeue(safe)
                return
            if inclusion is not None and safe.number >= channel.last.number:
                self._lost = None
        self._sent = [channel for channel in self._sent if not self._is_final(channel, head, safe)]
        is_missing = safe.number + 1 < self._first_kept() and self._derived_to() >= head.number
        if is_missing or safe.number > self._cursor.number:
            self._requeue(safe)

    def _derived_to(self) -> int:
        """The number of the L1 block that derivation is reading."""
        current = self._status.current_l1
        return current.number if current is not None else _NOT_BEGUN

    def _first_kept(self) -> int:
        """The lowest L2 block that is in a channel sent or open."""
        if self._sent:
            return self._sent[0].first.number
        if self._open is not None and self._open.first is not None:
            return self._open.first.number
        return self._cursor.number + 1 if self._cursor is not None else 0

    def _is_final(self, channel: _SentChannel, head: L1BlockRef, safe: L2BlockRef) -> bool:
        inclusion = channel.inclusion()
        return (
            inclusion is not None
            and head.number - inclusion >= self.options.follow_depth
            and safe.number >= channel.last.number
        )

    def _requeue(self, safe: L2BlockRef) -> None:
        """Marks everything after the safe head to be posted again. Pending transactions are still followed."""
        self._sent.clear()
        self._open = None
        self._cursor = safe.id

    def _take_blocks(self, head: L1BlockRef) -> None:
        """Puts new L2 blocks into channels, and sends each full channel."""
        while self._cursor is not None and self._manager.in_flight < self.options.max_pending:
            block = self._chain.block_by_number(self._cursor.number + 1)
            if block is None or block.header.parent_hash != self._cursor.hash:
                return
            if self._open is None:
                self._open = ChannelBuilder(self._config, self.options, head)
            if not self._open.add(block):
                self._send(self._open, head)
                continue
            self._cursor = BlockId(block.hash, block.number)
            if self._open.is_full:
                self._send(self._open, head)

    def _close_if_due(self, head: L1BlockRef) -> None:
        # spec: holocene.batcher-order
        is_flushing, self._flush = self._flush, False  # first: another may be asked for while this one is sent
        if self._open is not None and (is_flushing or self._open.is_timed_out(head.number)):
            self._send(self._open, head)

    def _send(self, channel: ChannelBuilder, head: L1BlockRef) -> None:
        """Closes a channel and gives its frames to the transaction manager."""
        first, last = channel.first, channel.last
        self._open = None
        if first is None or last is None:
            return
        prices = self._manager.prices()
        sent = _SentChannel(first, last, channel.sizes())
        takes_blobs = prices.has_blobs and self._config.is_ecotone(head.timestamp)
        for candidate, kind, size, blobs in self._candidates(channel, prices, takes_blobs):
            sent.transactions.append(_SentTx(self._manager.submit(candidate), kind, size, blobs))
        self._sent.append(sent)

    def _candidates(
        self, channel: ChannelBuilder, prices: L1Prices, can_be_blobs: bool
    ) -> list[tuple[TxCandidate, str, int, int]]:
        """A channel's L1 transactions with kind, bytes and number of blobs, as calldata or blobs by the options.

        can_be_blobs: L1 has blobs, and derivation reads them: from the L1 block on whose time is Ecotone's
        (ecotone/derivation.md, "Blob Retrieval").
        """
        options, inbox = self.options, self._config.batch_inbox_address
        calldata = [DERIVATION_VERSION_0 + frame for frame in channel.frames(options.max_calldata_frame)]
        in_blobs = [DERIVATION_VERSION_0 + frame for frame in channel.frames(options.max_blob_frame)]
        takes_blobs = options.da == "blobs" or (
            options.da == "auto" and blobs_are_cheaper(calldata, len(in_blobs), prices)
        )
        if not (takes_blobs and can_be_blobs):
            return [(TxCandidate(inbox, data), "calldata", len(data), 0) for data in calldata]
        size = options.blobs_per_transaction
        groups = [in_blobs[start : start + size] for start in range(0, len(in_blobs), size)]
        return [
            (
                TxCandidate(inbox, sidecar=make_sidecar(tuple(map(encode_blob, group)))),
                "blobs",
                sum(map(len, group)),
                len(group),
            )
            for group in groups
        ]

    def _report(self, head: L1BlockRef) -> list[PostedBatch]:
        """The transactions that were confirmed since the last step."""
        reports: list[PostedBatch] = []
        for channel in self._sent:
            for sent in channel.transactions:
                receipt = sent.tracked.receipt
                if sent.is_reported or receipt is None:
                    continue
                if not sent.tracked.is_confirmed(head.number, self.options.confirmations):
                    continue
                sent.is_reported = True
                reports.append(
                    PostedBatch(
                        receipt.transaction_hash,
                        receipt.block_number,
                        sent.kind,
                        sent.data_bytes,
                        sent.blobs,
                        receipt.cost,
                        channel.first.number,
                        channel.last.number,
                        *channel.sizes,
                    )
                )
        return reports
