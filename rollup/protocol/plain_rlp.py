"""RLP in plain Python (Yellow Paper, appendix B), for Python versions without a wheel of rusty-rlp."""

from collections.abc import Sequence
from typing import Any


class PlainRlpError(ValueError):
    """Bytes that are not canonical RLP."""


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
    """Decodes one canonical item without trailing bytes to bytes or nested lists; raises PlainRlpError."""
    top: list[Any] = []
    open_lists, position = [(top, len(data))], 0
    while True:
        items, end = open_lists[-1]
        if position == end:
            if len(open_lists) == 1:
                break
            open_lists.pop()
            continue
        is_list, start, stop = _read_head(data, position, end)
        if is_list:
            inner: list[Any] = []
            items.append(inner)
            open_lists.append((inner, stop))
            position = start
        else:
            items.append(data[start:stop])
            position = stop
    if len(top) != 1:
        raise PlainRlpError(f"{len(top)} items where one is expected")
    return top[0]


def _head(base: int, size: int) -> bytes:
    if size <= 55:
        return bytes((base + size,))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((base + 55 + len(length),)) + length


def _read_head(data: bytes, position: int, end: int) -> tuple[bool, int, int]:
    """Whether a list begins at `position`, and the start and the end of the item's payload."""
    first = data[position]
    if first < 0x80:
        return False, position, position + 1
    is_list = first >= 0xC0
    size, start = first - (0xC0 if is_list else 0x80), position + 1
    if size > 55:
        length = data[start : start + size - 55]
        start += size - 55
        size = int.from_bytes(length, "big")
        if start > end or length[0] == 0 or size <= 55:
            raise PlainRlpError("a length that is not canonical")
    if start + size > end:
        raise PlainRlpError("an item that is longer than the data")
    if not is_list and size == 1 and data[start] < 0x80:
        raise PlainRlpError("a single byte that is not canonical")
    return is_list, start, start + size
