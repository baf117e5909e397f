"""The encoded nodes of a Merkle Patricia trie: their items' places in the bytes, and paths (Yellow Paper, appendices C
and D). Nothing here decodes a whole node.
"""

from typing import Any, Final

from rollup.protocol.primitives import rlp_decode

FULL_BRANCH: Final = 3 + 16 * 33 + 1  # bytes: sixteen hashes and no value
HASH_ITEM: Final = 0xA0  # RLP's first byte of 32 bytes
EMPTY_ITEM: Final = 0x80  # RLP's first byte of none


def has_path(raw: bytes, path: bytes) -> bool:
    """Whether an encoded node is the leaf with this path. A branch begins differently, or with 32 bytes of a hash."""
    start = _start(raw)
    return raw[start] == EMPTY_ITEM + len(path) and raw.startswith(path, start + 1)


def is_branch(raw: bytes) -> bool:
    """Whether an encoded node has 17 items rather than 2."""
    if len(raw) == FULL_BRANCH and raw[3] == raw[36] == HASH_ITEM:
        return True
    return _skip(raw, _skip(raw, _start(raw))) != len(raw)


def child_of(raw: bytes, index: int) -> Any:
    """An encoded branch's child: a hash, an embedded node, or empty bytes."""
    return item_at(raw, place_of(raw, index))


def item_at(raw: bytes, place: int) -> Any:
    first = raw[place]
    if first == HASH_ITEM:
        return raw[place + 1 : place + 33]
    return b"" if first == EMPTY_ITEM else rlp_decode(raw[place : _skip(raw, place)])


def put_hashes(raw: bytes, places: list[int], references: list[Any]) -> bytes | None:
    """The branch with new hashes in place of the old ones, or None if a new or an old item is not a hash."""
    if len(places) == 1:
        place, reference = places[0], references[0]
        if raw[place] != HASH_ITEM or not isinstance(reference, bytes):
            return None
        return raw[: place + 1] + reference + raw[place + 33 :]
    patched = bytearray(raw)
    for place, reference in zip(places, references, strict=True):
        if raw[place] != HASH_ITEM or not isinstance(reference, bytes):
            return None
        patched[place + 1 : place + 33] = reference
    return bytes(patched)


def place_of(raw: bytes, index: int) -> int:
    """The position where an item of an encoded branch begins."""
    if len(raw) == FULL_BRANCH:
        return 3 + 33 * index
    position = 1 if raw[0] < 0xF8 else raw[0] - 0xF6
    while index:
        first = raw[position]
        if first == EMPTY_ITEM:
            position += 1
        elif first == HASH_ITEM:
            position += 33
        else:
            position += _length(first)
        index -= 1
    return position


def _start(raw: bytes) -> int:
    """The position where the first item of a list begins."""
    first = raw[0]
    return 1 if first < 0xF8 else first - 0xF6


def _skip(raw: bytes, position: int) -> int:
    """The position of the item after this one."""
    first = raw[position]
    if 0xB8 <= first < 0xC0:
        size = first - 0xB7
        return position + 1 + size + int.from_bytes(raw[position + 1 : position + 1 + size], "big")
    return position + _length(first)


def _length(first: int) -> int:
    """The number of bytes of an item of up to 55 bytes, from its first byte."""
    if first < 0x80:
        return 1
    return first - 0x7F if first < 0xC0 else first - 0xBF


def encode_path(nibbles: str, is_leaf: bool) -> bytes:
    """Hex-prefix encoding (Yellow Paper, appendix C)."""
    if len(nibbles) & 1:
        return bytes.fromhex(("3" if is_leaf else "1") + nibbles)
    return bytes.fromhex(("20" if is_leaf else "00") + nibbles)


def decode_path(data: bytes) -> tuple[str, bool]:
    """The nibbles as hex digits, and whether they end in a leaf."""
    text = data.hex()
    return text[1:] if text[0] in "13" else text[2:], text[0] in "23"
