"""One layer's blocks: side blocks and the canonical chain, receipts, indices, head pointers, states."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollup.execution.block_codec import decode_body, decode_receipts, encode_body, encode_receipts
from rollup.execution.log_index import LogIndex
from rollup.execution.state.changes import GenesisEntry, changes_of_alloc
from rollup.execution.state.database import StagedState, StateDatabase
from rollup.execution.state.reader import StateReader
from rollup.protocol.block import Block, ExecutedBlock
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Address, Hash
from rollup.protocol.receipt import Receipt
from rollup.protocol.recent import Recent
from rollup.store.kv import Store, StoreError, WriteBatch

HEADERS, BODIES, RECEIPTS, CANONICAL, TRANSACTIONS, POINTERS, BY_NUMBER = (
    "headers",
    "bodies",
    "receipts",
    "canonical",
    "transactions",
    "pointers",
    "blocks_by_number",
)
_CACHED_BLOCKS = 1024
_CACHED_TRANSACTIONS = 32_768  # of all cached blocks together: some 3 kB each, with their receipts
_CACHED_HEADERS = 16_384
_PRUNED_AT_ONCE = 64  # blocks per move of the head, when the history was longer before
_UNDONE_AT_ONCE = 1_024  # blocks per write: a deep reorganisation must fit into memory


class UnknownBlock(LookupError):
    """No such block in this chain."""


class ReorgTooDeep(UnknownBlock):
    """A reorganisation would undo a block whose changes of the state are no longer kept."""


class StateMissing(StoreError):
    """The state of the head is not in the store. A derived chain can be made again from L1 (chain_recovery.py)."""


@dataclass(slots=True, frozen=True)
class TransactionLocation:
    """Where a canonical transaction is."""

    block_hash: Hash
    block_number: int
    index: int


@dataclass(slots=True)
class HeadChange:
    """A move of the head: blocks that left the canonical chain, newest first, and that joined it, oldest first."""

    removed: list[Block] = field(default_factory=list)
    added: list[Block] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class ChainHeads:
    """Where a chain stood: its three heads, and the oldest block whose state it needs to go back there."""

    head: Hash
    safe: Hash
    finalized: Hash
    oldest: int


@dataclass(slots=True)
class _Path:
    """The way from one head to another: common ancestor, blocks undone newest first, blocks applied oldest first."""

    ancestor: Header
    removed: list[Hash]
    added: list[Hash]


class Chain:
    """Blocks with their states on one store; every change of the head is one atomic write."""

    def __init__(self, store: Store, states: StateDatabase, genesis: Block) -> None:
        self.store = store
        self.states = states
        self.logs = LogIndex(store)
        self.genesis = genesis
        self.head = self.safe = self.finalized = genesis
        self._headers: Recent[Header] = Recent(_CACHED_HEADERS)
        self._blocks: Recent[Block] = Recent(
            _CACHED_BLOCKS, lambda block: len(block.transactions), _CACHED_TRANSACTIONS
        )
        self._receipts: Recent[list[Receipt]] = Recent(_CACHED_BLOCKS, len, _CACHED_TRANSACTIONS)
        self._listeners: list[Callable[[HeadChange], None]] = []
        self._pruned_to = 0
        self._pins: Counter[int] = Counter()  # by height: pruning leaves the states from there on

    # ------------------------------------------------------------ opening
    @classmethod
    def open(
        cls,
        store: Store,
        genesis_header: Header,
        alloc: Mapping[Address, GenesisEntry],
        history: int | None = 256,
        *,
        needs_state: bool = True,
    ) -> "Chain":
        """Begins a chain in an empty store or resumes the one in it.

        Raises StoreError for another genesis; StateMissing where the head's state is needed and gone.
        """
        states = StateDatabase(store, history)
        genesis = Block(genesis_header)
        chain = cls(store, states, genesis)
        stored = store.get(POINTERS, b"genesis")
        if stored is None:
            chain._begin(alloc)
        elif stored != genesis.hash:
            raise StoreError(f"another chain is stored here: genesis 0x{stored.hex()}, not 0x{genesis.hash.hex()}")
        else:
            chain._resume(needs_state)
        return chain

    def _begin(self, alloc: Mapping[Address, GenesisEntry]) -> None:
        staged = self.states.stage(EMPTY_TRIE_ROOT, changes_of_alloc(alloc))
        if staged.root != self.genesis.header.state_root:
            raise StoreError(
                f"genesis: the allocation's state root is 0x{staged.root.hex()}, "
                f"the header says 0x{self.genesis.header.state_root.hex()}"
            )
        with self.store.write() as batch:
            self._write(batch, ExecutedBlock(self.genesis, []), staged, is_genesis=True)
            self.states.write_flat(batch, [], [staged.diff])
            self._index(batch, self.genesis)
            self.logs.begin(batch, 0)
            for name in (b"genesis", b"head", b"safe", b"finalized"):
                batch.put(POINTERS, name, self.genesis.hash)
        self.states.follow([], [staged.diff], staged.root)

    def _resume(self, needs_state: bool) -> None:
        self.head = self._pointed(b"head")
        self.safe = self._pointed(b"safe")
        self.finalized = self._pointed(b"finalized")
        root = self.head.header.state_root
        if needs_state and not self.has_state(self.head.header):
            raise StateMissing(f"the state of the head, block {self.head.number}, is missing from the store")
        self.states.follow([], [], root)
        self._pruned_to = int.from_bytes(self.store.get(POINTERS, b"pruned") or b"", "big")

    def _pointed(self, name: bytes) -> Block:
        block_hash = self.store.get(POINTERS, name)
        block = self.block(block_hash) if block_hash is not None else None
        if block is None:
            raise StoreError(f"the {name.decode()} block is missing from the store")
        return block

    # ------------------------------------------------------------ reading
    def block(self, block_hash: Hash) -> Block | None:
        """A block by hash, canonical or not."""
        block = self._blocks.get(block_hash)
        if block is None:
            header = self.header(block_hash)
            data = None if header is None else self.store.get(BODIES, block_hash)
            if header is None or data is None:
                return None
            block = decode_body(data, header, block_hash)
            self._blocks.put(block_hash, block)
        return block

    def header(self, block_hash: Hash) -> Header | None:
        """A header by block hash."""
        header = self._headers.get(block_hash)
        if header is None:
            data = self.store.get(HEADERS, block_hash)
            if data is None:
                return None
            header = Header.decode(data)
            self._headers.put(block_hash, header)
        return header

    def receipts(self, block_hash: Hash) -> list[Receipt] | None:
        """A block's receipts."""
        receipts = self._receipts.get(block_hash)
        if receipts is None:
            data = self.store.get(RECEIPTS, block_hash)
            if data is None:
                return None
            receipts = decode_receipts(data)
            self._receipts.put(block_hash, receipts)
        return receipts

    def canonical_hash(self, number: int) -> Hash | None:
        """The hash of the canonical block at a height."""
        return self.store.get(CANONICAL, _height(number)) if 0 <= number <= self.head.number else None

    def block_by_number(self, number: int) -> Block | None:
        """The canonical block at a height."""
        block_hash = self.canonical_hash(number)
        return None if block_hash is None else self.block(block_hash)

    def header_by_number(self, number: int) -> Header | None:
        """The canonical header at a height."""
        block_hash = self.canonical_hash(number)
        return None if block_hash is None else self.header(block_hash)

    def is_canonical(self, block_hash: Hash) -> bool:
        """The block is an ancestor of the head, or the head."""
        header = self.header(block_hash)
        return header is not None and self.canonical_hash(header.number) == block_hash

    def find_transaction(self, transaction_hash: Hash) -> TransactionLocation | None:
        """Where a canonical transaction is."""
        data = self.store.get(TRANSACTIONS, transaction_hash)
        if data is None:
            return None
        number, index = int.from_bytes(data[:8], "big"), int.from_bytes(data[8:], "big")
        block_hash = self.canonical_hash(number)
        return None if block_hash is None else TransactionLocation(block_hash, number, index)

    def state_at(self, block_hash: Hash) -> StateReader:
        """Reads the state after a block; raises UnknownBlock, StateUnavailable."""
        header = self.header(block_hash)
        if header is None:
            raise UnknownBlock(f"block 0x{block_hash.hex()}")
        return self.states.reader_at(header.state_root)

    def has_state(self, header: Header) -> bool:
        """The trie of the state after a block is kept."""
        return header.state_root == EMPTY_TRIE_ROOT or self.states.node(header.state_root) is not None

    # ------------------------------------------------------------ writing
    def subscribe(self, listener: Callable[[HeadChange], None]) -> None:
        """Calls the listener after every move of the head, in order of subscription."""
        self._listeners.append(listener)

    def insert(self, executed: ExecutedBlock, staged: StagedState) -> None:
        """Stores a block and its state beside the canonical chain; a known block is left as it is."""
        block = executed.block
        if self.header(block.hash) is not None:
            return
        with self.store.write() as batch:
            self._write(batch, executed, staged)
        self._headers.put(block.hash, block.header)
        self._blocks.put(block.hash, block)
        self._receipts.put(block.hash, executed.receipts)

    def set_head(self, block_hash: Hash, safe: Hash | None = None, finalized: Hash | None = None) -> HeadChange:
        """Makes a known block the head, and moves the labels that are given, in one write; returns what it changed.

        The new head and the labels are checked before anything changes: raises UnknownBlock for a block that is not
        known and for a label that is not an ancestor of the new head, ReorgTooDeep where the states needed are gone.
        A label that is not given goes back to the common ancestor where its block was removed. A reorganisation of
        more than 1,024 blocks goes back in several writes; only the last one moves onto the new branch, and that one
        is returned. What is in memory changes only after each write, so that an error leaves the chain where it was.
        """
        if block_hash == self.head.hash:
            self.set_labels(safe, finalized)
            return HeadChange()
        path = self._path_to(block_hash)
        new_safe = self._label(safe, self.safe, path)
        new_finalized = self._label(finalized, self.finalized, path)
        for lowest in path.removed[-1:] + path.added[:1]:
            if self.states.diff_of(lowest) is None:
                raise ReorgTooDeep(
                    f"the head cannot go back to block {path.ancestor.number}: "
                    f"the states of blocks before {self._pruned_to} are no longer kept"
                )
        while len(path.removed) > _UNDONE_AT_ONCE:
            undone, path.removed = path.removed[:_UNDONE_AT_ONCE], path.removed[_UNDONE_AT_ONCE:]
            middle = self._known(path.removed[0])
            labels = (label if label.number <= middle.number else middle for label in (self.safe, self.finalized))
            self._move(_Path(path.ancestor, undone, []), *labels)
        return self._move(path, new_safe, new_finalized)

    def _move(self, path: "_Path", safe: Block, finalized: Block) -> HeadChange:
        """Undoes and applies the blocks of a path, sets the labels, and then tells the listeners."""
        change = HeadChange([self._known(name) for name in path.removed], [self._known(name) for name in path.added])
        head = change.added[-1] if change.added else self._parent(change.removed[-1])
        undone = [self._diff(removed) for removed in change.removed]
        applied = [self._diff(added) for added in change.added]
        with self.store.write() as batch:
            self.states.write_flat(batch, undone, applied)
            self.logs.begin(batch, self.head.number + 1)
            for removed in change.removed:
                batch.delete(CANONICAL, _height(removed.number))
                self.logs.remove(batch, removed.number, self.receipts(removed.hash) or [])
                for transaction in removed.transactions:
                    batch.delete(TRANSACTIONS, transaction.hash)
            for added in change.added:
                self._index(batch, added)
            for name, pointed in ((b"head", head), (b"safe", safe), (b"finalized", finalized)):
                batch.put(POINTERS, name, pointed.hash)
            pruned_to = self._prune(batch, min([self._oldest_needed(head, finalized), *self._pins]))
        self.states.follow(undone, applied, head.header.state_root)
        self.head, self.safe, self.finalized, self._pruned_to = head, safe, finalized, pruned_to
        for listener in self._listeners:
            listener(change)
        return change

    def set_labels(self, safe: Hash | None = None, finalized: Hash | None = None) -> None:
        """Moves the safe and finalized pointers to canonical blocks; raises UnknownBlock for any other."""
        new_safe = self.safe if safe is None else self._canonical_block(safe)
        new_finalized = self.finalized if finalized is None else self._canonical_block(finalized)
        if new_safe.hash == self.safe.hash and new_finalized.hash == self.finalized.hash:
            return
        with self.store.write() as batch:
            batch.put(POINTERS, b"safe", new_safe.hash)
            batch.put(POINTERS, b"finalized", new_finalized.hash)
        self.safe, self.finalized = new_safe, new_finalized

    # ------------------------------------------------------------ snapshots
    def capture(self) -> ChainHeads:
        """Where the chain stands now. Pruning leaves the states that restore needs, until release."""
        oldest = self._oldest_needed(self.head, self.finalized)
        self._pins[oldest] += 1
        return ChainHeads(self.head.hash, self.safe.hash, self.finalized.hash, oldest)

    def restore(self, heads: ChainHeads) -> None:
        """Goes back, or over to another branch, to where the chain stood; listeners hear of a reorganisation."""
        self.set_head(heads.head, heads.safe, heads.finalized)

    def release(self, heads: ChainHeads) -> None:
        """Lets pruning take the states that only restoring these heads would need."""
        self._pins[heads.oldest] -= 1
        self._pins += Counter()  # drops what has come to zero

    def stat(self) -> dict[str, Any]:
        """Heights, the range of states kept, and entries and bytes a table."""
        return {
            "head": self.head.number,
            "head_hash": "0x" + self.head.hash.hex(),
            "safe": self.safe.number,
            "finalized": self.finalized.number,
            "history": self.states.history,
            "oldest_state": self._pruned_to,
            "tables": self.store.stat(),
        }

    # ------------------------------------------------------------ inside
    def _path_to(self, target: Hash) -> "_Path":
        """The way from the head to another known block; raises UnknownBlock."""
        removed: list[Hash] = []
        added: list[Hash] = []
        old, new = self.head.hash, target
        while old != new:
            old_header, new_header = self._known_header(old), self._known_header(new)
            if new_header.number > old_header.number:
                added.append(new)
                new = new_header.parent_hash
            else:
                removed.append(old)
                old = old_header.parent_hash
        added.reverse()
        return _Path(self._known_header(old), removed, added)

    def _label(self, wanted: Hash | None, current: Block, path: "_Path") -> Block:
        """The block of a label after a move of the head; raises UnknownBlock where it is not an ancestor."""
        if wanted is None:
            on_branch = current.number <= path.ancestor.number
            return current if on_branch else self._known(path.ancestor.hash)
        block = self.block(wanted)
        if block is None:
            raise UnknownBlock(f"block 0x{wanted.hex()} is not known")
        is_common = block.number <= path.ancestor.number and self.is_canonical(wanted)
        if not is_common and wanted not in path.added:
            raise UnknownBlock(f"block 0x{wanted.hex()} is not an ancestor of the head")
        return block

    def _known(self, block_hash: Hash) -> Block:
        block = self.block(block_hash)
        if block is None:
            raise UnknownBlock(f"block 0x{block_hash.hex()}")
        return block

    def _known_header(self, block_hash: Hash) -> Header:
        header = self.header(block_hash)
        if header is None:
            raise UnknownBlock(f"block 0x{block_hash.hex()}")
        return header

    def _parent(self, block: Block) -> Block:
        return self._known(block.header.parent_hash)

    def _diff(self, block: Block) -> Any:
        diff = self.states.diff_of(block.hash)
        if diff is None:
            raise ReorgTooDeep(f"the state of block {block.number} is no longer kept")
        return diff

    def _canonical_block(self, block_hash: Hash) -> Block:
        block = self.block(block_hash)
        if block is None or not self.is_canonical(block_hash):
            raise UnknownBlock(f"block 0x{block_hash.hex()} is not in the canonical chain")
        return block

    def _write(self, batch: WriteBatch, executed: ExecutedBlock, staged: StagedState, is_genesis: bool = False) -> None:
        block = executed.block
        batch.put(HEADERS, block.hash, block.header.encode())
        batch.put(BODIES, block.hash, encode_body(block))
        batch.put(RECEIPTS, block.hash, encode_receipts(executed.receipts))
        if not is_genesis:
            batch.put(BY_NUMBER, _height(block.number) + block.hash, b"\0")
        self.states.write_block(batch, block.hash, staged, is_genesis)

    def _index(self, batch: WriteBatch, block: Block) -> None:
        height = _height(block.number)
        batch.put(CANONICAL, height, block.hash)
        self.logs.add(batch, block.number, self.receipts(block.hash) or [])
        for index, transaction in enumerate(block.transactions):
            batch.put(TRANSACTIONS, transaction.hash, height + index.to_bytes(4, "big"))

    def _oldest_needed(self, head: Block, finalized: Block) -> int:
        return min(head.number - (self.states.history or 0), finalized.number)

    def _prune(self, batch: WriteBatch, oldest: int) -> int:
        """Deletes the states of blocks below oldest; blocks and receipts stay. Returns the oldest state's height.

        oldest is never above the finalized block: derivation may go back to it (specs protocol/derivation.md,
        "Resetting the Pipeline"), and then the states above it are needed, however many blocks that is.
        """
        number = self._pruned_to
        if self.states.history is None:
            return number
        last = min(oldest, number + _PRUNED_AT_ONCE)
        while number < last:
            number += 1
            canonical = batch.get(CANONICAL, _height(number))
            for key, _ in self.store.scan(BY_NUMBER, _height(number), _height(number + 1)):
                self.states.prune_block(batch, key[8:], key[8:] == canonical)
                batch.delete(BY_NUMBER, key)
            batch.put(POINTERS, b"pruned", _height(number))
        return number


def _height(number: int) -> bytes:
    return number.to_bytes(8, "big")
