"""What a channel decompresses to: all of it, up to the limit, or up to a defect."""

import random
import zlib

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivation.compression import CompressionError, compress, decompress

LIMIT = 100_000_000
COMPRESSIONS = ("zlib", "brotli")
TEXT = b"".join(number.to_bytes(3, "big") for number in range(20_000))


@given(data=st.binary(max_size=5_000), repeat=st.integers(1, 300), compression=st.sampled_from(COMPRESSIONS))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_round_trip(data: bytes, repeat: int, compression: str) -> None:
    channel = compress(data * repeat, compression)
    assert decompress(channel, LIMIT, allow_brotli=True) == data * repeat


@given(
    data=st.binary(min_size=1, max_size=3_000), compression=st.sampled_from(COMPRESSIONS), limit=st.integers(1, 4_000)
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_what_is_over_the_limit_is_cut_off(data: bytes, compression: str, limit: int) -> None:
    assert decompress(compress(data, compression), limit, allow_brotli=True) == data[:limit]


@given(data=st.binary(max_size=2_000), version=st.sampled_from((b"", b"\x78\x9c", b"\x78", b"\1", b"\2")))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_hostile_bytes_are_a_compression_error_or_data(data: bytes, version: bytes) -> None:
    try:
        assert len(decompress(version + data, 50_000, allow_brotli=True)) <= 50_000
    except CompressionError:
        pass


@given(
    position=st.integers(0, 10_000),
    flip=st.integers(1, 255),
    cut=st.integers(0, 10_000),
    compression=st.sampled_from(COMPRESSIONS),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_truncated_stream_gives_a_prefix(position: int, flip: int, cut: int, compression: str) -> None:
    channel = compress(TEXT, compression)
    kept = channel[: max(2, len(channel) - cut)]
    try:
        assert TEXT.startswith(decompress(kept, LIMIT, allow_brotli=True))
    except CompressionError:
        pass
    broken = bytearray(channel)
    broken[1 + position % (len(channel) - 1)] ^= flip
    try:
        decompress(bytes(broken), LIMIT, allow_brotli=True)
    except CompressionError:
        pass


NOISE = random.Random(1).randbytes
MEGABYTE = 1_000_000


@pytest.mark.parametrize("size", [2_064_288, 2_064_289, 3 * MEGABYTE, 5 * MEGABYTE])
@pytest.mark.parametrize("kind", ["zeros", "noise"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_output_that_waits_when_all_input_is_taken_in_is_read(size: int, kind: str, compression: str) -> None:
    """A decoder keeps output in its window: that it wants more input does not say that it has given everything."""
    data = bytes(size) if kind == "zeros" else NOISE(size)
    channel = compress(data, compression)
    assert decompress(channel, LIMIT, allow_brotli=True) == data
    for limit in (1, 1 << 20, (1 << 20) + 1, size - 1, size, size + 1):
        assert decompress(channel, limit, allow_brotli=True) == data[:limit]


def test_zlib_up_to_the_defect() -> None:
    """Blocks before a broken one have been read by the time op-node meets it."""
    stream = zlib.compressobj(9)
    sound = stream.compress(b"first" * 1_000) + stream.flush(zlib.Z_FULL_FLUSH)
    # A block of the reserved type 3 (RFC 1951, section 3.2.3).
    assert decompress(sound + b"\x07", LIMIT, allow_brotli=False) == b"first" * 1_000


def test_a_wrong_checksum_costs_nothing() -> None:
    channel = zlib.compress(TEXT, 9)
    assert decompress(channel[:-1] + bytes((channel[-1] ^ 1,)), LIMIT, allow_brotli=False) == TEXT
    assert decompress(channel[:-4], LIMIT, allow_brotli=False) == TEXT
    assert decompress(channel + b"and more", LIMIT, allow_brotli=False) == TEXT


def test_what_follows_a_brotli_stream_is_ignored() -> None:
    assert decompress(b"\1" + brotli.compress(TEXT) + b"and more", LIMIT, allow_brotli=True) == TEXT


@pytest.mark.parametrize(
    "channel",
    [
        b"",
        b"\x79\x9c" + zlib.compress(b"x")[2:],  # method 9
        b"\x88\x1c" + zlib.compress(b"x")[2:],  # a window above 32 KiB
        b"\x78\x9d" + zlib.compress(b"x")[2:],  # header checksum
        b"\x78\xbb\0\0\0\2" + zlib.compress(b"x")[2:],  # a preset dictionary
        b"\2" + zlib.compress(b"x"),
        b"\x78",
    ],
    ids=["empty", "method", "window", "check", "dictionary", "version", "short"],
)
def test_no_known_compression(channel: bytes) -> None:
    with pytest.raises(CompressionError):
        decompress(channel, LIMIT, allow_brotli=True)


def test_a_dictionary_of_nothing_is_none() -> None:
    body = zlib.compress(TEXT, 9)[2:]
    assert decompress(b"\x78\xbb\0\0\0\1" + body, LIMIT, allow_brotli=False) == TEXT


def test_brotli_only_from_fjord() -> None:
    with pytest.raises(CompressionError):
        decompress(compress(b"data", "brotli"), LIMIT, allow_brotli=False)


def test_a_bomb_stops_at_the_limit() -> None:
    for compression in COMPRESSIONS:
        channel = compress(bytes(30_000_000), compression)
        assert len(channel) < 100_000
        assert decompress(channel, 10_000_000, allow_brotli=True) == bytes(10_000_000)
