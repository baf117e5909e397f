"""Channels that were posted to L1, until they are safe and deep enough."""

from dataclasses import dataclass, field

from rollup.protocol.blockref import BlockId
from rollup.protocol.primitives import Hash
from sequencer.batcher.channel_transactions import ChannelTransaction
from sequencer.batcher.tx_manager import TrackedTx


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
class _PostedTransaction:
    content: ChannelTransaction
    tracked: TrackedTx
    is_reported: bool = False


@dataclass(slots=True)
class PostedChannel:
    """A channel's L2 blocks, its size, and the L1 transactions that carry it."""

    first: BlockId
    last: BlockId
    sizes: tuple[int, int]  # bytes of the batches, raw and compressed
    transactions: list[_PostedTransaction] = field(default_factory=list)

    def add(self, content: ChannelTransaction, tracked: TrackedTx) -> None:
        """Adds a transaction that was handed to the transaction manager."""
        self.transactions.append(_PostedTransaction(content, tracked))

    def inclusion(self) -> int | None:
        """The number of the L1 block of the last transaction. None while one of them is not included."""
        numbers = [sent.tracked.receipt.block_number for sent in self.transactions if sent.tracked.receipt is not None]
        return max(numbers) if len(numbers) == len(self.transactions) else None


@dataclass(slots=True, frozen=True)
class PostedSnapshot:
    """Posted channels, and for each of their transactions whether it was reported."""

    channels: list[tuple[PostedChannel, list[bool]]]


class PostedChannels:
    """The channels that are followed, in the order of their L2 blocks."""

    def __init__(self) -> None:
        self._channels: list[PostedChannel] = []

    @property
    def first_block(self) -> int | None:
        """The number of the lowest L2 block in them. None if there are no channels."""
        return self._channels[0].first.number if self._channels else None

    def add(self, channel: PostedChannel) -> None:
        """Follows a channel."""
        self._channels.append(channel)

    def clear(self) -> None:
        """Follows none of them any longer."""
        self._channels.clear()

    def not_derived(self, safe_head: int, derived_to: int) -> PostedChannel | None:
        """The first channel that derivation has read without making its last block safe.

        derived_to: the number of the L1 block that derivation is reading.
        """
        for channel in self._channels:
            inclusion = channel.inclusion()
            if inclusion is not None and derived_to > inclusion + 1 and safe_head < channel.last.number:
                return channel
        return None

    def has_safe(self, safe_head: int) -> bool:
        """Whether an included channel is safe as a whole."""
        return any(channel.last.number <= safe_head and channel.inclusion() is not None for channel in self._channels)

    def drop_final(self, head: int, depth: int, safe_head: int) -> None:
        """Follows no longer what is safe and was included `depth` blocks before L1's head."""
        self._channels = [
            channel
            for channel in self._channels
            if safe_head < channel.last.number or (inclusion := channel.inclusion()) is None or head - inclusion < depth
        ]

    def report(self, head: int, confirmations: int) -> list[PostedBatch]:
        """The transactions that were confirmed since the last call, at an L1 head."""
        reports: list[PostedBatch] = []
        for channel in self._channels:
            for sent in channel.transactions:
                receipt = sent.tracked.receipt
                if sent.is_reported or receipt is None or not sent.tracked.is_confirmed(head, confirmations):
                    continue
                sent.is_reported = True
                reports.append(
                    PostedBatch(
                        receipt.transaction_hash,
                        receipt.block_number,
                        sent.content.kind,
                        sent.content.data_bytes,
                        sent.content.blobs,
                        receipt.cost,
                        channel.first.number,
                        channel.last.number,
                        *channel.sizes,
                    )
                )
        return reports

    def capture(self) -> PostedSnapshot:
        """The current state."""
        return PostedSnapshot(
            [(channel, [sent.is_reported for sent in channel.transactions]) for channel in self._channels]
        )

    def restore(self, snapshot: PostedSnapshot) -> None:
        """Restores a state of capture."""
        self._channels = [channel for channel, _ in snapshot.channels]
        for channel, reported in snapshot.channels:
            for sent, is_reported in zip(channel.transactions, reported, strict=True):
                sent.is_reported = is_reported
