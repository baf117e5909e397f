"""FastLZ in C, and counted by its candidate positions, against FastLZ byte by byte."""

import random
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollup.protocol import fastlz, fastlz_numpy
from rollup.protocol.fastlz import fastlz_length
from rollup.protocol.fastlz_numpy import counted_length

noise = st.binary(max_size=400)
few_values = st.lists(st.sampled_from([0, 0, 0, 1, 255]), max_size=600).map(bytes)
repeated = st.tuples(st.binary(min_size=1, max_size=60), st.integers(0, 400)).map(lambda pair: pair[0] * pair[1])


def fastlz_byte_by_byte(data: bytes) -> int:
    """The compressor as it is described, one position after the other."""
    size = len(data)
    table = [0] * 8192
    anchor, out, index = 0, 0, 2 if size > 2 else 0
    limit = size - 13
    while index < limit:
        while True:
            sequence = data[index] | data[index + 1] << 8 | data[index + 2] << 16
            slot = (2654435769 * sequence & 0xFFFFFFFF) >> 19
            reference, table[slot] = table[slot], index
            distance = index - reference
            if index >= limit:
                break
            index += 1
            if distance < 8192 and data[reference : reference + 3] == data[index - 1 : index + 2]:
                break
        if index >= limit:
            break
        index -= 1
        if index > anchor:
            out += _literals(index - anchor)
        length = _match_length(data, reference + 3, index + 3, size - 4)
        out += _match(length)
        index += length
        for position in (index, index + 1):
            sequence = int.from_bytes(data[position : position + 3], "little")
            table[(2654435769 * sequence & 0xFFFFFFFF) >> 19] = position
        index += 2
        anchor = index
    return out + _literals(size - anchor)


def _literals(count: int) -> int:
    full, rest = divmod(count, 32)
    return 33 * full + (rest + 1 if rest else 0)


def _match_length(data: bytes, reference: int, index: int, bound: int) -> int:
    length = 0
    while index < bound:
        length += 1
        if data[reference] != data[index]:
            break
        reference += 1
        index += 1
    return length


def _match(length: int) -> int:
    length -= 1
    full, rest = divmod(length, 262)
    return 3 * full + (3 if rest >= 6 else 2)


@given(st.lists(noise | few_values | repeated, max_size=6).map(b"".join))
@example(b"")
@example(bytes(20_000))
@example(bytes(100_000))  # above the size from which FastLZ takes level 2 of itself
@example(bytes(range(256)) * 40 + bytes(range(255, -1, -1)))
def test_the_length_is_that_of_the_plain_walk(data: bytes) -> None:
    # spec: fjord.fastlz
    assert fastlz_length(data) == counted_length(data) == fastlz_byte_by_byte(data)


def test_without_the_compiled_package_the_length_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastlz, "compressor", None)
    monkeypatch.setattr(fastlz_numpy, "counted_length", lambda data: -len(data))
    assert fastlz_length(b"abc") == -3


@pytest.mark.parametrize("chunk", [500, 5_000])
def test_the_size_of_the_chunks_changes_nothing(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Matches over a chunk's end, and chunks inside a match."""
    noise = random.Random(1).randbytes(6_000)
    for data in (bytes(9_000), noise + noise, (noise[:50] + bytes(90)) * 60, noise[:4] * 2_000):
        expected = fastlz_byte_by_byte(data)
        assert counted_length(data) == expected
        with monkeypatch.context() as patch:
            patch.setattr(fastlz_numpy, "_CHUNK", chunk)
            assert counted_length(data) == expected


def test_the_memory_does_not_grow_with_the_data() -> None:
    """An older version took 157 bytes per byte; a batch may hold a transaction of 90 MB."""
    tracemalloc.start()
    counted_length(bytes(2_000_000))
    counted_length(random.Random(1).randbytes(200_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000  # of the 314 MB that 157 bytes per byte would be
