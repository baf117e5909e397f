"""RLP in plain Python (Yellow Paper, appendix B).

The decoder serves every Python version: it is two to ten times as fast as rusty-rlp's, which copies byte by byte. The
encoder is for versions without a wheel of rusty-rlp.
"""

from collections.abc import Sequence
from typing import Any

# Data this short cannot nest deep enough to matter (some 5,500 lists). Ethereum's data nests only a few levels.
_SHALLOW_SIZE, _MAX_DEPTH = 16_384, 1024


class RlpError(ValueError):
    """Bytes that are not canonical RLP of the expected shape."""


def encode(item: Any) -> bytes:
    """Encodes bytes or nested sequences of bytes; raises TypeError for anything else."""
    if isinstance(item, bytes | bytearray):
        data = bytes(item)
        return data if len(data) == 1 and data[0] < 0x80 else _head(0x80, len(data)) + data
    if not isinstance(item, Sequence) or isinstance(item, str):
        raise TypeError(f"RLP encodes bytes and sequences of bytes, not {type(item).__name__}")
    body = b"".join(map(encode, item))
    return _head(0xC0, len(body)) + body


def decode(data: bytes) -> Any:
    """Decodes canonical RLP to bytes or nested lists; raises RlpError on anything else, trailing bytes included.

    Lists in data above 16,384 bytes may nest 1,024 deep: encoding deeper ones would overflow the stack of rusty-rlp.
    """
    if data.__class__ is not bytes:
        data = bytes(data)
    items: list[Any] = []
    top, end, position = items, len(data), 0
    most = _MAX_DEPTH if end > _SHALLOW_SIZE else end
    outer: list[tuple[list[Any], int]] = []
    while True:
        if position == end:
            if not outer:
                break
            items, end = outer.pop()
            continue
        first = data[position]
        start = position + 1
        if first < 0x80:
            items.append(data[position:start])
            position = start
            continue
        if first < 0xB8:
            position = start + first - 0x80
            if position > end:
                raise RlpError("an item that is longer than the data")
            if first == 0x81 and data[start] < 0x80:
                raise RlpError("a single byte that is not canonical")
            items.append(data[start:position])
            continue
        if 0xC0 <= first < 0xF8:
            stop = start + first - 0xC0
        else:
            start, stop = _long_payload(data, start, first - (0xB7 if first < 0xC0 else 0xF7), end)
        if stop > end:
            raise RlpError("an item that is longer than the data")
        if first < 0xC0:
            items.append(data[start:stop])
            position = stop
            continue
        outer.append((items, end))
        if len(outer) > most:
            raise RlpError(f"lists nested deeper than {most}")
        inner: list[Any] = []
        items.append(inner)
        items, end, position = inner, stop, start
    if len(top) != 1:
        raise RlpError(f"{len(top)} items where one is expected")
    return top[0]


def _head(base: int, size: int) -> bytes:
    if size <= 55:
        return bytes((base + size,))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((base + 55 + len(length),)) + length


def _long_payload(data: bytes, position: int, length_size: int, end: int) -> tuple[int, int]:
    """Start and end of the payload whose length, of `length_size` bytes, stands at `position`."""
    start = position + length_size
    length = data[position:start]
    size = int.from_bytes(length, "big")
    if start > end or length[0] == 0 or size <= 55:
        raise RlpError("a length that is not canonical")
    return start, start + size
