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
