"""One layer's chain: adds blocks and moves the head over them, with receipts, indices and states."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollup.execution.block_codec import encode_body, encode_receipts
from rollup.execution.chain_path import Path, label_after, path_to
from rollup.execution.chain_view import (
    BODIES,
    BY_NUMBER,
    CANONICAL,
    HEADERS,
    POINTERS,
    RECEIPTS,
    TRANSACTIONS,
    ChainView,
    UnknownBlock,
    height_key,
)
from rollup.execution.log_index import LogIndex
from rollup.execution.pruning import Pruning
from rollup.execution.state.changes import GenesisEntry, changes_of_alloc
from rollup.execution.state.database import BlockDiff, StagedState, StateDatabase
from rollup.protocol.block import Block, ExecutedBlock
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Address, Hash
from rollup.store.kv import Store, StoreError, WriteBatch

_UNDONE_AT_ONCE = 1_024  # blocks per write: a deep reorganisation must fit into memory


class ReorgTooDeep(UnknownBlock):
    """A reorganisation would undo a block whose changes of the state are no longer kept."""


class StateMissing(StoreError):
    """The state of the head is not in the store. A derived chain can be made again from L1 (chain_recovery.py)."""


class OtherGenesis(StoreError):
    """A store that holds a chain with another genesis block."""

    def __init__(self, stored: Hash, wanted: Hash) -> None:
        super().__init__(f"another chain is stored here: genesis 0x{stored.hex()}, not 0x{wanted.hex()}")


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


class Chain(ChainView):
    """Blocks with their states on one store; every change of the head is one atomic write."""

    def __init__(self, store: Store, states: StateDatabase, genesis: Block) -> None:
        super().__init__(store, states, genesis)
        self.logs = LogIndex(store)
        self._listeners: list[Callable[[HeadChange], None]] = []
        self._pruning = Pruning(store, states)

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

        Raises OtherGenesis; StateMissing where the head's state is needed and gone.
        """
        states = StateDatabase(store, history)
        genesis = Block(genesis_header)
        chain = cls(store, states, genesis)
        stored = store.get(POINTERS, b"genesis")
        if stored is None:
            chain._begin(alloc)
        elif stored != genesis.hash:
            raise OtherGenesis(stored, genesis.hash)
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
        encoded = encode_body(self.genesis), encode_receipts([])
        with self.store.write() as batch:
            self._write(batch, self.genesis, encoded, staged, is_genesis=True)
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
        self._pruning.resume()

    def _pointed(self, name: bytes) -> Block:
        block_hash = self.store.get(POINTERS, name)
        block = self.block(block_hash) if block_hash is not None else None
        if block is None:
            raise StoreError(f"the {name.decode()} block is missing from the store")
        return block

    # ------------------------------------------------------------ writing
    def subscribe(self, listener: Callable[[HeadChange], None]) -> None:
        """Calls the listener after every move of the head, in order of subscription."""
        self._listeners.append(listener)

    def insert(self, executed: ExecutedBlock, staged: StagedState) -> None:
        """Stores a block and its state without moving the head. A known block is left as it is."""
        block = executed.block
        if self.header(block.hash) is not None:
            return
        encoded = encode_body(block), encode_receipts(executed.receipts)  # before the write: they have check points
        with self.store.write() as batch:
            self._write(batch, block, encoded, staged)
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
        path = path_to(self, block_hash)
        new_safe = label_after(self, path, safe, self.safe)
        new_finalized = label_after(self, path, finalized, self.finalized)
        for lowest in path.removed[-1:] + path.added[:1]:
            if self.states.diff_of(lowest) is None:
                raise ReorgTooDeep(
                    f"the head cannot go back to block {path.ancestor.number}: "
                    f"the states of blocks before {self._pruning.oldest} are no longer kept"
                )
        while len(path.removed) > _UNDONE_AT_ONCE:
            undone, path.removed = path.removed[:_UNDONE_AT_ONCE], path.removed[_UNDONE_AT_ONCE:]
            middle = self.known_block(path.removed[0])
            labels = (label if label.number <= middle.number else middle for label in (self.safe, self.finalized))
            self._move(Path(path.ancestor, undone, []), *labels)
        return self._move(path, new_safe, new_finalized)

    def _move(self, path: Path, safe: Block, finalized: Block) -> HeadChange:
        """Undoes and applies the blocks of a path, sets the labels, and then tells the listeners."""
        change = HeadChange(
            [self.known_block(name) for name in path.removed], [self.known_block(name) for name in path.added]
        )
        head = change.added[-1] if change.added else self.known_block(change.removed[-1].header.parent_hash)
        undone = [self._diff(removed) for removed in change.removed]
        applied = [self._diff(added) for added in change.added]
        with self.store.write() as batch:
            self.states.write_flat(batch, undone, applied)
            self.logs.begin(batch, self.head.number + 1)
            for removed in change.removed:
                batch.delete(CANONICAL, height_key(removed.number))
                self.logs.remove(batch, removed.number, self.receipts(removed.hash) or [])
                for transaction in removed.transactions:
                    batch.delete(TRANSACTIONS, transaction.hash)
            for added in change.added:
                self._index(batch, added)
            for name, pointed in ((b"head", head), (b"safe", safe), (b"finalized", finalized)):
                batch.put(POINTERS, name, pointed.hash)
            pruned_to = self._pruning.prune(batch, self._oldest_needed(head, finalized))
        self.states.follow(undone, applied, head.header.state_root)
        self.head, self.safe, self.finalized, self._pruning.oldest = head, safe, finalized, pruned_to
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
        self._pruning.pin(oldest)
        return ChainHeads(self.head.hash, self.safe.hash, self.finalized.hash, oldest)

    def restore(self, heads: ChainHeads) -> None:
        """Sets the heads as they were captured. Listeners see a reorganisation."""
        self.set_head(heads.head, heads.safe, heads.finalized)

    def release(self, heads: ChainHeads) -> None:
        """Lets pruning take the states that only restoring these heads would need."""
        self._pruning.unpin(heads.oldest)

    def stat(self) -> dict[str, Any]:
        """Heights, the range of states kept, and entries and bytes per table."""
        return {
            "head": self.head.number,
            "head_hash": "0x" + self.head.hash.hex(),
            "safe": self.safe.number,
            "finalized": self.finalized.number,
            "history": self.states.history,
            "oldest_state": self._pruning.oldest,
            "tables": self.store.stat(),
        }

    # ------------------------------------------------------------ inside
    def _diff(self, block: Block) -> BlockDiff:
        diff = self.states.diff_of(block.hash)
        if diff is None:
            raise ReorgTooDeep(f"the state of block {block.number} is no longer kept")
        return diff

    def _canonical_block(self, block_hash: Hash) -> Block:
        block = self.block(block_hash)
        if block is None or not self.is_canonical(block_hash):
            raise UnknownBlock(f"block 0x{block_hash.hex()} is not in the canonical chain")
        return block

    def _write(
        self,
        batch: WriteBatch,
        block: Block,
        encoded: tuple[bytes, bytes],
        staged: StagedState,
        is_genesis: bool = False,
    ) -> None:
        """encoded: the block's body and its receipts."""
        body, receipts = encoded
        batch.put(HEADERS, block.hash, block.header.encode())
        batch.put(BODIES, block.hash, body)
        batch.put(RECEIPTS, block.hash, receipts)
        if not is_genesis:
            batch.put(BY_NUMBER, height_key(block.number) + block.hash, b"\0")
        self.states.write_block(batch, block.hash, staged, is_genesis)

    def _index(self, batch: WriteBatch, block: Block) -> None:
        height = height_key(block.number)
        batch.put(CANONICAL, height, block.hash)
        self.logs.add(batch, block.number, self.receipts(block.hash) or [])
        for index, transaction in enumerate(block.transactions):
            batch.put(TRANSACTIONS, transaction.hash, height + index.to_bytes(4, "big"))

    def _oldest_needed(self, head: Block, finalized: Block) -> int:
        return min(head.number - (self.states.history or 0), finalized.number)
