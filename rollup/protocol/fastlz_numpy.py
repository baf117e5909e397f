"""The length that FastLZ level 1 compresses to, counted with NumPy and without compressing.

It is used where pyfastlz has no wheel (rollup/protocol/fastlz.py).

The compressor reads the bytes in order and looks up every three of them in a table of 8,192 slots. A position can be a
match only if its slot was used before. NumPy finds those positions, and the loop visits only them. It works in chunks,
because a match is at most 8,192 bytes back, so memory does not grow with a transaction of tens of megabytes.
"""

from typing import Any

import numpy

_MULTIPLIER = numpy.uint32(2_654_435_769)
_THREE_BYTES, _SHIFT = numpy.uint32(0xFF_FFFF), numpy.uint32(19)
_MAX_DISTANCE = 8_192
_TAIL = 13  # bytes at the end in which no match begins
_CHUNK = 1 << 15
_STRIDE = 1 << 10


def counted_length(data: bytes) -> int:
    """The compressed length in bytes, for any data."""
    size = len(data)
    limit = size - _TAIL
    if limit < 4:
        return _literals(size)
    skipped = bytearray(size)  # 1: inside a match, so never put into the table
    anchor, index, out = 0, 2, 0
    for start in range(0, limit - 1, _CHUNK):
        end = min(start + _CHUNK, limit - 1)
        if index >= end:
            continue  # a match goes beyond this chunk
        # The latest earlier position with the same slot in the table, for the positions that have one.
        earlier = _repeats(data, max(0, start - _MAX_DISTANCE), end)
        for position in sorted(earlier):
            if position < index or position < start:
                continue
            reference = earlier[position]
            while reference >= 2 and skipped[reference]:
                reference = earlier.get(reference, 0)
            if reference < 2:
                reference = 0  # the first two are never put in, and an empty slot reads as 0
            if (
                position - reference >= _MAX_DISTANCE
                or data[reference : reference + 3] != data[position : position + 3]
            ):
                continue
            if position > anchor:
                out += _literals(position - anchor)
            length = _match_length(data, reference + 3, position + 3, size - 4)
            out += _match(length)
            skipped[position + 1 : position + length] = b"\1" * (length - 1)
            anchor = index = position + length + 2
    return out + _literals(size - anchor)


def _repeats(data: bytes, start: int, end: int) -> dict[int, int]:
    """The latest earlier position with the same slot, for each position from start to end."""
    # The four bytes from each position on, without copying them; the fourth is masked out.
    words: Any = numpy.ndarray((end - start,), "<u4", data, start, (1,))
    places = ((words & _THREE_BYTES) * _MULTIPLIER >> _SHIFT).astype(numpy.uint16)
    order = places.argsort(kind="stable")
    ordered = places[order]
    same = (ordered[1:] == ordered[:-1]).nonzero()[0]
    if start:
        order += start
    return dict(zip(order[same + 1].tolist(), order[same].tolist(), strict=True))


def _literals(count: int) -> int:
    full, rest = divmod(count, 32)
    return 33 * full + (rest + 1 if rest else 0)


def _match_length(data: bytes, reference: int, index: int, bound: int) -> int:
    """The number of equal bytes from both positions on, and the first that differs, up to bound."""
    start = index
    while index + _STRIDE <= bound and data[reference : reference + _STRIDE] == data[index : index + _STRIDE]:
        reference += _STRIDE
        index += _STRIDE
    while index + 8 <= bound and data[reference : reference + 8] == data[index : index + 8]:
        reference += 8
        index += 8
    while index < bound:
        index += 1
        if data[reference] != data[index - 1]:
            break
        reference += 1
    return index - start


def _match(length: int) -> int:
    length -= 1
    full, rest = divmod(length, 262)
    return 3 * full + (3 if rest >= 6 else 2)
