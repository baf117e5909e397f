"""An account of a genesis allocation, and the state root of a whole allocation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trie import HexaryTrie

from rollup.protocol.primitives import (
    EMPTY_TRIE_ROOT,
    Address,
    Hash,
    keccak256,
    rlp_encode,
    to_int_bytes,
)


@dataclass(slots=True)
class GenesisAccount:
    """balance in wei; storage maps slots to values, both unsigned 256-bit, and holds no zero."""

    balance: int = 0
    nonce: int = 0
    code: bytes = b""
    storage: dict[int, int] = field(default_factory=dict)


Alloc = dict[Address, GenesisAccount]


def storage_root(storage: Mapping[int, int]) -> Hash:
    """The root of an account's storage trie. Slots with value zero are left out (as in geth core/genesis.go)."""
    trie = HexaryTrie({}, prune=True)
    for slot, value in storage.items():
        if value:
            trie[keccak256(slot.to_bytes(32, "big"))] = rlp_encode(to_int_bytes(value))
    root: Hash = trie.root_hash
    return root


def state_root(alloc: Mapping[Address, GenesisAccount]) -> Hash:
    """The root of the state trie; accounts without anything are kept, as in geth's genesis."""
    trie = HexaryTrie({}, prune=True)
    for address, account in alloc.items():
        root = storage_root(account.storage) if account.storage else EMPTY_TRIE_ROOT
        fields = [to_int_bytes(account.nonce), to_int_bytes(account.balance), root, keccak256(account.code)]
        trie[keccak256(address)] = rlp_encode(fields)
    result: Hash = trie.root_hash
    return result
