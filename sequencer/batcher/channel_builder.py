"""Packs L2 blocks into one channel, and a closed channel into frames.

Formats: specs protocol/derivation.md, "Channel Format" and "Frame Format"; span batches: specs protocol/delta.
"""

import copy
from dataclasses import dataclass

from derivation.batches import SingularBatch
from derivation.compression import compress
from derivation.frames import FRAME_OVERHEAD, Frame
from derivation.span_batches import encode_span_batch
from rollup.cooperative import in_turns
from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.l2_blocks import l1_attributes_of, l2_block_ref
from rollup.protocol.primitives import keccak256
from sequencer.batcher.config import BatcherConfig

_MAX_RLP_BYTES = 10_000_000  # specs protocol/derivation.md, MAX_RLP_BYTES_PER_CHANNEL
_MAX_RLP_BYTES_FJORD = 100_000_000  # specs protocol/fjord/derivation.md
_WORSE = 1.1  # new blocks are taken to compress worse than those before by so much, until they are measured


@dataclass(slots=True, frozen=True)
class _Entry:
    ref: L2BlockRef
    batch: SingularBatch


class ChannelBuilder:
    """One open channel. The formats are those of the forks active at the L1 head it was opened at, which holds for
    any later block that includes it.
    """

    def __init__(self, config: RollupConfig, options: BatcherConfig, opened_at: L1BlockRef) -> None:
        self._config = config
        self._options = options
        self._opened_at = opened_at
        self._is_span = options.batch_type == "span" and config.is_delta(opened_at.timestamp)
        is_fjord = config.is_fjord(opened_at.timestamp)
        self._compression = options.compression if is_fjord else "zlib"
        self._max_rlp = _MAX_RLP_BYTES_FJORD if is_fjord else _MAX_RLP_BYTES
        self._entries: list[_Entry] = []
        self._raw_size = 0  # of the blocks as singular batches: an upper bound, near enough, of a span batch
        self._measured_raw = 0
        self._measured_size = 0
        self._data: bytes | None = None
        self._batch_size = 0  # bytes of the batches in _data before compression
        self._deadline = opened_at.number + options.max_channel_duration
        self.is_full = False

    def copy(self) -> "ChannelBuilder":
        """A channel with the same blocks, to which more can be added."""
        made = copy.copy(self)
        made._entries = list(self._entries)
        return made

    @property
    def first(self) -> BlockId | None:
        """The first L2 block in it."""
        return self._entries[0].ref.id if self._entries else None

    @property
    def last(self) -> BlockId | None:
        """The last L2 block in it."""
        return self._entries[-1].ref.id if self._entries else None

    def add(self, block: Block) -> bool:
        """Takes the next L2 block; False when it does not fit any more: it belongs to the next channel.

        A first block is always taken: it may fill a channel of more than the target size.
        """
        if self.is_full:
            return False
        ref = l2_block_ref(self._config, block)
        entry = _Entry(ref, _singular_batch(block, ref))
        size = len(entry.batch.encode())
        if self._entries and self._raw_size + size > self._max_rlp:
            self.is_full = True
            return False
        if not self._entries:
            # Dropped when the first L1 origin is before Delta (specs protocol/delta/span-batches.md).
            self._is_span = self._is_span and self._config.is_delta(l1_attributes_of(block).timestamp)
        self._entries.append(entry)
        self._raw_size += size
        self._data = None
        if not self._fits():
            self.is_full = True
            if len(self._entries) > 1:
                self._entries.pop()
                self._data = None
                return False
        window_ends = entry.ref.l1_origin.number + self._config.seq_window_size - self._options.safety_margin
        self._deadline = min(self._deadline, window_ends)
        return True

    def sizes(self) -> tuple[int, int]:
        """Bytes of its batches as they are and compressed."""
        compressed = len(self._compressed())
        return self._batch_size, compressed

    def is_timed_out(self, l1_head: int) -> bool:
        """True when it must be sent, full or not, at this L1 block."""
        # spec: batcher.window
        return bool(self._entries) and l1_head >= self._deadline

    def frames(self, max_size: int) -> list[bytes]:
        """The channel as encoded frames of at most max_size bytes each."""
        data = self._compressed()
        # The same blocks give the same channel: a second posting of it is recognised and ignored by derivation.
        channel_id = keccak256(self._entries[0].ref.hash + data)[:16]
        room = max_size - FRAME_OVERHEAD
        chunks = [data[start : start + room] for start in range(0, len(data), room)]
        last = len(chunks) - 1
        return [Frame(channel_id, number, chunk, number == last).encode() for number, chunk in enumerate(chunks)]

    def _fits(self) -> bool:
        """Whether the channel is below its target.

        It compresses only when that is in doubt: each time it compresses everything again. Until then new blocks are
        taken to compress a little worse than those before. If they compress much worse, the channel gets larger than
        its target, but never by more than the target.
        """
        growth, target = self._raw_size - self._measured_raw, self._options.channel_size
        ratio = min(_WORSE * self._measured_size / self._measured_raw, 1.0) if self._measured_raw else 1.0
        if growth < target and self._measured_size + growth * ratio < target:
            return True
        self._measured_size = len(self._compressed())
        self._measured_raw = self._raw_size
        return self._measured_size < target

    def _compressed(self) -> bytes:
        if self._data is None:
            batches = self._encoded()
            self._data, self._batch_size = compress(batches, self._compression), len(batches)
        return self._data

    def _encoded(self) -> bytes:
        """The RLP strings of the channel's batches, one after the other."""
        batches = [entry.batch for entry in self._entries]
        if not self._is_span:
            return b"".join(batch.encode() for batch in batches)
        size = self._options.max_blocks_per_span_batch or len(batches)
        return b"".join(
            encode_span_batch(self._config, self._entries[start].ref, batches[start : start + size])
            for start in range(0, len(batches), size)
        )


def _singular_batch(block: Block, ref: L2BlockRef) -> SingularBatch:
    return SingularBatch(
        ref.parent_hash,
        ref.l1_origin.number,
        ref.l1_origin.hash,
        ref.timestamp,
        [transaction.encode() for transaction in in_turns(block.transactions) if not transaction.is_deposit],
    )
