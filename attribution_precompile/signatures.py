"""An attributor's signature over an attestation: EIP-712 hashing and secp256k1 recovery.

The domain is name "OpenAttribution", version "1", the chain id and the precompile's address. `influence` is the last
member of the struct. Its hash covers keccak256 of the packed vector, as EIP-712 requires for a `uint256[]`.
"""

from typing import Final

from coincurve import PublicKey
from sha3 import keccak_256

DOMAIN_NAME: Final = "OpenAttribution"
DOMAIN_VERSION: Final = "1"
ATTESTATION_TYPE: Final = (
    "Attestation(uint64 modelId,address payer,uint64 nonce,uint64 deadline,uint32 inputTokens,uint32 outputTokens,"
    "bytes32 requestHash,bytes32 responseHash,bytes32 evidence,uint256[] influence)"
)
DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"

CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def keccak256(data: bytes) -> bytes:
    """The Keccak-256 digest, 32 bytes."""
    digest: bytes = keccak_256(data).digest()
    return digest


ATTESTATION_TYPE_HASH: Final = keccak256(ATTESTATION_TYPE.encode())
_DOMAIN_HEAD: Final = (
    keccak256(DOMAIN_TYPE.encode()) + keccak256(DOMAIN_NAME.encode()) + keccak256(DOMAIN_VERSION.encode())
)


def domain_separator(chain_id: int, address: int) -> bytes:
    """EIP-712's domain separator for the precompile at `address` on chain `chain_id`."""
    return keccak256(_DOMAIN_HEAD + chain_id.to_bytes(32, "big") + address.to_bytes(32, "big"))


def attestation_digest(separator: bytes, attestation: bytes, influence: bytes) -> bytes:
    """The digest that the attributor signs. `attestation` is the nine ABI-encoded words, `influence` the packed
    words.
    """
    struct_hash = keccak256(ATTESTATION_TYPE_HASH + attestation + keccak256(influence))
    return keccak256(b"\x19\x01" + separator + struct_hash)


def recover_address(digest: bytes, v: int, r: int, s: int) -> int:
    """The address that signed, or 0, like the ecrecover precompile (Yellow Paper, appendix E)."""
    if v not in (27, 28) or not 0 < r < CURVE_ORDER or not 0 < s < CURVE_ORDER:
        return 0
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v - 27])
    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except ValueError:
        return 0
    return int.from_bytes(keccak256(key.format(compressed=False)[1:])[12:], "big")
