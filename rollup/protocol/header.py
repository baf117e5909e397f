"""The block header, of every fork from London (the first OP block) to Jovian."""

from dataclasses import dataclass, replace
from typing import Any

from rollup.protocol.primitives import (
    EMPTY_TRIE_ROOT,
    EMPTY_UNCLES_HASH,
    ZERO_ADDRESS,
    ZERO_HASH,
    Address,
    Hash,
    RlpError,
    from_int_bytes,
    keccak256,
    rlp_decode,
    rlp_encode,
    to_int_bytes,
)

_FIXED_FIELDS = 15  # up to the nonce; each later fork appends


@dataclass(slots=True, frozen=True)
class Header:
    """A header; an optional field is None before the fork that adds it, and every field after it is None too.

    Sizes: hashes 32 bytes, addresses 20, logs_bloom 256, nonce 8; gas and wei are integers, timestamp seconds.
    """

    parent_hash: Hash = ZERO_HASH
    uncles_hash: Hash = EMPTY_UNCLES_HASH
    coinbase: Address = ZERO_ADDRESS
    state_root: Hash = EMPTY_TRIE_ROOT
    transactions_root: Hash = EMPTY_TRIE_ROOT
    receipts_root: Hash = EMPTY_TRIE_ROOT
    logs_bloom: bytes = bytes(256)
    difficulty: int = 0
    number: int = 0
    gas_limit: int = 0
    gas_used: int = 0
    timestamp: int = 0
    extra_data: bytes = b""
    prev_randao: Hash = ZERO_HASH  # mixHash
    nonce: bytes = bytes(8)
    base_fee_per_gas: int | None = None  # London
    withdrawals_root: Hash | None = None  # Shanghai / Canyon; the message passer's root from Isthmus
    blob_gas_used: int | None = None  # Cancun / Ecotone; the DA footprint from Jovian
    excess_blob_gas: int | None = None  # Cancun / Ecotone
    parent_beacon_block_root: Hash | None = None  # Cancun / Ecotone
    requests_hash: Hash | None = None  # Prague / Isthmus

    def encode(self) -> bytes:
        """The RLP of the header, whose keccak is the block hash."""
        fields: list[bytes] = [
            self.parent_hash,
            self.uncles_hash,
            self.coinbase,
            self.state_root,
            self.transactions_root,
            self.receipts_root,
            self.logs_bloom,
            to_int_bytes(self.difficulty),
            to_int_bytes(self.number),
            to_int_bytes(self.gas_limit),
            to_int_bytes(self.gas_used),
            to_int_bytes(self.timestamp),
            self.extra_data,
            self.prev_randao,
            self.nonce,
        ]
        for value in (
            self.base_fee_per_gas,
            self.withdrawals_root,
            self.blob_gas_used,
            self.excess_blob_gas,
            self.parent_beacon_block_root,
            self.requests_hash,
        ):
            if value is None:
                break
            fields.append(to_int_bytes(value) if isinstance(value, int) else value)
        return rlp_encode(fields)

    @property
    def hash(self) -> Hash:
        """The block hash (keccak of the RLP); computed at each call, so keep it where it is asked for often."""
        return keccak256(self.encode())

    def with_fields(self, **changes: Any) -> "Header":
        """A copy with some fields changed."""
        return replace(self, **changes)

    @classmethod
    def decode(cls, data: bytes) -> "Header":
        """Parses header RLP; raises RlpError if it does not have the shape of a header."""
        return cls.from_fields(rlp_decode(data))

    @classmethod
    def from_fields(cls, fields: Any) -> "Header":
        """Builds a header from its RLP list; raises RlpError if it does not have the shape of a header."""
        if not isinstance(fields, list) or not _FIXED_FIELDS <= len(fields) <= _FIXED_FIELDS + 6:
            raise RlpError("not a header: a list of 15 to 21 fields is expected")
        if not all(isinstance(field, bytes) for field in fields):
            raise RlpError("not a header: a field is a list")
        for index, size in (
            (0, 32),
            (1, 32),
            (2, 20),
            (3, 32),
            (4, 32),
            (5, 32),
            (6, 256),
            (13, 32),
            (14, 8),
        ):
            if len(fields[index]) != size:
                raise RlpError(f"not a header: field {index} has {len(fields[index])} bytes, {size} expected")
        optional = fields[_FIXED_FIELDS:] + [None] * (_FIXED_FIELDS + 6 - len(fields))
        difficulty, number, gas_limit, gas_used, timestamp = (from_int_bytes(field) for field in fields[7:12])
        return cls(
            parent_hash=fields[0],
            uncles_hash=fields[1],
            coinbase=fields[2],
            state_root=fields[3],
            transactions_root=fields[4],
            receipts_root=fields[5],
            logs_bloom=fields[6],
            difficulty=difficulty,
            number=number,
            gas_limit=gas_limit,
            gas_used=gas_used,
            timestamp=timestamp,
            extra_data=fields[12],
            prev_randao=fields[13],
            nonce=fields[14],
            base_fee_per_gas=_optional_int(optional[0]),
            withdrawals_root=_optional_hash(optional[1]),
            blob_gas_used=_optional_int(optional[2]),
            excess_blob_gas=_optional_int(optional[3]),
            parent_beacon_block_root=_optional_hash(optional[4]),
            requests_hash=_optional_hash(optional[5]),
        )


def _optional_int(field: bytes | None) -> int | None:
    return None if field is None else from_int_bytes(field)


def _optional_hash(field: bytes | None) -> Hash | None:
    if field is not None and len(field) != 32:
        raise RlpError(f"not a header: a hash of {len(field)} bytes")
    return field
