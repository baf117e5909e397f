"""The batcher: gets every unsafe L2 block into an L1 block.

It keeps no state that it cannot find again. A block counts as posted when the derivation of the same node makes it
safe; until then its transaction is followed on L1. So after a restart the batcher waits until none of its transactions
is pending, and continues from the safe head.
"""

from dataclasses import dataclass

from derivation.errors import Temporary
from rollup.execution.chain import Chain
from rollup.l1.l1_client import L1Client, PatientL1Client
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.primitives import Address
from sequencer.batcher.channel_builder import ChannelBuilder
from sequencer.batcher.channel_transactions import channel_transactions
from sequencer.batcher.config import BatcherConfig
from sequencer.batcher.posted import PostedBatch, PostedChannel, PostedChannels, PostedSnapshot
from sequencer.batcher.settling import DerivationStatus, Settling, SettlingState, derived_to
from sequencer.batcher.tx_manager import NonceTaken, TxManager, TxSnapshot


@dataclass(slots=True, frozen=True)
class BatcherSnapshot:
    """The state of a batcher."""

    manager: TxSnapshot
    settling: SettlingState
    cursor: BlockId | None
    open: ChannelBuilder | None
    posted: PostedSnapshot
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
        self._settling = Settling(PatientL1Client(client), self._manager, status, self.options.resubmit_after)
        self._cursor: BlockId | None = None  # the last L2 block put into a channel
        self._open: ChannelBuilder | None = None
        self._posted = PostedChannels()
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

        Never raises for L1: when it cannot continue, waiting_for says why and the next step tries again.
        """
        self.waiting_for = None
        try:
            head = self._manager.step()
            reports = self._posted.report(head.number, self.options.confirmations)
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
            self._settling.capture(),
            self._cursor,
            None if self._open is None else self._open.copy(),
            self._posted.capture(),
            self._active,
            self._flush,
            self.waiting_for,
            self._lost,
        )

    def restore(self, snapshot: BatcherSnapshot) -> None:
        """Restores a state of capture."""
        self._manager.restore(snapshot.manager)
        self._settling.restore(snapshot.settling)
        self._cursor = snapshot.cursor
        self._open = None if snapshot.open is None else snapshot.open.copy()
        self._posted.restore(snapshot.posted)
        self._active, self._flush = snapshot.is_active, snapshot.is_flushing
        self.waiting_for, self._lost = snapshot.waiting_for, snapshot.lost

    # ------------------------------------------------------------ inside
    def _restart(self, reason: str) -> None:
        """Discards its state and finds it again from the safe head."""
        self.waiting_for = reason
        self._manager.reset()
        self._settling.reset()
        self._posted.clear()
        self._open = None
        self._cursor = None

    def _is_settled(self, head: L1BlockRef) -> bool:
        """Whether the batcher knows from which L2 block on to post."""
        if self._cursor is None:
            start = self._settling.start_from(head)
            if isinstance(start, str):
                self.waiting_for = start
                return False
            self._cursor = start
        return True

    def _check_progress(self, head: L1BlockRef) -> None:
        """Goes back to the safe head when posted blocks left the L2 chain, or L1 data did not make them safe."""
        # spec: holocene.batcher-resends
        if self._cursor is None:
            return
        safe = self._status.safe_head
        if self._chain.canonical_hash(self._cursor.number) != self._cursor.hash:
            self._requeue(safe)
            return
        read_to = derived_to(self._status)
        lost = self._posted.not_derived(safe.number, read_to)
        if self._posted.has_safe(safe.number):
            self._lost = None
        if lost is not None:
            self._lost = (
                f"L2 blocks {lost.first.number} to {lost.last.number} were posted in L1 block {lost.inclusion()}, "
                f"but the safe head stayed at {safe.number}: they are posted again"
            )
            self._requeue(safe)
            return
        self._posted.drop_final(head.number, self.options.follow_depth, safe.number)
        is_missing = safe.number + 1 < self._first_kept() and read_to >= head.number
        if is_missing or safe.number > self._cursor.number:
            self._requeue(safe)

    def _first_kept(self) -> int:
        """The number of the lowest L2 block in a channel that is posted or open."""
        first = self._posted.first_block
        if first is not None:
            return first
        if self._open is not None and self._open.first is not None:
            return self._open.first.number
        return self._cursor.number + 1 if self._cursor is not None else 0

    def _requeue(self, safe: L2BlockRef) -> None:
        """Marks everything after the safe head to be posted again. Pending transactions are still followed."""
        self._posted.clear()
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
        sent = PostedChannel(first, last, channel.sizes())
        can_be_blobs = prices.has_blobs and self._config.is_ecotone(head.timestamp)
        inbox = self._config.batch_inbox_address
        for content in channel_transactions(channel, inbox, self.options, prices, can_be_blobs):
            sent.add(content, self._manager.submit(content.candidate))
        self._posted.add(sent)
