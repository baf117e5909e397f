"""Hashes, RLP and integers in Ethereum's encodings."""

from collections.abc import Sequence
from typing import TypeAlias

from sha3 import keccak_256

from rollup.protocol import plain_rlp
from rollup.protocol.plain_rlp import RlpError as RlpError

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


_encode = plain_rlp.encode if rusty_rlp is None else rusty_rlp.encode_raw
rlp_decode = plain_rlp.decode


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
