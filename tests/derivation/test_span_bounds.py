"""Spans of no blocks, of too many, and of L1 origins that cannot be theirs.

Specs protocol/delta/span-batches.md, "Span Batch Size Limits"; protocol/holocene/derivation.md, "Span Batches".
"""

import pytest

from derivation.batches import BatchError
from derivation.span_batch_transactions import encode_uvarint
from derivation.span_batches import SpanBatch, decode_raw_span_batch
from derivation.span_blocks import SpanBlock
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef

L1_BLOCKS = [L1BlockRef(bytes([number]) * 32, number, bytes(32), 100 + 12 * number) for number in (4, 5, 6)]
SAFE_HEAD = L2BlockRef(b"\xaa" * 32, 9, b"\xab" * 32, 200, BlockId(L1_BLOCKS[1].hash, 5), 0)


def span(*epochs):
    """A span of a block for each epoch, the first of them two seconds after the safe head."""
    blocks = [SpanBlock(202 + 2 * index, epoch) for index, epoch in enumerate(epochs)]
    return SpanBatch(bytes(20), bytes(20), blocks)


def test_blocks_of_known_origins_have_their_hashes():
    batches = list(span(5, 5, 6).singular_batches(L1_BLOCKS, SAFE_HEAD))
    assert [batch.epoch_hash for batch in batches] == [L1_BLOCKS[1].hash, L1_BLOCKS[1].hash, L1_BLOCKS[2].hash]


@pytest.mark.parametrize("epochs", [(7,), (5, 7), (4, 5), (0,)], ids=["unknown", "unknown later", "too old", "genesis"])
def test_an_outdated_or_unknown_origin_makes_the_span_invalid_before_its_first_block(epochs):
    # spec: holocene.span-old-origin
    with pytest.raises(BatchError, match="unknown or too old"):
        span(*epochs).singular_batches(L1_BLOCKS, SAFE_HEAD)


def content(block_count, rest):
    """A span's head, and what follows the count of its blocks."""
    return encode_uvarint(1) + encode_uvarint(5) + bytes(40) + encode_uvarint(block_count) + rest


def test_a_span_of_one_empty_block_is_read():
    raw = decode_raw_span_batch(content(1, b"\0" + encode_uvarint(0)))
    assert list(raw.transaction_counts) == [0]


@pytest.mark.parametrize(
    ("block_count", "rest", "reason"),
    [
        (0, b"", "a span batch of no blocks"),
        (10_000_001, bytes(12_000_000), "a span batch of 10000001 blocks"),
        (1, b"\0" + encode_uvarint(10_000_001), "a span batch of too many transactions"),
        (2, b"\0" + encode_uvarint(6_000_000) * 2, "a span batch of too many transactions"),
    ],
    ids=["no blocks", "too many blocks", "a block of too many transactions", "too many transactions in all"],
)
def test_a_span_outside_of_its_bounds_is_invalid(block_count, rest, reason):
    # spec: span.not-empty, span.max-elements
    with pytest.raises(BatchError, match=reason):
        decode_raw_span_batch(content(block_count, rest))
