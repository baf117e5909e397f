"""Reading a state: the interface, and a reader of the tries of one root."""

from functools import lru_cache
from typing import Protocol

from rollup.execution.state.account import Account
from rollup.execution.state.trie import MissingNode, NodeReader, Trie
from rollup.protocol.primitives import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Address,
    Hash,
    from_int_bytes,
    keccak256,
    rlp_decode,
)


class StateReader(Protocol):
    """Accounts, storage and code at one state root."""

    def account(self, address: Address) -> Account | None: ...
    def storage(self, address: Address, slot: int) -> int: ...
    def code(self, code_hash: Hash) -> bytes: ...


@lru_cache(maxsize=262_144)
def account_key(address: Address) -> Hash:
    """An address's key in the state trie."""
    return keccak256(address)


@lru_cache(maxsize=262_144)
def slot_key(slot: int) -> Hash:
    """A slot's key in a storage trie."""
    return keccak256(slot.to_bytes(32, "big"))


class TrieReader:
    """Reads the tries of any root whose nodes are available, including those of a witness. Raises MissingNode."""

    def __init__(
        self, nodes: NodeReader, codes: NodeReader, state_root: Hash, cache: dict[Hash, bytes] | None = None
    ) -> None:
        self._nodes = nodes
        self._codes = codes
        self._cache = {} if cache is None else cache
        self._trie = Trie(nodes, state_root, self._cache)
        self._storage_roots: dict[Address, Hash] = {}
        self.state_root = state_root

    def account(self, address: Address) -> Account | None:
        """The account, or None if it does not exist."""
        data = self._trie.get(account_key(address))
        return Account.decode(data) if data else None

    def storage(self, address: Address, slot: int) -> int:
        """A slot's value, or 0."""
        root = self._storage_roots.get(address)
        if root is None:
            account = self.account(address)
            root = self._storage_roots[address] = EMPTY_TRIE_ROOT if account is None else account.storage_root
        if root == EMPTY_TRIE_ROOT:
            return 0
        data = Trie(self._nodes, root, self._cache).get(slot_key(slot))
        return from_int_bytes(rlp_decode(data)) if data else 0

    def code(self, code_hash: Hash) -> bytes:
        """Code by its hash."""
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._codes.get(code_hash)
        if code is None:
            raise MissingNode(code_hash)
        return code
