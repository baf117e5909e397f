"""One layer's blocks: side blocks and the canonical chain, receipts, indices, head pointers, states."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rollup.execution.block_codec import decode_block, decode_receipts, encode_block, encode_receipts
from rollup.execution.state.account import Account
from rollup.execution.state.changes import StateChanges
from rollup.execution.state.database import StagedState, StateDatabase
from rollup.execution.state.reader import StateReader
from rollup.protocol.block import Block, ExecutedBlock
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Address, Hash, keccak256
from rollup.protocol.receipt import Receipt
from rollup.store.kv import Store, StoreError, WriteBatch

BLOCKS, RECEIPTS, CANONICAL, TRANSACTIONS, POINTERS, BY_NUMBER = (
    "blocks",
    "receipts",
    "canonical",
    "transactions",
    "pointers",
    "blocks_by_number",
)
_CACHED_BLOCKS = 1024


class UnknownBlock(LookupError):
    """No such block in this chain."""


class GenesisEntry(Protocol):
    """An account of a genesis allocation: wei, nonce, code, slots."""

    @property
    def balance(self) -> int: ...
    @property
    def nonce(self) -> int: ...
    @property
    def code(self) -> bytes: ...
    @property
    def storage(self) -> dict[int, int]: ...


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


class Chain:
    """Blocks with their states on one store; every change of the head is one atomic write."""

    def __init__(self, store: Store, states: StateDatabase, genesis: Block) -> None:
        self.store = store
        self.states = states
        self.genesis = genesis
        self.head = self.safe = self.finalized = genesis
        self._blocks: OrderedDict[Hash, Block] = OrderedDict()
        self._receipts: OrderedDict[Hash, list[Receipt]] = OrderedDict()
        self._listeners: list[Callable[[HeadChange], None]] = []
        self._pruned_to = 0

    # ------------------------------------------------------------ opening
    @classmethod
    def open(
        cls,
        store: Store,
        genesis_header: Header,
        alloc: Mapping[Address, GenesisEntry],
        history: int | None = 256,
    ) -> "Chain":
        """Begins a chain in an empty store or resumes the one in it; raises StoreError for another genesis."""
        states = StateDatabase(store, history)
        genesis = Block(genesis_header)
        chain = cls(store, states, genesis)
        stored = store.get(POINTERS, b"genesis")
        if stored is None:
            chain._begin(alloc)
        elif stored != genesis.hash:
            raise StoreError(f"another chain is stored here: genesis 0x{stored.hex()}, not 0x{genesis.hash.hex()}")
        else:
            chain._resume()
        return chain

    def _begin(self, alloc: Mapping[Address, GenesisEntry]) -> None:
        staged = self.states.stage(EMPTY_TRIE_ROOT, changes_of_alloc(alloc))
        if staged.root != self.genesis.header.state_root:
            raise StoreError(
                f"genesis: the allocation's state root is 0x{staged.root.hex()}, "
                f"the header says 0x{self.genesis.header.state_root.hex()}"
            )
        with self.store.write() as batch:
            self._write(batch, ExecutedBlock(self.genesis, []), staged)
            self.states.move_flat(batch, [], [staged.diff])
            self._index(batch, self.genesis)
            for name in (b"genesis", b"head", b"safe", b"finalized"):
                batch.put(POINTERS, name, self.genesis.hash)

    def _resume(self) -> None:
        self.head = self._pointed(b"head")
        self.safe = self._pointed(b"safe")
        self.finalized = self._pointed(b"finalized")
        self.states.flat_root = self.head.header.state_root
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
            data = self.store.get(BLOCKS, block_hash)
            if data is None:
                return None
            block = decode_block(data, block_hash)
            self._remember(block)
        return block

    def header(self, block_hash: Hash) -> Header | None:
        """A header by block hash."""
        block = self.block(block_hash)
        return None if block is None else block.header

    def receipts(self, block_hash: Hash) -> list[Receipt] | None:
        """A block's receipts."""
        receipts = self._receipts.get(block_hash)
        if receipts is None:
            data = self.store.get(RECEIPTS, block_hash)
            if data is None:
                return None
            receipts = decode_receipts(data)
            self._remember_receipts(block_hash, receipts)
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
        block = self.block_by_number(number)
        return None if block is None else block.header

    def is_canonical(self, block_hash: Hash) -> bool:
        """The block is an ancestor of the head, or the head."""
        block = self.block(block_hash)
        return block is not None and self.canonical_hash(block.number) == block_hash

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

    # ------------------------------------------------------------ writing
    def subscribe(self, listener: Callable[[HeadChange], None]) -> None:
        """Calls the listener after every move of the head, in order of subscription."""
        self._listeners.append(listener)

    def insert(self, executed: ExecutedBlock, staged: StagedState) -> None:
        """Stores a block and its state beside the canonical chain; a known block is left as it is."""
        block = executed.block
        if self.store.get(BLOCKS, block.hash) is not None:
            return
        with self.store.write() as batch:
            self._write(batch, executed, staged)
        self._remember(block)
        self._remember_receipts(block.hash, executed.receipts)

    def set_head(self, block_hash: Hash) -> HeadChange:
        """Makes a known block the head, reorganising where it must; raises UnknownBlock, StateUnavailable.

        Safe and finalized go back to the common ancestor where they stood on what was removed.
        """
        block = self.block(block_hash)
        if block is None:
            raise UnknownBlock(f"block 0x{block_hash.hex()}")
        if block_hash == self.head.hash:
            return HeadChange()
        change, ancestor = self._path_to(block)
        undone = [self._diff(removed) for removed in change.removed]
        applied = [self._diff(added) for added in change.added]
        with self.store.write() as batch:
            self.states.move_flat(batch, undone, applied)
            for removed in change.removed:
                batch.delete(CANONICAL, _height(removed.number))
                for transaction in removed.transactions:
                    batch.delete(TRANSACTIONS, transaction.hash)
            for added in change.added:
                self._index(batch, added)
            batch.put(POINTERS, b"head", block_hash)
            self.head = block
            for name in ("safe", "finalized"):
                if getattr(self, name).number > ancestor.number and change.removed:
                    setattr(self, name, ancestor)
                    batch.put(POINTERS, name.encode(), ancestor.hash)
        self._prune()
        for listener in self._listeners:
            listener(change)
        return change

    def set_labels(self, safe: Hash | None = None, finalized: Hash | None = None) -> None:
        """Moves the safe and finalized pointers to canonical blocks; raises UnknownBlock."""
        moves = [(b"safe", safe), (b"finalized", finalized)]
        with self.store.write() as batch:
            for name, block_hash in moves:
                if block_hash is None:
                    continue
                block = self.block(block_hash)
                if block is None:
                    raise UnknownBlock(f"block 0x{block_hash.hex()}")
                setattr(self, name.decode(), block)
                batch.put(POINTERS, name, block_hash)

    def stat(self) -> dict[str, Any]:
        """Heights, the range of states kept, and entries and bytes a table."""
        oldest = 0 if self.states.history is None else max(0, self.head.number - self.states.history)
        return {
            "head": self.head.number,
            "head_hash": "0x" + self.head.hash.hex(),
            "safe": self.safe.number,
            "finalized": self.finalized.number,
            "oldest_state": oldest,
            "tables": self.store.stat(),
        }

    # ------------------------------------------------------------ inside
    def _path_to(self, target: Block) -> tuple[HeadChange, Block]:
        change, old, new = HeadChange(), self.head, target
        while old.hash != new.hash:
            if new.number > old.number:
                change.added.append(new)
                new = self._parent(new)
            else:
                change.removed.append(old)
                old = self._parent(old)
        change.added.reverse()
        return change, old

    def _parent(self, block: Block) -> Block:
        parent = self.block(block.header.parent_hash)
        if parent is None:
            raise UnknownBlock(f"block 0x{block.header.parent_hash.hex()}, parent of {block.number}")
        return parent

    def _diff(self, block: Block) -> Any:
        diff = self.states.diff_of(block.hash)
        if diff is None:
            raise UnknownBlock(f"block {block.number} is older than the history kept: it cannot be reorganised")
        return diff

    def _write(self, batch: WriteBatch, executed: ExecutedBlock, staged: StagedState) -> None:
        block = executed.block
        batch.put(BLOCKS, block.hash, encode_block(block))
        batch.put(RECEIPTS, block.hash, encode_receipts(executed.receipts))
        batch.put(BY_NUMBER, _height(block.number) + block.hash, b"")
        self.states.write_block(batch, block.hash, staged)

    def _index(self, batch: WriteBatch, block: Block) -> None:
        height = _height(block.number)
        batch.put(CANONICAL, height, block.hash)
        for index, transaction in enumerate(block.transactions):
            batch.put(TRANSACTIONS, transaction.hash, height + index.to_bytes(4, "big"))

    def _prune(self) -> None:
        """States of blocks beyond the history go; blocks and receipts stay."""
        history = self.states.history
        if history is None:
            return
        while self._pruned_to < self.head.number - history:
            number = self._pruned_to + 1
            canonical = self.canonical_hash(number)
            height = _height(number)
            for key, _ in list(self.store.scan(BY_NUMBER, height, _height(number + 1))):
                with self.store.write() as batch:
                    self.states.prune_block(batch, key[8:], key[8:] == canonical)
                    batch.delete(BY_NUMBER, key)
                    batch.put(POINTERS, b"pruned", number.to_bytes(8, "big"))
            self._pruned_to = number

    def _remember(self, block: Block) -> None:
        self._blocks[block.hash] = block
        if len(self._blocks) > _CACHED_BLOCKS:
            self._blocks.popitem(last=False)

    def _remember_receipts(self, block_hash: Hash, receipts: list[Receipt]) -> None:
        self._receipts[block_hash] = receipts
        if len(self._receipts) > _CACHED_BLOCKS:
            self._receipts.popitem(last=False)


def changes_of_alloc(alloc: Mapping[Address, GenesisEntry]) -> StateChanges:
    """A genesis allocation as changes to the empty state; slots of value 0 are left out, as geth does."""
    changes = StateChanges()
    for address, entry in alloc.items():
        code_hash = keccak256(entry.code) if entry.code else EMPTY_CODE_HASH
        changes.accounts[address] = Account(entry.nonce, entry.balance, EMPTY_TRIE_ROOT, code_hash)
        if entry.code:
            changes.codes[code_hash] = entry.code
        slots = {slot: value for slot, value in entry.storage.items() if value}
        if slots:
            changes.storage[address] = slots
    return changes


def _height(number: int) -> bytes:
    return number.to_bytes(8, "big")
