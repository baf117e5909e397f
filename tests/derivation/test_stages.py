"""Frames in any partition and packing make the same batches, before Holocene in any order, from it in theirs."""

import random
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivation.batches import SingularBatch
from derivation.channel_reader import Batch, ChannelReader
from derivation.compression import Compression, compress
from derivation.errors import EndOfSource, NotEnoughData
from derivation.frame_queue import FrameQueue, prune_frames
from derivation.frames import MAX_FRAME_LENGTH, Frame
from derivation.l1_retrieval import BatcherPiece
from derivation.pipeline import ChannelProvider
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.primitives import rlp_encode
from tests.derivation.strategies import config, l1_ref, singular_batches

FORKS = [Fork.REGOLITH, Fork.CANYON, Fork.GRANITE, Fork.HOLOCENE, Fork.JOVIAN]


class Transactions:
    """L1 retrieval by hand: the data of batcher transactions, in order."""

    def __init__(self, items: list[bytes]) -> None:
        self.items = items
        self.origin = l1_ref(100)

    def next_data(self) -> BatcherPiece:
        if not self.items:
            raise EndOfSource
        return BatcherPiece(self.items.pop(0))


def batches_of(fork: Fork, datas: list[bytes]) -> list[Batch]:
    """The batches that frame queue, channel stage and reader find in batcher transactions."""
    rules = config(forks=ForkSchedule.all_at(fork))
    queue = FrameQueue(rules, Transactions(list(datas)))
    reader = ChannelReader(rules, ChannelProvider(rules, queue))
    found: list[Batch] = []
    while True:
        try:
            found.append(reader.next_batch())
        except NotEnoughData:
            continue
        except EndOfSource:
            return found


def channel_of(batches: list[SingularBatch], compression: Any = "zlib") -> bytes:
    return compress(b"".join(batch.encode() for batch in batches), compression)


@st.composite
def partitions(draw: st.DrawFn, channel_id: bytes, data: bytes) -> list[Frame]:
    """A channel cut into frames at any places, empty ones too."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    ends = [*cuts, len(data)]
    starts = [0, *cuts]
    return [
        Frame(channel_id, number, data[start:end], end_index == len(ends) - 1)
        for number, (start, end, end_index) in enumerate(zip(starts, ends, range(len(ends)), strict=True))
    ]


@st.composite
def packings(draw: st.DrawFn, frames: list[Frame]) -> list[bytes]:
    """Frames in batcher transactions, any number in each."""
    datas, position = [], 0
    while position < len(frames):
        count = draw(st.integers(1, len(frames) - position))
        datas.append(b"\0" + b"".join(frame.encode() for frame in frames[position : position + count]))
        position += count
    return datas


@given(data=st.data(), batches=st.lists(singular_batches(), min_size=1, max_size=4), fork=st.sampled_from(FORKS))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_partition_and_packing(data: st.DataObject, batches: list[SingularBatch], fork: Fork) -> None:
    frames = data.draw(partitions(b"c" * 16, channel_of(batches)))
    if fork < Fork.HOLOCENE:
        frames = data.draw(st.permutations(frames))
    assert batches_of(fork, data.draw(packings(frames))) == batches


@given(data=st.data(), channels=st.lists(st.lists(singular_batches(), min_size=1, max_size=2), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_channels_interleaved_before_holocene(data: st.DataObject, channels: list[list[SingularBatch]]) -> None:
    """Each frame keeps its place in its channel's; all batches come, a channel's together."""
    frames = [
        frame
        for index, batches in enumerate(channels)
        for frame in data.draw(partitions(bytes((index,)) * 16, channel_of(batches)))
    ]
    found = batches_of(Fork.GRANITE, data.draw(packings(data.draw(st.permutations(frames)))))
    assert sorted(batch.encode() for batch in found) == sorted(batch.encode() for item in channels for batch in item)
    for batches in channels:
        start = found.index(batches[0])
        assert any(
            found[place : place + len(batches)] == batches for place in range(start, len(found) - len(batches) + 1)
        )


@given(
    data=st.data(),
    batches=st.lists(singular_batches(), min_size=1, max_size=3),
    noise=st.lists(st.binary(max_size=60), max_size=4),
    fork=st.sampled_from(FORKS),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_foreign_data_between_costs_nothing(
    data: st.DataObject, batches: list[SingularBatch], noise: list[bytes], fork: Fork
) -> None:
    """A transaction that is not a list of frames is dropped alone; a version byte of 1 makes any bytes one."""
    datas = data.draw(packings(data.draw(partitions(b"c" * 16, channel_of(batches)))))
    for item in noise:
        datas.insert(data.draw(st.integers(0, len(datas))), b"\1" + item)
    assert batches_of(fork, datas) == batches


@given(datas=st.lists(st.binary(max_size=200).map(lambda item: b"\0" + item), max_size=5), fork=st.sampled_from(FORKS))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_hostile_transactions_end_quietly(datas: list[bytes], fork: Fork) -> None:
    assert batches_of(fork, datas) == []


@given(content=st.binary(max_size=300), compression=st.sampled_from(("zlib", "brotli")), wrap=st.booleans())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_hostile_channels_end_quietly(content: bytes, compression: str, wrap: bool) -> None:
    """Any bytes as what a channel decompresses to, bare and as an RLP string with a known type."""
    data = content if not wrap else rlp_encode(bytes((len(content) % 2,)) + content)
    frame = Frame(b"c" * 16, 0, compress(data, compression), True)
    for batch in batches_of(Fork.JOVIAN, [b"\0" + frame.encode()]):
        assert batch.timestamp >= 0


@pytest.mark.parametrize(
    "bad",
    [
        b"\xb8\x01\x00",  # one byte in the long form
        b"\xb9\x00\x38" + bytes(56),  # a length with a leading zero
        b"\x81\x00",  # a byte below 0x80 with a length
        b"\xc1\x00",  # a list
        b"\x80",  # nothing
    ],
    ids=["long form", "leading zero", "single byte", "list", "empty"],
)
def test_an_encoding_that_is_not_canonical_ends_its_channel(bad: bytes) -> None:
    """Batches before it count, those after it do not."""
    # spec: batch.extra-content
    before, after = (SingularBatch(bytes(32), number, bytes(32), 7) for number in (1, 2))
    frame = Frame(b"c" * 16, 0, compress(before.encode() + bad + after.encode(), "zlib"), True)
    assert batches_of(Fork.JOVIAN, [b"\0" + frame.encode()]) == [before]


frames_of_few_channels = st.builds(
    Frame, st.sampled_from((b"a" * 16, b"b" * 16, b"c" * 16)), st.integers(0, 3), st.just(b""), st.booleans()
)


@given(frames=st.lists(frames_of_few_channels, max_size=12))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_pruning_leaves_no_gap(frames: list[Frame]) -> None:
    # spec: holocene.frame-order
    kept = prune_frames(frames)
    for before, after in pairwise(kept):
        if before.channel_id == after.channel_id:
            assert not before.is_last
            assert after.number == before.number + 1
        else:
            assert before.is_last
            assert after.number == 0
    assert prune_frames(kept) == kept
    rest = iter(frames)
    assert all(any(item is candidate for candidate in rest) for item in kept)


MEGABYTE = 1_000_000
# Transactions that compress to almost nothing, and transactions that compress not at all.
CONTENTS = {"zeros": bytes, "noise": random.Random(1).randbytes}
SIZES = [
    *((content, size) for content in CONTENTS for size in (100_000, MEGABYTE, 3 * MEGABYTE, 10 * MEGABYTE)),
    ("zeros", 30 * MEGABYTE),
    ("zeros", 90 * MEGABYTE),
]


@pytest.mark.parametrize(("content", "size"), SIZES, ids=[f"{content}-{size}" for content, size in SIZES])
@pytest.mark.parametrize("compression", get_args(Compression))
def test_channels_of_every_size_and_compression_give_all_their_batches(
    content: str, size: int, compression: Compression
) -> None:
    """Up to nine tenths of the limit of 100 MB (fjord/derivation.md), in blocks of at most 1 MB."""
    block = min(MEGABYTE, size // 4)
    batches = [
        SingularBatch(bytes(32), number, bytes(32), number, [CONTENTS[content](block)])
        for number in range(size // block)
    ]
    channel = channel_of(batches, compression)
    pieces = [channel[start : start + MAX_FRAME_LENGTH] for start in range(0, len(channel), MAX_FRAME_LENGTH)]
    frames = [
        Frame(bytes(16), number, piece, number == len(pieces) - 1).encode() for number, piece in enumerate(pieces)
    ]
    assert batches_of(Fork.JOVIAN, [b"\0" + frame for frame in frames]) == batches
