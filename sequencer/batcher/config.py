"""How the batcher packs and when it closes a channel."""

from dataclasses import dataclass
from typing import Literal

from sequencer.batcher.da import (
    MAX_BLOB_DATA_SIZE,
    MAX_BLOBS_PER_TRANSACTION,
    MAX_CALLDATA_SIZE,
    DataAvailability,
)

BatchType = Literal["singular", "span"]
Compression = Literal["zlib", "brotli"]


@dataclass(slots=True, frozen=True)
class BatcherConfig:
    """Options of a batcher; durations and margins in L1 blocks, sizes in bytes.

    A channel closes when it holds target_size bytes (None: as much as one full transaction of its kind), when it has
    been open for max_channel_duration, or when the sequencing window or the channel timeout come within safety_margin.
    """

    da: DataAvailability = "auto"
    batch_type: BatchType = "span"
    compression: Compression = "brotli"
    max_channel_duration: int = 1
    safety_margin: int = 4
    target_size: int | None = None
    max_calldata_frame: int = MAX_CALLDATA_SIZE - 1
    max_blob_frame: int = MAX_BLOB_DATA_SIZE - 1
    blobs_per_transaction: int = MAX_BLOBS_PER_TRANSACTION
    max_blocks_per_span_batch: int | None = None
    confirmations: int = 1
    resubmit_after: int = 3
    max_pending: int = 20  # transactions on the way at a time
    follow_depth: int = 64  # L1 blocks after which an included transaction is taken as final

    @property
    def channel_size(self) -> int:
        """Compressed bytes a channel aims at."""
        if self.target_size is not None:
            return self.target_size
        if self.da == "calldata":
            return self.max_calldata_frame
        return self.max_blob_frame * self.blobs_per_transaction
