"""An account of a genesis allocation, and the state root of a whole allocation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollup.execution.state.account import Account
from rollup.execution.state.reader import account_key, slot_key
from rollup.execution.state.trie import Trie
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
    return _root({slot_key(slot): rlp_encode(to_int_bytes(value)) for slot, value in storage.items() if value})


def state_root(alloc: Mapping[Address, GenesisAccount]) -> Hash:
    """The root of the state trie; accounts without anything are kept, as in geth's genesis."""
    return _root({account_key(address): _encode(account) for address, account in alloc.items()})


def _encode(account: GenesisAccount) -> bytes:
    root = storage_root(account.storage)
    return Account(account.nonce, account.balance, root, keccak256(account.code)).encode()


def _root(leaves: Mapping[Hash, bytes]) -> Hash:
    return Trie({}, EMPTY_TRIE_ROOT).update(leaves).root
