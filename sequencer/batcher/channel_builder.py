"""Packs L2 blocks into one channel, and a closed channel into frames.

Formats: specs protocol/derivation.md, "Channel Format" and "Frame Format"; span batches: specs protocol/delta.
"""

from dataclasses import dataclass, field

from derivation.batches import SingularBatch
from derivation.compression import compress
from derivation.frames import FRAME_OVERHEAD, Frame
from derivation.span_batches import encode_span_batch
from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.protocol.primitives import Hash, keccak256, rlp_encode
from sequencer.batcher.config import BatcherConfig

_MAX_RLP_BYTES = 10_000_000  # specs protocol/derivation.md, MAX_RLP_BYTES_PER_CHANNEL
_MAX_RLP_BYTES_FJORD = 100_000_000
