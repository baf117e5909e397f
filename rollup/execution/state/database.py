"""The states of a chain's blocks: a flat copy at the head, and tries for every other root in the history.

A node is stored by hash with the number of places where it is used, over all stored blocks. A block keeps its changes
(`BlockDiff`). With them the flat copy follows the head in both directions, and nodes are deleted when their block
leaves the history.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from rollup.cooperative import in_turns
from rollup.execution.state.account import Account
from rollup.execution.state.changes import StateChanges
from rollup.execution.state.reader import StateReader, TrieReader, account_key, slot_key
from rollup.execution.state.trie import MissingNode, NodeReader, Trie, TrieUpdate
from rollup.protocol.primitives import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Address,
    Hash,
    rlp_decode,
    rlp_encode,
    to_int_bytes,
)
from rollup.store.kv import MemoryStore, Store, WriteBatch

NODES, CODES, REFERENCES = "trie_nodes", "codes", "trie_references"
FLAT_ACCOUNTS, FLAT_STORAGE = "flat_accounts", "flat_storage"
DIFFS, PLACES = "state_diffs", "state_places"
_NODE_CACHE_LIMIT = 400_000
_FLAT_CACHE_LIMIT = 400_000
_RECENT_DIFFS = 16


class StateUnavailable(LookupError):
    """The state of this root is not stored: it is older than the history, or never existed here."""

    def __init__(self, state_root: Hash) -> None:
        super().__init__(f"state 0x{state_root.hex()} is not available")
        self.state_root = state_root


@dataclass(slots=True)
class BlockDiff:
    """A block's effect on the flat state, old and new values encoded (empty = none), and on the trie nodes.

    wiped applies before storage. It has all slots of accounts whose storage was deleted, by address and hashed slot (52
    bytes), because a trie does not reveal the slots themselves. gained and lost name a node once per place that it took
    or left.
    """

    parent_root: Hash
    root: Hash
    accounts: list[tuple[Address, bytes, bytes]] = field(default_factory=list)
    storage: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)  # address and slot, 52 bytes
    wiped: list[tuple[bytes, bytes]] = field(default_factory=list)
    gained: list[Hash] = field(default_factory=list)
    lost: list[Hash] = field(default_factory=list)
    after: dict[Address, Account | None] | None = None  # the new accounts, of a diff that was not read from the store

    def accounts_before(self) -> dict[Address, Account | None]:
        """The accounts that the block changed, as they were."""
        return {key: _decoded(old) for key, old, _ in self.accounts}

    def accounts_after(self) -> dict[Address, Account | None]:
        """The accounts that the block changed, as it left them."""
        return {key: _decoded(new) for key, _, new in self.accounts} if self.after is None else self.after

    def encode_flat(self) -> bytes:
        """The RLP of the effect on the flat state, for the store."""
        return rlp_encode([self.parent_root, self.root, self.accounts, self.storage, self.wiped])

    def encode_places(self) -> bytes:
        """The RLP of the effect on the trie nodes, for the store."""
        return rlp_encode([b"".join(self.gained), b"".join(self.lost)])

    @classmethod
    def decode_flat(cls, data: bytes) -> "BlockDiff":
        """Decodes the bytes of encode_flat."""
        return cls(*rlp_decode(data))


@dataclass(slots=True)
class StagedState:
    """The state after a block, not stored yet."""

    root: Hash
    diff: BlockDiff
    nodes: dict[Hash, bytes]
    codes: dict[Hash, bytes]
    storage_roots: dict[Address, Hash]


@dataclass(slots=True, frozen=True)
class AccountProof:
    """EIP-1186: an account with its proof nodes, and each slot's value with its proof nodes."""

    account: Account | None
    account_nodes: list[bytes]
    slots: list[tuple[int, int, list[bytes]]]  # slot, value, nodes


class StateDatabase:
    """All states of one chain, on a store. history: the number of blocks whose states are kept; None keeps all."""

    def __init__(self, store: Store, history: int | None = 256) -> None:
        self.history = history
        self.flat_root: Hash = EMPTY_TRIE_ROOT
        self._store = store
        self._node_cache: dict[Hash, bytes] = {}
        self._accounts: dict[Address, Account | None] = {}
        self._slots: dict[Address, dict[int, int]] = {}
        self._slot_count = 0
        self._codes: dict[Hash, bytes] = {}
        self._nodes: NodeReader = _Table(store, NODES)
        self._code_table: NodeReader = _Table(store, CODES)
        self._recent_diffs: dict[Hash, BlockDiff] = {}
        self._has_whole_tries = True

    @classmethod
    def of_witness(cls, preimages: Mapping[Hash, bytes]) -> "StateDatabase":
        """States over the nodes and codes of a witness, by keccak. A missing node raises MissingNode when it is
        needed.
        """
        database = cls(MemoryStore(), None)
        database._nodes = database._code_table = _Witness(preimages)
        database._has_whole_tries = False
        return database

    # ------------------------------------------------------------ reading
    def reader_at(self, state_root: Hash) -> StateReader:
        """Returns a reader of the state at a root. Raises StateUnavailable."""
        if state_root == self.flat_root:
            return _HeadReader(self, state_root)
        return self._trie_reader(state_root)

    def node(self, node_hash: Hash) -> bytes | None:
        """An encoded trie node."""
        return self._nodes.get(node_hash)

    def code(self, code_hash: Hash) -> bytes | None:
        """Code by hash."""
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._codes.get(code_hash)
        if code is None:
            code = self._code_table.get(code_hash)
            if code is not None:
                self._codes[code_hash] = code
        return code

    def prove(self, state_root: Hash, address: Address, slots: Iterable[int] = ()) -> AccountProof:
        """Proves an account and slots, present or not; raises StateUnavailable."""
        self._trie_reader(state_root)
        trie = Trie(self._nodes, state_root, self._node_cache)
        key = account_key(address)
        data = trie.get(key)
        account = Account.decode(data) if data else None
        storage = Trie(self._nodes, account.storage_root if account else EMPTY_TRIE_ROOT, self._node_cache)
        proven = []
        for slot in in_turns(slots):
            value = storage.get(slot_key(slot))
            proven.append(
                (slot, int.from_bytes(rlp_decode(value), "big") if value else 0, storage.prove(slot_key(slot)))
            )
        return AccountProof(account, trie.prove(key), proven)

    def _trie_reader(self, state_root: Hash) -> TrieReader:
        # The store decides, not the cache: a root is stored and deleted together with all its nodes.
        if state_root != EMPTY_TRIE_ROOT and self.node(state_root) is None:
            raise StateUnavailable(state_root) if self._has_whole_tries else MissingNode(state_root)
        return TrieReader(self._nodes, self._code_table, state_root, self._node_cache)

    # ------------------------------------------------------------ computing
    def stage(self, parent_root: Hash, changes: StateChanges) -> StagedState:
        """Computes the state after a block's changes and stores nothing. Raises MissingNode and StateUnavailable."""
        reader = self.reader_at(parent_root)
        diff = BlockDiff(parent_root, parent_root, after=(accounts := {}))
        staged = StagedState(parent_root, diff, {}, changes.codes, {})
        addresses = sorted(changes.accounts.keys() | changes.storage.keys() | changes.cleared)
        leaves: dict[Hash, bytes] = {}
        for address in in_turns(addresses):
            before = reader.account(address)
            after = changes.accounts.get(address, before)
            is_wiped = after is None or address in changes.cleared
            if is_wiped and before is not None and before.storage_root != EMPTY_TRIE_ROOT:
                self._stage_wipe(address, before.storage_root, staged)
            if after is not None:
                if before is None or is_wiped or address in changes.storage:
                    root = self._stage_storage(address, before, changes, reader, staged)
                else:
                    root = before.storage_root
                if root != after.storage_root:
                    after = Account(after.nonce, after.balance, root, after.code_hash)
            else:
                staged.storage_roots[address] = EMPTY_TRIE_ROOT
            accounts[address] = after
            leaves[account_key(address)] = new = after.encode() if after is not None else b""
            diff.accounts.append((address, before.encode() if before is not None else b"", new))
        update = Trie(self._nodes, parent_root, self._node_cache).update(leaves)
        self._absorb(update, staged)
        staged.root = diff.root = update.root
        return staged

    def storage_root_of(self, staged: StagedState, address: Address) -> Hash:
        """An account's storage root in a staged state (the message passer's is the withdrawals root)."""
        root = staged.storage_roots.get(address)
        if root is None:
            account = self.reader_at(staged.diff.parent_root).account(address)
            root = EMPTY_TRIE_ROOT if account is None else account.storage_root
        return root

    def _stage_storage(
        self, address: Address, before: Account | None, changes: StateChanges, reader: StateReader, staged: StagedState
    ) -> Hash:
        root = before.storage_root if before is not None and address not in changes.cleared else EMPTY_TRIE_ROOT
        slots = changes.storage.get(address)
        if slots:
            leaves = {}
            for slot in in_turns(sorted(slots)):
                old = reader.storage(address, slot) if root != EMPTY_TRIE_ROOT else 0
                new = slots[slot]
                leaves[slot_key(slot)] = rlp_encode(to_int_bytes(new)) if new else b""
                staged.diff.storage.append((_slot_id(address, slot), to_int_bytes(old), to_int_bytes(new)))
            update = Trie(self._nodes, root, self._node_cache).update(leaves)
            self._absorb(update, staged)
            root = update.root
        staged.storage_roots[address] = root
        return root

    def _stage_wipe(self, address: Address, root: Hash, staged: StagedState) -> None:
        """Records the slots and nodes of a storage trie that is deleted as a whole. A witness has no history that needs
        them.
        """
        if self._has_whole_tries:
            for key, value in Trie(self._nodes, root, self._node_cache).items(staged.diff.lost):
                staged.diff.wiped.append((address + key, rlp_decode(value)))

    def _absorb(self, update: TrieUpdate, staged: StagedState) -> None:
        staged.nodes.update(update.added)
        staged.diff.gained += update.gained
        staged.diff.lost += update.lost

    # ------------------------------------------------------------ storing
    def write_block(self, batch: WriteBatch, block_hash: Hash, staged: StagedState, is_genesis: bool = False) -> None:
        """Stores a block's nodes, code and diff. The flat state does not move. Genesis cannot be undone."""
        diff = staged.diff
        for node_hash, count in _totals(diff.gained).items():
            encoded = staged.nodes[node_hash]
            extra = count - 1 if batch.put_new(NODES, node_hash, encoded) else count
            if extra:
                stored = batch.get(REFERENCES, node_hash)
                batch.put(REFERENCES, node_hash, to_int_bytes(extra + int.from_bytes(stored or b"", "big")))
        for code_hash, code in staged.codes.items():
            batch.put_new(CODES, code_hash, code)
        if not is_genesis:
            batch.put(DIFFS, block_hash, diff.encode_flat())
            batch.put(PLACES, block_hash, diff.encode_places())
            self._recent_diffs[block_hash] = diff
        _evict(self._recent_diffs, _RECENT_DIFFS)
        _evict(self._node_cache, _NODE_CACHE_LIMIT)

    def diff_of(self, block_hash: Hash) -> BlockDiff | None:
        """The changes of a block to the flat state, or None if they are no longer stored."""
        data = self._store.get(DIFFS, block_hash)
        if data is None:
            return None
        return self._recent_diffs.get(block_hash) or BlockDiff.decode_flat(data)

    def write_flat(self, batch: WriteBatch, undone: list[BlockDiff], applied: list[BlockDiff]) -> None:
        """Moves the stored flat state back over some blocks and forward over others, in the given orders. Call follow()
        after the batch is written, to do the same in memory.
        """
        for diff in undone:
            _write(batch, FLAT_ACCOUNTS, ((key, old) for key, old, _ in diff.accounts))
            _write(batch, FLAT_STORAGE, ((_flat_key(key), old) for key, old, _ in diff.storage))
            _write(batch, FLAT_STORAGE, diff.wiped)
        for diff in applied:
            _write(batch, FLAT_ACCOUNTS, ((key, new) for key, _, new in diff.accounts))
            _write(batch, FLAT_STORAGE, ((key, b"") for key, _ in diff.wiped))
            _write(batch, FLAT_STORAGE, ((_flat_key(key), new) for key, _, new in diff.storage))

    def follow(self, undone: list[BlockDiff], applied: list[BlockDiff], root: Hash) -> None:
        """Moves the flat state in memory to where write_flat moved the store, at this root."""
        for diff in undone:
            self._accounts.update(diff.accounts_before())
            self._remember((key, old) for key, old, _ in diff.storage)
            self._forget(diff)
        for diff in applied:
            self._forget(diff)
            self._accounts.update(diff.accounts_after())
            self._remember((key, new) for key, _, new in diff.storage)
        self.flat_root = root
        _evict(self._accounts, _FLAT_CACHE_LIMIT)
        if self._slot_count > _FLAT_CACHE_LIMIT:
            self._slots.clear()
            self._slot_count = 0

    def prune_block(self, batch: WriteBatch, block_hash: Hash, is_canonical: bool) -> None:
        """Deletes a block's diff, and the nodes that only older states (or only this side block) need."""
        data = batch.get(PLACES, block_hash)
        if data is None:
            return
        gained, lost = rlp_decode(data)
        for node_hash, count in _totals(_hashes(lost if is_canonical else gained)).items():
            stored = batch.get(REFERENCES, node_hash)
            left = int.from_bytes(stored or b"", "big") + 1 - count
            if stored is not None and left <= 1:
                batch.delete(REFERENCES, node_hash)
            elif stored is not None:
                batch.put(REFERENCES, node_hash, to_int_bytes(left - 1))
            if left <= 0:
                batch.delete(NODES, node_hash)
                self._node_cache.pop(node_hash, None)
        batch.delete(DIFFS, block_hash)
        batch.delete(PLACES, block_hash)

    def _remember(self, storage: Iterable[tuple[bytes, bytes]]) -> None:
        for key, data in storage:
            slots = self._slots.setdefault(key[:20], {})
            slots[int.from_bytes(key[20:], "big")] = int.from_bytes(data, "big")
            self._slot_count += 1

    def _forget(self, diff: BlockDiff) -> None:
        for address in {key[:20] for key, _ in diff.wiped}:
            self._slots.pop(address, None)

    # ------------------------------------------------------------ the flat state
    def flat_account(self, address: Address) -> Account | None:
        """An account at the head."""
        try:
            return self._accounts[address]
        except KeyError:
            data = self._store.get(FLAT_ACCOUNTS, address)
            account = self._accounts[address] = None if data is None else Account.decode(data)
            return account

    def flat_addresses(self) -> Iterator[Address]:
        """Every account at the head, in order."""
        return (address for address, _ in self._store.scan(FLAT_ACCOUNTS))

    def flat_slot(self, address: Address, slot: int) -> int:
        """A slot at the head."""
        try:
            return self._slots[address][slot]
        except KeyError:
            data = self._store.get(FLAT_STORAGE, address + slot_key(slot))
            value = 0 if data is None else int.from_bytes(data, "big")
            self._slots.setdefault(address, {})[slot] = value
            self._slot_count += 1
            return value


class _HeadReader:
    """Reads the flat state while it is at this root, and the tries after it has moved."""

    __slots__ = ("_database", "_later", "state_root")

    def __init__(self, database: StateDatabase, state_root: Hash) -> None:
        self._database = database
        self._later: TrieReader | None = None
        self.state_root = state_root

    def account(self, address: Address) -> Account | None:
        if self._database.flat_root == self.state_root:
            return self._database.flat_account(address)
        return self._tries().account(address)

    def storage(self, address: Address, slot: int) -> int:
        if self._database.flat_root == self.state_root:
            return self._database.flat_slot(address, slot)
        return self._tries().storage(address, slot)

    def code(self, code_hash: Hash) -> bytes:
        code = self._database.code(code_hash)
        if code is None:
            raise MissingNode(code_hash)
        return code

    def _tries(self) -> TrieReader:
        if self._later is None:
            self._later = self._database._trie_reader(self.state_root)
        return self._later


class _Table:
    """One table of a store, as a NodeReader."""

    __slots__ = ("_name", "_store")

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name

    def get(self, key: bytes, /) -> bytes | None:
        return self._store.get(self._name, key)


class _Witness:
    """Preimages by hash, as a NodeReader. The root node of the empty trie may be missing."""

    __slots__ = ("_preimages",)

    def __init__(self, preimages: Mapping[Hash, bytes]) -> None:
        self._preimages = preimages

    def get(self, key: bytes, /) -> bytes | None:
        return self._preimages.get(key)


def _write(batch: WriteBatch, table: str, entries: Iterable[tuple[bytes, bytes]]) -> None:
    for key, data in entries:
        if data:
            batch.put(table, key, data)
        else:
            batch.delete(table, key)


def _decoded(data: bytes) -> Account | None:
    return Account.decode(data) if data else None


def _totals(hashes: Iterable[Hash]) -> dict[Hash, int]:
    totals: dict[Hash, int] = {}
    for node_hash in hashes:
        totals[node_hash] = totals.get(node_hash, 0) + 1
    return totals


def _evict(cache: dict[Hash, Any], limit: int) -> None:
    """Removes the older half of the entries that came into a cache, once it is over its limit."""
    if len(cache) > limit:
        for key in list(islice(cache, len(cache) - limit // 2)):
            del cache[key]


def _flat_key(slot_id: bytes) -> bytes:
    """Address and hashed slot, the only form of the key that a deleted trie reveals."""
    return slot_id[:20] + slot_key(int.from_bytes(slot_id[20:], "big"))


def _slot_id(address: Address, slot: int) -> bytes:
    return address + slot.to_bytes(32, "big")


def _hashes(data: bytes) -> list[Hash]:
    return [data[index : index + 32] for index in range(0, len(data), 32)]
