"""Frames, batches and span batches: both ways, and any bytes at their doors."""

from hypothesis import given, settings
from hypothesis import strategies as st

from derivation.batches import SPAN_BATCH, BatchError, SingularBatch, decode_singular_batch
from derivation.frames import Frame, FrameError, decode_frame, decode_frames
from derivation.span_batch_transactions import (
    Reader,
    SpanTransactions,
    decode_bits,
    decode_uvarints,
    encode_bits,
    encode_uvarint,
)
from derivation.span_batches import decode_raw_span_batch, decode_span_batch, encode_span_batch
from rollup.protocol.blockref import L2BlockRef
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.primitives import rlp_decode
from tests.derivation.strategies import CHAIN_ID, config, runs_of_batches, singular_batches, transactions

CONFIG = config(forks=ForkSchedule.all_at(Fork.JOVIAN))
frames = st.builds(
    Frame, st.binary(min_size=16, max_size=16), st.integers(0, 65_535), st.binary(max_size=100), st.booleans()
)


@given(items=st.lists(frames, min_size=1, max_size=5))
@settings(deadline=None, derandomize=True)
def test_frames_round_trip(items: list[Frame]) -> None:
    # spec: frame.format
    encoded = [item.encode() for item in items]
    assert decode_frames(b"\0" + b"".join(encoded)) == items
    assert decode_frame(encoded[0]) == (items[0], len(encoded[0]))


@given(items=st.lists(frames, min_size=1, max_size=3), data=st.data())
@settings(deadline=None, derandomize=True)
def test_one_broken_frame_breaks_all(items: list[Frame], data: st.DataObject) -> None:
    # spec: frame.all-parse
    encoded = b"\0" + b"".join(item.encode() for item in items)
    # Cutting inside a frame, never between two.
    ends = [len(b"\0" + b"".join(item.encode() for item in items[: index + 1])) for index in range(len(items))]
    cut = data.draw(st.integers(2, len(encoded) - 1).filter(lambda place: place not in ends))
    for broken in (encoded[:cut], encoded[:-1] + b"\2"):
        try:
            decode_frames(broken)
        except FrameError:
            continue
        raise AssertionError("a broken frame was taken")


@given(data=st.binary(max_size=300), start=st.integers(0, 20))
@settings(max_examples=500, deadline=None, derandomize=True)
def test_hostile_frames(data: bytes, start: int) -> None:
    for decode in (decode_frames, lambda raw: decode_frames(b"\0" + raw), lambda raw: decode_frame(raw, start)):
        try:
            decode(data)
        except FrameError:
            pass


@given(batch=singular_batches())
@settings(deadline=None, derandomize=True)
def test_singular_batches_round_trip(batch: SingularBatch) -> None:
    content = rlp_decode(batch.encode())
    assert content[0] == 0
    assert decode_singular_batch(content[1:]) == batch


@given(batch=singular_batches(), place=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.integers(0, 200))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_hostile_singular_batches(batch: SingularBatch, place: int, byte: int, cut: int) -> None:
    # spec: batch.version
    content = bytearray(rlp_decode(batch.encode())[1:])
    content[place % len(content)] = byte
    for broken in (bytes(content), bytes(content[cut:]), bytes(content[: len(content) - cut])):
        try:
            decoded = decode_singular_batch(broken)
        except BatchError:
            continue
        # What is taken is the only encoding of itself.
        assert rlp_decode(decoded.encode())[1:] == broken


@given(numbers=st.lists(st.integers(0, 2**64 - 1), max_size=20))
@settings(deadline=None, derandomize=True)
def test_varints(numbers: list[int]) -> None:
    reader = Reader(b"".join(map(encode_uvarint, numbers)))
    assert decode_uvarints(reader, len(numbers)) == numbers
    assert reader.left == 0


@given(bits=st.lists(st.booleans(), max_size=200))
@settings(deadline=None, derandomize=True)
def test_bits(bits: list[bool]) -> None:
    reader = Reader(encode_bits(bits))
    assert decode_bits(reader, len(bits)) == bits
    assert reader.left == 0


@given(raws=st.lists(transactions(), max_size=6))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_transactions_through_the_columns(raws: list[bytes]) -> None:
    # spec: span.set-code
    columns = SpanTransactions.of(raws)
    reader = Reader(columns.encode())
    decoded = SpanTransactions.decode(reader, len(raws))
    assert reader.left == 0
    assert decoded == columns
    assert decoded.full_transactions(CHAIN_ID) == raws


def encoded(batches: list[SingularBatch], sequence_number: int) -> bytes:
    """The span batch's content, type byte and RLP string taken off."""
    first = batches[0]
    ref = L2BlockRef(bytes(32), 1, first.parent_hash, first.timestamp, first.epoch, sequence_number)
    content = rlp_decode(encode_span_batch(CONFIG, ref, batches))
    assert content[0] == SPAN_BATCH
    return bytes(content[1:])


@given(batches=runs_of_batches(CONFIG), sequence_number=st.integers(0, 3))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_span_batches_round_trip(batches: list[SingularBatch], sequence_number: int) -> None:
    # spec: span.format
    content = encoded(batches, sequence_number)
    assert decode_raw_span_batch(content).encode() == content
    span = decode_span_batch(CONFIG, content)
    assert span.parent_check == batches[0].parent_hash[:20]
    assert span.l1_origin_check == batches[-1].epoch_hash[:20]
    assert [(block.timestamp, block.epoch_number, block.transactions) for block in span.blocks] == [
        (batch.timestamp, batch.epoch_number, batch.transactions) for batch in batches
    ]


@given(
    batches=runs_of_batches(CONFIG),
    place=st.integers(0, 100_000),
    byte=st.integers(0, 255),
    cut=st.integers(1, 100_000),
    noise=st.binary(max_size=200),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_hostile_span_batches(batches: list[SingularBatch], place: int, byte: int, cut: int, noise: bytes) -> None:
    content = encoded(batches, 0)
    flipped = bytearray(content)
    flipped[place % len(flipped)] = byte
    for broken in (bytes(flipped), content[: cut % len(content)], noise, content[:60] + noise):
        try:
            span = decode_span_batch(CONFIG, broken)
        except BatchError:
            continue
        assert span.blocks


def test_counts_that_nothing_follows_cannot_allocate() -> None:
    """Ten million blocks or transactions announced in a few bytes."""
    head = encode_uvarint(1) + encode_uvarint(1) + bytes(40)
    many = encode_uvarint(10_000_000)
    for content in (
        head + many,
        head + encode_uvarint(10_000_001),
        head + encode_uvarint(2**64 - 1),
        head + encode_uvarint(1) + b"\0" + many,
        head + encode_uvarint(1) + b"\0" + encode_uvarint(2**64 - 1),
    ):
        try:
            decode_raw_span_batch(content)
        except BatchError:
            continue
        raise AssertionError("taken")
