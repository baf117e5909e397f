"""Decompression of a channel: all of it, up to the limit, or up to a defect."""

import random
import zlib

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivation.channel_strings import channel_strings
from derivation.compression import CompressionError, Defect, compress, decompress
from rollup.protocol.primitives import rlp_encode

LIMIT = 100_000_000
COMPRESSIONS = ("zlib", "brotli")
TEXT = b"".join(number.to_bytes(3, "big") for number in range(20_000))
STRINGS = [TEXT[start : start + 700] for start in range(0, len(TEXT), 700)]
CONTENT = b"".join(map(rlp_encode, STRINGS))


def strings(channel: bytes) -> list[bytes]:
    """The strings in a channel; an empty list if it is not compressed in a known way."""
    try:
        return list(channel_strings(channel, LIMIT, allow_brotli=True))
    except CompressionError:
        return []


@given(data=st.binary(max_size=5_000), repeat=st.integers(1, 300), compression=st.sampled_from(COMPRESSIONS))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_round_trip(data: bytes, repeat: int, compression: str) -> None:
    channel = compress(data * repeat, compression)
    assert decompress(channel, LIMIT, allow_brotli=True) == data * repeat


@given(
    data=st.binary(min_size=1, max_size=3_000), compression=st.sampled_from(COMPRESSIONS), limit=st.integers(1, 4_000)
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_output_over_the_limit_is_cut_off(data: bytes, compression: str, limit: int) -> None:
    # spec: channel.max-rlp-bytes
    assert decompress(compress(data, compression), limit, allow_brotli=True) == data[:limit]


@given(data=st.binary(max_size=2_000), version=st.sampled_from((b"", b"\x78\x9c", b"\x78", b"\1", b"\2")))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_hostile_bytes_are_a_compression_error_or_data(data: bytes, version: bytes) -> None:
    try:
        assert len(decompress(version + data, 50_000, allow_brotli=True)) <= 50_000
    except (CompressionError, Defect):
        pass


@given(
    position=st.integers(0, 10_000),
    flip=st.integers(1, 255),
    cut=st.integers(1, 10_000),
    compression=st.sampled_from(COMPRESSIONS),
)
@settings(max_examples=20, deadline=None, derandomize=True)
def test_a_truncated_stream_gives_a_prefix_of_its_strings(position: int, flip: int, cut: int, compression: str) -> None:
    channel = compress(CONTENT, compression)
    kept = channel[: max(2, len(channel) - cut)]
    found = strings(kept)
    assert found == STRINGS[: len(found)]
    broken = bytearray(channel)
    broken[1 + position % (len(channel) - 1)] ^= flip
    strings(bytes(broken))


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


def test_zlib_gives_the_strings_before_a_defect() -> None:
    """Blocks before a broken one have been read by the time op-node meets it."""
    stream = zlib.compressobj(9)
    sound = stream.compress(CONTENT) + stream.flush(zlib.Z_FULL_FLUSH)
    # A block of the reserved type 3 (RFC 1951, section 3.2.3).
    assert strings(sound + b"\x07") == STRINGS


@pytest.mark.parametrize("size", [4_000, 220_000])
def test_a_wrong_checksum_costs_the_last_batch_when_it_is_read_past_the_buffer(size: int) -> None:
    """op-node's stream reports the checksum with the last bytes; a string of less than 4,096 bytes is buffered then."""
    contents = [bytes(100), NOISE(size)]
    channel = zlib.compress(b"".join(map(rlp_encode, contents)), 9)
    assert strings(channel) == strings(channel + b"and more") == contents
    for broken in (channel[:-1] + bytes((channel[-1] ^ 1,)), channel[:-4]):
        assert strings(broken) == (contents if size < 4_096 else contents[:1])


def test_what_follows_a_brotli_stream_is_a_defect_after_all_its_strings() -> None:
    assert strings(b"\1" + brotli.compress(CONTENT) + b"and more") == STRINGS


def test_the_last_byte_of_brotli_is_read_before_anything_is_given_out() -> None:
    """A bit of its padding set: op-node's decoder has given nothing when it meets it (PADDING_2)."""
    few = b"".join(map(rlp_encode, STRINGS[:4]))
    channel = bytearray(compress(few, "brotli"))
    assert len(channel) < 4_096
    channel[-1] ^= 0x80
    assert strings(bytes(channel)) == []
    # What a piece of 4,095 bytes held has been given out when the next one's defect is met.
    channel = bytearray(compress(CONTENT, "brotli"))
    channel[-1] ^= 0x80
    found = strings(bytes(channel))
    assert found
    assert found == STRINGS[: len(found)]


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
    # spec: fjord.brotli
    with pytest.raises(CompressionError):
        decompress(channel, LIMIT, allow_brotli=True)


def test_a_dictionary_of_nothing_is_none() -> None:
    body = zlib.compress(TEXT, 9)[2:]
    assert decompress(b"\x78\xbb\0\0\0\1" + body, LIMIT, allow_brotli=False) == TEXT


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_sound_stream_and_its_reading_in_steps_give_the_same(compression: str) -> None:
    """A byte after brotli's end, a wrong checksum of zlib: the same content by the way of defective streams."""
    contents = [NOISE(size) for size in (0, 1, 55, 56, 4_095, 4_096, 4_097, 32_768, 70_000, 300_000)] + [bytes(50)]
    channel = compress(b"".join(map(rlp_encode, contents)), compression)
    broken = channel + b"\0" if compression == "brotli" else channel[:-1] + bytes((channel[-1] ^ 1,))
    assert strings(channel) == strings(broken) == contents


def test_brotli_only_from_fjord() -> None:
    # spec: fjord.brotli
    with pytest.raises(CompressionError):
        decompress(compress(b"data", "brotli"), LIMIT, allow_brotli=False)


def test_a_bomb_stops_at_the_limit() -> None:
    # spec: fjord.channel-limits
    for compression in COMPRESSIONS:
        channel = compress(bytes(30_000_000), compression)
        assert len(channel) < 100_000
        assert decompress(channel, 10_000_000, allow_brotli=True) == bytes(10_000_000)
