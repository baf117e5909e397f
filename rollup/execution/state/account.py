"""An account in the state trie."""

from typing import NamedTuple

from rollup.protocol.primitives import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Hash,
    from_int_bytes,
    rlp_decode,
    rlp_encode,
)


class Account(NamedTuple):
    """Nonce, balance in wei, the root of its storage trie, the hash of its code."""

    nonce: int
    balance: int
    storage_root: Hash = EMPTY_TRIE_ROOT
    code_hash: Hash = EMPTY_CODE_HASH

    def encode(self) -> bytes:
        """The RLP under the state trie."""
        nonce, balance, storage_root, code_hash = self
        return rlp_encode(
            (
                nonce.to_bytes((nonce.bit_length() + 7) >> 3, "big"),
                balance.to_bytes((balance.bit_length() + 7) >> 3, "big"),
                storage_root,
                code_hash,
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> "Account":
        """Parses the RLP under the state trie; raises RlpError."""
        nonce, balance, storage_root, code_hash = rlp_decode(data)
        return cls(from_int_bytes(nonce), from_int_bytes(balance), storage_root, code_hash)

    @property
    def is_empty(self) -> bool:
        """No nonce, no balance, no code (EIP-161)."""
        return self.nonce == 0 and self.balance == 0 and self.code_hash == EMPTY_CODE_HASH


ABSENT = Account(0, 0)  # what a write to an account that is not there begins with
