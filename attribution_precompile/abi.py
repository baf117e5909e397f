"""The ABI codec: as strict as solc 0.8's own decoder (ABI coder v2), and bounded by the length of the calldata.

Every offset is compared with what is there before it is added, every count before it is multiplied: a hostile
encoding costs no more than reading its words. Trailing calldata is ignored (attribution.md section 3).
"""

from typing import Final

from .errors import MALFORMED_INPUT

SELECTOR: Final = 4
WORD: Final = 32


def decode_words(data: bytes, bits: tuple[int, ...], base: int = SELECTOR) -> list[int]:
    """The static words from byte `base` on, each an unsigned integer of at most the given bits; else MalformedInput."""
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
    """Where the dynamic tuple at `offset` from `base` starts, its static part of `words` words being all there."""
    if offset > len(data) - base - WORD * words:
        raise MALFORMED_INPUT()
    return base + offset


def locate_array(data: bytes, offset: int, item_words: int, base: int = SELECTOR) -> tuple[int, int]:
    """First byte and count of the array at `offset` from `base`, whose items take `item_words` words each."""
    if offset > len(data) - base - WORD:
        raise MALFORMED_INPUT()
    start = base + offset + WORD
    count = int.from_bytes(data[start - WORD : start], "big")
    if count > (len(data) - start) // (WORD * item_words):
        raise MALFORMED_INPUT()
    return start, count


def decode_array(data: bytes, offset: int, bits: tuple[int, ...], base: int = SELECTOR) -> list[list[int]]:
    """The array at `offset`, each item a row of static words of at most the given bits."""
    start, count = locate_array(data, offset, len(bits), base)
    stride = WORD * len(bits)
    return [decode_words(data, bits, start + i * stride) for i in range(count)]


def decode_uint64_array(data: bytes, offset: int) -> list[int]:
    """A `uint64[]`."""
    start, count = locate_array(data, offset, 1)
    return decode_words(data, (64,) * count, start)


def slice_words(data: bytes, offset: int) -> bytes:
    """A `uint256[]` as its packed words: what abi.encodePacked of it gives."""
    start, count = locate_array(data, offset, 1)
    return data[start : start + WORD * count]


def slice_bytes(data: bytes, offset: int) -> bytes:
    """A `bytes`."""
    if offset > len(data) - SELECTOR - WORD:
        raise MALFORMED_INPUT()
    start = SELECTOR + offset + WORD
    length = int.from_bytes(data[start - WORD : start], "big")
    if length > len(data) - start:
        raise MALFORMED_INPUT()
    return data[start : start + length]


def encode_words(*values: int) -> bytes:
    """Unsigned integers, a word each."""
    return b"".join([value.to_bytes(WORD, "big") for value in values])
