"""Span batches: many consecutive L2 blocks in one batch, column by column (specs protocol/delta/span-batches.md)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from derivation.batches import SPAN_BATCH, BatchError, SingularBatch
from derivation.span_batch_transactions import Reader, SpanTransactions, decode_bits, encode_bits, encode_uvarint
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.primitives import rlp_encode

MAX_ELEMENTS = 10_000_000  # blocks or transactions in one span batch


@dataclass(slots=True)
class SpanBlock:
    """One block of a span: its time in seconds, its L1 origin's number, its transactions without deposits."""

    timestamp: int
    epoch_number: int
    transactions: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class SpanBatch:
    """A decoded span: 20 bytes of the first block's parent hash, 20 of the last block's L1 origin hash, the blocks."""

    parent_check: bytes
    l1_origin_check: bytes
    blocks: list[SpanBlock]

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

    def singular_batches(self, l1_blocks: Sequence[L1BlockRef], safe_head: L2BlockRef) -> list[SingularBatch]:
        """The blocks after the safe head as singular batches, parent hashes left open; raises BatchError when an origin
        is not among the L1 blocks."""
        hashes = {block.number: block.hash for block in l1_blocks}
        batches = []
        for block in self.blocks:
            if block.timestamp <= safe_head.timestamp:
                continue
            epoch_hash = hashes.get(block.epoch_number)
            if epoch_hash is None:
                raise BatchError(f"L1 origin {block.epoch_number} of a span batch is unknown")
            batches.append(SingularBatch(b"", block.epoch_number, epoch_hash, block.timestamp, block.transactions))
        return batches


@dataclass(slots=True)
class RawSpanBatch:
    """A span as it is encoded: numbers relative to genesis, origins as bits, transactions by column."""

    rel_timestamp: int
    l1_origin_number: int  # the last block's
    parent_check: bytes
    l1_origin_check: bytes
    origin_bits: list[bool]
    transaction_counts: list[int]
    transactions: SpanTransactions

    def encode(self) -> bytes:
        """The content after the type byte."""
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
        """The blocks; raises BatchError."""
        raws = self.transactions.full_transactions(chain_id)
        epochs = [self.l1_origin_number] * len(self.origin_bits)
        epoch = self.l1_origin_number
        for index in range(len(self.origin_bits) - 1, -1, -1):
            epochs[index] = epoch
            if self.origin_bits[index]:
                if epoch == 0:
                    raise BatchError("a span batch's L1 origins go below 0")
                epoch -= 1
        blocks, position = [], 0
        for index, count in enumerate(self.transaction_counts):
            timestamp = genesis_time + self.rel_timestamp + block_time * index
            blocks.append(SpanBlock(timestamp, epochs[index], raws[position : position + count]))
            position += count
        return SpanBatch(self.parent_check, self.l1_origin_check, blocks)


def decode_raw_span_batch(data: bytes, allow_set_code: bool = True) -> RawSpanBatch:
    """Parses the content after the type byte; raises BatchError. Bytes after the end are ignored, as op-node does."""
    reader = Reader(data)
    rel_timestamp, l1_origin_number = reader.uvarint(), reader.uvarint()
    parent_check, l1_origin_check = reader.take(20), reader.take(20)
    block_count = reader.uvarint()
    if block_count == 0:
        raise BatchError("a span batch of no blocks")
    if block_count > MAX_ELEMENTS:
        raise BatchError(f"a span batch of {block_count} blocks")
    origin_bits = decode_bits(reader, block_count)
    # Each count takes a byte at least: what is not there cannot make us allocate.
    if block_count > reader.left:
        raise BatchError("truncated span batch")
    counts = [reader.uvarint() for _ in range(block_count)]
    total = 0
    for count in counts:
        total += count
        if count > MAX_ELEMENTS or total > MAX_ELEMENTS:
            raise BatchError("a span batch of too many transactions")
    transactions = SpanTransactions.decode(reader, total, allow_set_code)
    return RawSpanBatch(
        rel_timestamp, l1_origin_number, parent_check, l1_origin_check, origin_bits, counts, transactions
    )


def decode_span_batch(config: RollupConfig, data: bytes, allow_set_code: bool = True) -> SpanBatch:
    """A span batch's content after its type byte; raises BatchError."""
    raw = decode_raw_span_batch(data, allow_set_code)
    return raw.derive(config.block_time, config.genesis.l2_time, config.l2_chain_id)


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
        origin_bits=bits,
        transaction_counts=[len(batch.transactions) for batch in batches],
        transactions=SpanTransactions.of([raw for batch in batches for raw in batch.transactions]),
    )
    return rlp_encode(bytes((SPAN_BATCH,)) + raw.encode())
