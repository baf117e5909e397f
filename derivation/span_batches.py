"""Span batches: many consecutive L2 blocks in one batch, column by column (specs protocol/delta/span-batches.md)."""

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy

from derivation.batches import SPAN_BATCH, BatchError, SingularBatch
from derivation.drops import Rule
from derivation.places import BatchPlace
from derivation.span_batch_transactions import Reader, SpanTransactions, encode_bits, encode_uvarint
from derivation.span_blocks import Bits, SpanBlock, SpanBlocks, decode_origin_bits
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.primitives import rlp_encode

MAX_ELEMENTS = 10_000_000  # blocks or transactions in one span batch


@dataclass(slots=True)
class SpanBatch:
    """A decoded span: 20 bytes of the first block's parent hash, 20 of the last block's L1 origin hash, the blocks.

    place: where it was read; not a part of its value.
    """

    parent_check: bytes
    l1_origin_check: bytes
    blocks: Sequence[SpanBlock]
    place: BatchPlace | None = field(default=None, compare=False)

    @property
    def timestamp(self) -> int:
        """The first block's time."""
        return self.blocks[0].timestamp

    @property
    def start_epoch(self) -> int:
        """The first block's L1 origin number."""
        return self.blocks[0].epoch_number

    @property
    def end_epoch(self) -> int:
        """The last block's L1 origin number."""
        return self.blocks[-1].epoch_number

    @property
    def transactions(self) -> int:
        """How many transactions all blocks have together."""
        if isinstance(self.blocks, SpanBlocks):
            return self.blocks.transactions
        return sum(len(block.transactions) for block in self.blocks)

    def blocks_after(self, timestamp: int) -> tuple[int, Iterator[SpanBlock]]:
        """The index of the first block later than a time, and the blocks from it on."""
        if isinstance(self.blocks, SpanBlocks):
            first = self.blocks.first_after(timestamp)
            return first, self.blocks.iterate(first)
        times = (index for index, block in enumerate(self.blocks) if block.timestamp > timestamp)
        first = next(times, len(self.blocks))
        return first, iter(self.blocks[first:])

    def singular_batches(self, l1_blocks: Sequence[L1BlockRef], safe_head: L2BlockRef) -> Iterator[SingularBatch]:
        """The blocks after the safe head as singular batches, parent hashes left open, made one at a time.

        Raises BatchError at once when an origin is not among the L1 blocks or is older than the safe head's
        (holocene/derivation.md, "Span Batches", on outdated L1 origin numbers).
        """
        # spec: holocene.span-old-origin
        hashes = {block.number: block.hash for block in l1_blocks}
        first, blocks = self.blocks_after(safe_head.timestamp)
        for number in self._origins(first):
            if number not in hashes or number < safe_head.l1_origin.number:
                raise BatchError(f"L1 origin {number} is unknown or too old", Rule.SPAN_OUTDATED_ORIGIN)
        return (
            SingularBatch(
                b"", block.epoch_number, hashes[block.epoch_number], block.timestamp, block.transactions, self.place
            )
            for block in blocks
        )

    def _origins(self, first: int) -> Sequence[int]:
        if isinstance(self.blocks, SpanBlocks):
            return self.blocks.origins(first)
        return [block.epoch_number for block in self.blocks[first:]]


@dataclass(slots=True)
class RawSpanBatch:
    """A span as it is encoded: numbers relative to genesis, origins as bits, transactions by column."""

    rel_timestamp: int
    l1_origin_number: int  # the last block's
    parent_check: bytes
    l1_origin_check: bytes
    origin_bits: Bits
    transaction_counts: Sequence[int]
    transactions: SpanTransactions

    def encode(self) -> bytes:
        """The content after the type byte."""
        # spec: span.format
        return b"".join(
            (
                encode_uvarint(self.rel_timestamp),
                encode_uvarint(self.l1_origin_number),
                self.parent_check,
                self.l1_origin_check,
                encode_uvarint(len(self.origin_bits)),
                encode_bits(self.origin_bits),
                *(encode_uvarint(count) for count in self.transaction_counts),
                self.transactions.encode(),
            )
        )

    def derive(self, block_time: int, genesis_time: int, chain_id: int) -> SpanBatch:
        """The blocks; raises SpanTransactionError."""
        raws = self.transactions.full_transactions(chain_id)
        blocks = SpanBlocks(
            genesis_time + self.rel_timestamp,
            block_time,
            self.l1_origin_number,
            self.origin_bits,
            self.transaction_counts,
            raws,
        )
        return SpanBatch(self.parent_check, self.l1_origin_check, blocks)


def decode_raw_span_batch(data: bytes) -> RawSpanBatch:
    """Parses the content after the type byte; raises BatchError. Bytes after the end are ignored, as op-node does."""
    # spec: span.not-empty, span.format, span.max-elements
    reader = Reader(data)
    rel_timestamp, l1_origin_number = reader.uvarint(), reader.uvarint()
    parent_check, l1_origin_check = reader.take(20), reader.take(20)
    block_count = reader.uvarint()
    if block_count == 0:
        raise BatchError("a span batch of no blocks")
    if block_count > MAX_ELEMENTS:
        raise BatchError(f"a span batch of {block_count} blocks")
    origin_bits = decode_origin_bits(reader, block_count)
    # Each count takes a byte at least: what is not there cannot make us allocate.
    if block_count > reader.left:
        raise BatchError("truncated span batch")
    numbers = reader.uvarints(block_count)
    # The sum of ten million counts of at most ten million each is below 64 bits.
    if int(numbers.max()) > MAX_ELEMENTS or int(numbers.sum()) > MAX_ELEMENTS:
        raise BatchError("a span batch of too many transactions")
    counts = array("I", numbers.astype(numpy.uint32).tobytes())
    transactions = SpanTransactions.decode(reader, sum(counts))
    return RawSpanBatch(
        rel_timestamp, l1_origin_number, parent_check, l1_origin_check, origin_bits, counts, transactions
    )


def decode_span_batch(config: RollupConfig, data: bytes) -> SpanBatch:
    """A span batch's content after its type byte; raises BatchError, of it SpanTransactionError when all was read.

    A node's two derivations read the same bytes: what they decode to is kept for the second one.
    """
    terms = config.block_time, config.genesis.l2_time, config.l2_chain_id
    for known_terms, known_data, known in _decoded:
        if known_data == data and known_terms == terms:
            return SpanBatch(known.parent_check, known.l1_origin_check, known.blocks)
    batch = decode_raw_span_batch(data).derive(*terms)
    if len(data) <= _MOST_SHARED:
        _decoded.append((terms, data, batch))
    return batch


# The last few that were decoded, with the terms of their chain. Their blocks are never changed.
_MOST_SHARED = 4 * 1024 * 1024  # bytes
_decoded: deque[tuple[tuple[int, int, int], bytes, SpanBatch]] = deque(maxlen=4)


def encode_span_batch(config: RollupConfig, first: L2BlockRef, batches: Sequence[SingularBatch]) -> bytes:
    """Consecutive blocks as the RLP string of a span batch. first: the first block's reference."""
    previous = first.l1_origin.number - (1 if first.sequence_number == 0 else 0)
    bits = []
    for batch in batches:
        bits.append(batch.epoch_number != previous)
        previous = batch.epoch_number
    last: BlockId = batches[-1].epoch
    raw = RawSpanBatch(
        rel_timestamp=batches[0].timestamp - config.genesis.l2_time,
        l1_origin_number=last.number,
        parent_check=batches[0].parent_hash[:20],
        l1_origin_check=last.hash[:20],
        origin_bits=Bits.of(bits),
        transaction_counts=[len(batch.transactions) for batch in batches],
        transactions=SpanTransactions.of([raw for batch in batches for raw in batch.transactions]),
    )
    return rlp_encode(bytes((SPAN_BATCH,)) + raw.encode())
