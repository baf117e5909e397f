"""Hashes, RLP and integers in Ethereum's encodings."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from sha3 import keccak_256

from rollup.protocol import plain_rlp

try:
    import rusty_rlp
except ModuleNotFoundError:  # rusty-rlp has no wheels from Python 3.13 on
    rusty_rlp = None

Address: TypeAlias = bytes  # 20 bytes
Hash: TypeAlias = bytes  # 32 bytes
RlpItem: TypeAlias = "bytes | Sequence[RlpItem]"

ZERO_ADDRESS: Address = bytes(20)
ZERO_HASH: Hash = bytes(32)


_STRING, _LIST, _MOST_IN_SHORT = 0x80, 0xC0, 55  # RLP's first bytes, and the longest payload that is in them
# Data this short cannot nest deep enough to matter (some 5,500 lists). Ethereum's data nests only a few levels.
_SHALLOW_SIZE, _MAX_DEPTH = 16_384, 1024


class RlpError(ValueError):
    """Bytes that are not canonical RLP of the expected shape."""


def keccak256(data: bytes) -> Hash:
    """The Keccak-256 digest (32 bytes)."""
    digest: bytes = keccak_256(data).digest()
    return digest


def rlp_encode(item: RlpItem) -> bytes:
    """Encodes bytes or nested sequences of bytes (Yellow Paper, appendix B)."""
    encoded: bytes = _encode(item)
    return encoded


def rlp_list_of(encoded: bytes) -> bytes:
    """The list of some items that are encoded already, one after the other."""
    size = len(encoded)
    if size <= _MOST_IN_SHORT:
        return b"%c%b" % (_LIST + size, encoded)
    if size < 1 << 8:
        return b"\xf8%c%b" % (size, encoded)
    if size < 1 << 16:
        return b"\xf9%b%b" % (size.to_bytes(2, "big"), encoded)
    length = to_int_bytes(size)
    return b"%c%b%b" % (_LIST + _MOST_IN_SHORT + len(length), length, encoded)


def rlp_int(value: int) -> bytes:
    """The encoding of an integer below 2^440."""
    if value < _STRING:
        return b"%c" % (value or _STRING)
    size = (value.bit_length() + 7) >> 3
    return (_STRING + size << 8 * size | value).to_bytes(size + 1, "big")


def rlp_without_last(data: bytes, numbers: Sequence[int]) -> bytes:
    """A list's encoding without its last items, which are these integers."""
    start = 1 if data[0] <= _LIST + _MOST_IN_SHORT else 1 + data[0] - _LIST - _MOST_IN_SHORT
    return rlp_list_of(data[start : len(data) - sum([len(rlp_int(number)) for number in numbers])])


def rlp_decode(data: bytes) -> Any:
    """Decodes canonical RLP to bytes or nested lists; raises RlpError on anything else, trailing bytes included."""
    if len(data) > _SHALLOW_SIZE:
        _check_depth(data)
    if rusty_rlp is None:
        return _decode_plainly(data)
    try:
        item = rusty_rlp.decode_raw(data, True, False)[0]
    except (rusty_rlp.DecodingError, TypeError, OverflowError) as error:
        raise RlpError(str(error)) from error
    # rusty-rlp ignores a truncated item at the end of a list; without this check, bytes could change unnoticed.
    if item.__class__ is list and rusty_rlp.encode_raw(item) != data:
        raise RlpError("a truncated item at the end of a list")
    return item


def _decode_plainly(data: bytes) -> Any:
    try:
        return plain_rlp.decode(data)
    except plain_rlp.PlainRlpError as error:
        raise RlpError(str(error)) from error


_encode = plain_rlp.encode if rusty_rlp is None else rusty_rlp.encode_raw


def _check_depth(data: bytes) -> None:
    """Raises RlpError for lists nested so deeply that rusty-rlp, which recurses, would overflow the stack and end the
    process.
    """
    ends, position = [len(data)], 0
    while position < len(data):
        while position >= ends[-1]:
            ends.pop()
        first = data[position]
        if first < 0x80:
            position += 1
            continue
        base = 0x80 if first < 0xC0 else 0xC0
        head, size = 1, first - base
        if size > 55:
            head += size - 55
            size = int.from_bytes(data[position + 1 : position + head], "big")
        position += head
        if base == 0x80:
            position += size
            continue
        ends.append(min(position + size, len(data)))
        if len(ends) > _MAX_DEPTH:
            raise RlpError(f"lists nested deeper than {_MAX_DEPTH}")


def to_int_bytes(value: int) -> bytes:
    """Big-endian without leading zeros. Zero is the empty string, as RLP requires."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def from_int_bytes(data: bytes, max_bytes: int = 32) -> int:
    """The reverse of to_int_bytes; raises RlpError for leading zeros or more than max_bytes."""
    if len(data) > max_bytes or (data and data[0] == 0):
        raise RlpError(f"not a canonical integer of at most {max_bytes} bytes: 0x{data[:40].hex()}")
    return int.from_bytes(data, "big")


EMPTY_TRIE_ROOT: Hash = keccak256(rlp_encode(b""))
EMPTY_CODE_HASH: Hash = keccak256(b"")
EMPTY_UNCLES_HASH: Hash = keccak256(rlp_encode([]))
# EIP-7685: sha256 of no requests.
EMPTY_REQUESTS_HASH: Hash = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
