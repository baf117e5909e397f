"""The ABI codec. It is as strict as solc 0.8's decoder (ABI coder v2), and its work is bounded by the length of the
calldata.

Every offset is checked against the calldata's length before it is added, and every count before it is multiplied, so a
hostile encoding costs no more than reading its words. Trailing calldata is ignored.
"""

from typing import Final

from .errors import MALFORMED_INPUT

SELECTOR: Final = 4
WORD: Final = 32


def decode_words(data: bytes, bits: tuple[int, ...], base: int = SELECTOR) -> list[int]:
    """Reads static words from byte `base` on: unsigned integers of at most the given bits. Raises MalformedInput
    otherwise.
    """
    if len(data) < base + WORD * len(bits):
        raise MALFORMED_INPUT()
    values = []
    for width in bits:
        value = int.from_bytes(data[base : base + WORD], "big")
        if value >> width:
            raise MALFORMED_INPUT()
        values.append(value)
        base += WORD
    return values


def locate_tuple(data: bytes, offset: int, words: int, base: int = SELECTOR) -> int:
    """Returns where the dynamic tuple at `offset` from `base` starts. Checks that its `words` static words are
    present.
    """
    if offset > len(data) - base - WORD * words:
        raise MALFORMED_INPUT()
    return base + offset


def locate_array(data: bytes, offset: int, item_words: int, base: int = SELECTOR) -> tuple[int, int]:
    """Returns the first byte and the length of the array at `offset` from `base`; an item has `item_words` words."""
    if offset > len(data) - base - WORD:
        raise MALFORMED_INPUT()
    start = base + offset + WORD
    count = int.from_bytes(data[start - WORD : start], "big")
    if count > (len(data) - start) // (WORD * item_words):
        raise MALFORMED_INPUT()
    return start, count


def decode_array(data: bytes, offset: int, bits: tuple[int, ...], base: int = SELECTOR) -> list[list[int]]:
    """Decodes the array at `offset`. An item is a row of static words of at most the given bits."""
    start, count = locate_array(data, offset, len(bits), base)
    stride = WORD * len(bits)
    return [decode_words(data, bits, start + i * stride) for i in range(count)]


def decode_uint64_array(data: bytes, offset: int) -> list[int]:
    """Decodes a `uint64[]`."""
    start, count = locate_array(data, offset, 1)
    return decode_words(data, (64,) * count, start)


def slice_words(data: bytes, offset: int) -> bytes:
    """Returns the packed words of a `uint256[]`, as abi.encodePacked would."""
    start, count = locate_array(data, offset, 1)
    return data[start : start + WORD * count]


def slice_bytes(data: bytes, offset: int) -> bytes:
    """Returns the content of a `bytes`."""
    if offset > len(data) - SELECTOR - WORD:
        raise MALFORMED_INPUT()
    start = SELECTOR + offset + WORD
    length = int.from_bytes(data[start - WORD : start], "big")
    if length > len(data) - start:
        raise MALFORMED_INPUT()
    return data[start : start + length]


def encode_words(*values: int) -> bytes:
    """Encodes unsigned integers, one word each."""
    return b"".join([value.to_bytes(WORD, "big") for value in values])
