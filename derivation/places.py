"""The place of data on L1, in a channel or in a batch."""

from dataclasses import dataclass

from rollup.protocol.blockref import BlockId
from rollup.protocol.primitives import Address, Hash


@dataclass(slots=True, frozen=True)
class DataPlace:
    """One piece of batcher data on L1: a transaction's calldata, or one of its blobs.

    index: the transaction's place in its block. blob: the blob's place in its transaction, None for calldata.
    """

    l1_block: BlockId
    transaction: Hash
    index: int
    sender: Address
    blob: int | None = None
    blob_hash: Hash | None = None


@dataclass(slots=True, frozen=True)
class FramePlace:
    """A frame on L1: its piece of data, its channel, its number there, the bytes of its data."""

    data: DataPlace | None
    channel_id: bytes
    number: int
    size: int
    is_last: bool


@dataclass(slots=True, frozen=True)
class BatchPlace:
    """A batch in a channel. completed: the L1 block in which the channel was complete. index: counted from 0.

    size: its bytes, decompressed.
    """

    channel_id: bytes
    completed: BlockId
    index: int
    size: int
