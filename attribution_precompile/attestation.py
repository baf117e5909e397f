"""Attestations and influence vectors for an attributor, off-chain: encoding, signing and decoding.

Weights are relative and have no unit; times are unix seconds. The module needs eth_utils, a dependency of web3; the
node never imports it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from eth_utils.address import to_checksum_address

from .layout import ADDRESS, MASK_32, MASK_64, MASK_160
from .signatures import (
    ATTESTATION_TYPE,
    CURVE_ORDER,
    DOMAIN_NAME,
    DOMAIN_TYPE,
    DOMAIN_VERSION,
    attestation_digest,
    domain_separator,
    keccak256,
)

MAX_INFLUENCE: Final = 32
ZERO_HASH: Final = bytes(32)


class SigningKey(Protocol):
    """The part of coincurve's PrivateKey that is used here."""

    def sign_recoverable(self, message: bytes, hasher: None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Attestation:
    """An attributor's signed statement about one inference."""

    model_id: int
    payer: str
    nonce: int
    deadline: int
    input_tokens: int = 0
    output_tokens: int = 0
    request_hash: bytes = ZERO_HASH
    response_hash: bytes = ZERO_HASH
    evidence: bytes = ZERO_HASH

    def as_tuple(self) -> tuple[int, str, int, int, int, int, bytes, bytes, bytes]:
        """The fields in the order of the ABI."""
        return (
            self.model_id,
            to_checksum_address(self.payer),
            self.nonce,
            self.deadline,
            self.input_tokens,
            self.output_tokens,
            self.request_hash,
            self.response_hash,
            self.evidence,
        )

    def encode(self) -> bytes:
        """The ABI encoding: nine words."""
        numbers = (self.model_id, int(self.payer, 16), self.nonce, self.deadline, self.input_tokens, self.output_tokens)
        words = [number.to_bytes(32, "big") for number in numbers]
        return b"".join([*words, self.request_hash, self.response_hash, self.evidence])


@dataclass(frozen=True, slots=True, order=True)
class Influence:
    """One entry of an influence vector. Without a contributor it pays the DataNet's pool, otherwise that member
    directly.
    """

    datanet_id: int
    contributor: str = ""
    weight: int = field(default=1, compare=False)

    def encode(self) -> int:
        """The entry as a word. Raises ValueError for a weight or an id out of range."""
        if not 0 < self.weight <= MASK_32 or not 0 < self.datanet_id <= MASK_64:
            raise ValueError(f"not an influence entry: {self}")
        return self.datanet_id << 192 | self.weight << 160 | (int(self.contributor, 16) if self.contributor else 0)


def encode_influence(entries: Sequence[Influence]) -> list[int]:
    """Returns the influence vector, in the order that the precompile requires. Raises ValueError for duplicates or more
    than 32 entries.

    >>> words = encode_influence([Influence(7, "0x" + "11" * 20, weight=3), Influence(5)])
    >>> [(entry.datanet_id, entry.weight) for entry in decode_influence(words)]
    [(5, 1), (7, 3)]
    """
    if len(entries) > MAX_INFLUENCE:
        raise ValueError(f"an influence vector has at most {MAX_INFLUENCE} entries, not {len(entries)}")
    keyed = {
        (entry.datanet_id, int(entry.contributor, 16) if entry.contributor else 0): entry.encode() for entry in entries
    }
    if len(keyed) != len(entries):
        raise ValueError("two entries for the same DataNet and contributor")
    return [keyed[key] for key in sorted(keyed)]


def decode_influence(words: Sequence[int]) -> list[Influence]:
    """The entries of an influence vector, as in an event.

    >>> decode_influence(encode_influence([Influence(5, weight=2)]))
    [Influence(datanet_id=5, contributor='', weight=2)]
    """
    return [
        Influence(
            word >> 192,
            to_checksum_address((word & MASK_160).to_bytes(20, "big")) if word & MASK_160 else "",
            word >> 160 & MASK_32,
        )
        for word in words
    ]


def sign_attestation(key: SigningKey, attestation: Attestation, influence: Sequence[int], chain_id: int) -> bytes:
    """The attributor's 65-byte signature (EIP-712; low s, v 27 or 28) over the attestation and its influence words.

    >>> from coincurve import PrivateKey
    >>> attestation = Attestation(model_id=1, payer="0x" + "22" * 20, nonce=0, deadline=2_000_000_000)
    >>> signature = sign_attestation(PrivateKey(bytes(31) + b"\\1"), attestation, encode_influence([Influence(5)]), 901)
    >>> len(signature), signature[64] in (27, 28)
    (65, True)
    """
    packed = b"".join(word.to_bytes(32, "big") for word in influence)
    digest = attestation_digest(domain_separator(chain_id, ADDRESS), attestation.encode(), packed)
    signature = key.sign_recoverable(digest, hasher=None)
    s = int.from_bytes(signature[32:64], "big")
    v = signature[64]
    if s > CURVE_ORDER // 2:
        s, v = CURVE_ORDER - s, 1 - v
    return signature[:32] + s.to_bytes(32, "big") + bytes([27 + v])


def record_hash(request_hash: bytes, response_hash: bytes) -> bytes:
    """The record that inferCompact logs for a request and its response: keccak256(abi.encode(requestHash,
    responseHash)).

    >>> record_hash(b"\\x01" * 32, b"\\x02" * 32).hex()[:16]
    '346d8c96a2454213'
    """
    return keccak256(request_hash + response_hash)


def attestation_typed_data(attestation: Attestation, influence: Sequence[int], chain_id: int) -> dict[str, Any]:
    """The attestation as EIP-712 JSON, for wallets that sign typed data: `account.sign_typed_data(full_message=...)`,
    or eth_signTypedData_v4. The precompile accepts such a signature like one of `sign_attestation`.

    >>> attestation = Attestation(1, "0x" + "ab" * 20, nonce=0, deadline=1_700_000_060)
    >>> attestation_typed_data(attestation, [], chain_id=901)["domain"]["chainId"]
    901
    """
    members = _members(ATTESTATION_TYPE)
    values = [*attestation.as_tuple(), list(influence)]
    return {
        "types": {"EIP712Domain": _members(DOMAIN_TYPE), "Attestation": members},
        "primaryType": "Attestation",
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": to_checksum_address(ADDRESS.to_bytes(20, "big")),
        },
        "message": {member["name"]: value for member, value in zip(members, values, strict=True)},
    }


def _members(encoded_type: str) -> list[dict[str, str]]:
    """The members of an EIP-712 type, from its encoding `Name(type name,type name)`."""
    pairs = [member.split(" ") for member in encoded_type.partition("(")[2][:-1].split(",")]
    return [{"name": name, "type": kind} for kind, name in pairs]
