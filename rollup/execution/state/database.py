"""The states of a chain's blocks: a flat copy at the head, tries for every other root still kept.

Nodes are stored by hash with the number of places they stand in, over all blocks kept. A block keeps what it changed
(`BlockDiff`), so that the flat copy can follow the head both ways, and so that nodes can go when their block leaves
the history.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rollup.execution.state.account import Account
from rollup.execution.state.changes import StateChanges
from rollup.execution.state.reader import StateReader, TrieReader, account_key, slot_key
from rollup.execution.state.trie import MissingNode, Node, Trie, TrieUpdate
from rollup.protocol.primitives import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Address,
    Hash,
    rlp_decode,
    rlp_encode,
    to_int_bytes,
)
from rollup.store.kv import Store, WriteBatch

NODES, CODES, REFERENCES = "trie_nodes", "codes", "trie_references"
FLAT_ACCOUNTS, FLAT_STORAGE, DIFFS = "flat_accounts", "flat_storage", "state_diffs"
_NODE_CACHE_LIMIT = 400_000
_FLAT_CACHE_LIMIT = 1_000_000


class StateUnavailable(LookupError):
    """The state of this root is not kept (older than the history), or never was."""

    def __init__(self, state_root: Hash) -> None:
        super().__init__(f"state 0x{state_root.hex()} is not available")
        self.state_root = state_root


@dataclass(slots=True)
class BlockDiff:
    """A block's effect on the flat state, old and new values encoded (empty = none), and on the trie nodes."""

    parent_root: Hash
    root: Hash
    accounts: list[tuple[Address, bytes, bytes]] = field(default_factory=list)
    storage: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)  # address and slot, 52 bytes
    gained: list[Hash] = field(default_factory=list)
    lost: list[Hash] = field(default_factory=list)

    def encode(self) -> bytes:
        """RLP, for the store."""
        return rlp_encode(
            [self.parent_root, self.root, self.accounts, self.storage, b"".join(self.gained), b"".join(self.lost)]
        )

    @classmethod
    def decode(cls, data: bytes) -> "BlockDiff":
        """The reverse of encode."""
        parent_root, root, accounts, storage, gained, lost = rlp_decode(data)
        return cls(
            parent_root,
            root,
            [(key, old, new) for key, old, new in accounts],
            [(key, old, new) for key, old, new in storage],
            _hashes(gained),
            _hashes(lost),
        )


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
    """EIP-1186: an account with the nodes that prove it, and each slot's value with the nodes that prove it."""

    account: Account | None
    account_nodes: list[bytes]
    slots: list[tuple[int, int, list[bytes]]]  # slot, value, nodes


class StateDatabase:
    """All states of one chain, on a store. history: how many blocks back states are kept; None keeps all."""

    def __init__(self, store: Store, history: int | None = 256) -> None:
        self.history = history
        self.flat_root: Hash = EMPTY_TRIE_ROOT
        self._store = store
        self._node_cache: dict[Hash, Node] = {}
        self._accounts: dict[Address, Account | None] = {}
        self._slots: dict[tuple[Address, int], int] = {}
        self._codes: dict[Hash, bytes] = {}
        self._nodes = _Table(store, NODES)
        self._code_table = _Table(store, CODES)

    # ------------------------------------------------------------ reading
    def reader_at(self, state_root: Hash) -> StateReader:
        """Reads at a root; raises StateUnavailable."""
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
        for slot in slots:
            value = storage.get(slot_key(slot))
            proven.append(
                (slot, int.from_bytes(rlp_decode(value), "big") if value else 0, storage.prove(slot_key(slot)))
            )
        return AccountProof(account, trie.prove(key), proven)

    def _trie_reader(self, state_root: Hash) -> TrieReader:
        if state_root != EMPTY_TRIE_ROOT and state_root not in self._node_cache and self.node(state_root) is None:
            raise StateUnavailable(state_root)
        return TrieReader(self._nodes, self._code_table, state_root, self._node_cache)

    # ------------------------------------------------------------ computing
    def stage(self, parent_root: Hash, changes: StateChanges) -> StagedState:
        """The state after a block's changes; nothing is stored. Raises MissingNode, StateUnavailable."""
        reader = self.reader_at(parent_root)
        diff = BlockDiff(parent_root, parent_root)
        staged = StagedState(parent_root, diff, {}, changes.codes, {})
        addresses = sorted(changes.accounts.keys() | changes.storage.keys() | changes.cleared)
        leaves: dict[Hash, bytes] = {}
        for address in addresses:
            before = reader.account(address)
            after = changes.accounts.get(address, before)
            if after is not None:
                root = self._stage_storage(address, before, changes, reader, staged)
                after = Account(after.nonce, after.balance, root, after.code_hash)
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
            for slot in sorted(slots):
                old = reader.storage(address, slot) if root != EMPTY_TRIE_ROOT else 0
                new = slots[slot]
                leaves[slot_key(slot)] = rlp_encode(to_int_bytes(new)) if new else b""
                staged.diff.storage.append((_slot_id(address, slot), to_int_bytes(old), to_int_bytes(new)))
            update = Trie(self._nodes, root, self._node_cache).update(leaves)
            self._absorb(update, staged)
            root = update.root
        staged.storage_roots[address] = root
        return root

    def _absorb(self, update: TrieUpdate, staged: StagedState) -> None:
        staged.nodes.update(update.added)
        staged.diff.gained += update.gained
        staged.diff.lost += update.lost

    # ------------------------------------------------------------ storing
    def write_block(self, batch: WriteBatch, block_hash: Hash, staged: StagedState) -> None:
        """Stores a block's nodes, code and diff; the flat state stays where it is."""
        for node_hash, encoded in staged.nodes.items():
            batch.put(NODES, node_hash, encoded)
        for code_hash, code in staged.codes.items():
            batch.put(CODES, code_hash, code)
        if self.history is not None:
            self._count(batch, staged.diff.gained, 1)
        batch.put(DIFFS, block_hash, staged.diff.encode())
        if len(self._node_cache) > _NODE_CACHE_LIMIT:
            self._node_cache.clear()

    def diff_of(self, block_hash: Hash) -> BlockDiff | None:
        """What a block changed, while it is kept."""
        data = self._store.get(DIFFS, block_hash)
        return None if data is None else BlockDiff.decode(data)

    def move_flat(self, batch: WriteBatch, undone: list[BlockDiff], applied: list[BlockDiff]) -> None:
        """Takes the flat state back over some blocks and on over others, in the orders given."""
        if len(self._accounts) + len(self._slots) > _FLAT_CACHE_LIMIT:
            self._accounts.clear()
            self._slots.clear()
        for diff in undone:
            self._write_flat(batch, ((k, old) for k, old, _ in diff.accounts), ((k, old) for k, old, _ in diff.storage))
            self.flat_root = diff.parent_root
        for diff in applied:
            self._write_flat(batch, ((k, new) for k, _, new in diff.accounts), ((k, new) for k, _, new in diff.storage))
            self.flat_root = diff.root

    def prune_block(self, batch: WriteBatch, block_hash: Hash, is_canonical: bool) -> None:
        """Lets a block's diff go, and the nodes that only older states (or only this side block) needed."""
        diff = self.diff_of(block_hash)
        if diff is None or self.history is None:
            return
        self._count(batch, diff.lost if is_canonical else diff.gained, -1)
        batch.delete(DIFFS, block_hash)

    def _write_flat(
        self, batch: WriteBatch, accounts: Iterable[tuple[Address, bytes]], storage: Iterable[tuple[bytes, bytes]]
    ) -> None:
        for address, data in accounts:
            if data:
                batch.put(FLAT_ACCOUNTS, address, data)
                self._accounts[address] = Account.decode(data)
            else:
                batch.delete(FLAT_ACCOUNTS, address)
                self._accounts[address] = None
        for key, data in storage:
            if data:
                batch.put(FLAT_STORAGE, key, data)
            else:
                batch.delete(FLAT_STORAGE, key)
            self._slots[key[:20], int.from_bytes(key[20:], "big")] = int.from_bytes(data, "big")

    def _count(self, batch: WriteBatch, hashes: Iterable[Hash], step: int) -> None:
        totals: dict[Hash, int] = {}
        for node_hash in hashes:
            totals[node_hash] = totals.get(node_hash, 0) + step
        for node_hash, change in totals.items():
            stored = self._store.get(REFERENCES, node_hash)
            count = (int.from_bytes(stored, "big") if stored else 0) + change
            if count > 0:
                batch.put(REFERENCES, node_hash, to_int_bytes(count))
            else:
                batch.delete(REFERENCES, node_hash)
                batch.delete(NODES, node_hash)
                self._node_cache.pop(node_hash, None)

    # ------------------------------------------------------------ the flat state
    def flat_account(self, address: Address) -> Account | None:
        """An account at the head."""
        try:
            return self._accounts[address]
        except KeyError:
            data = self._store.get(FLAT_ACCOUNTS, address)
            account = self._accounts[address] = None if data is None else Account.decode(data)
            return account

    def flat_slot(self, address: Address, slot: int) -> int:
        """A slot at the head."""
        key = (address, slot)
        value = self._slots.get(key)
        if value is None:
            data = self._store.get(FLAT_STORAGE, _slot_id(address, slot))
            value = self._slots[key] = 0 if data is None else int.from_bytes(data, "big")
        return value


class _HeadReader:
    """The flat state while it stands at this root, the tries after it has moved on."""

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


def _slot_id(address: Address, slot: int) -> bytes:
    return address + slot.to_bytes(32, "big")


def _hashes(data: bytes) -> list[Hash]:
    return [data[index : index + 32] for index in range(0, len(data), 32)]
