"""Reads one layer's blocks: by hash, by height, their receipts, their transactions and the states after them."""

from dataclasses import dataclass

from rollup.execution.block_codec import decode_body, decode_receipts
from rollup.execution.state.database import StateDatabase
from rollup.execution.state.reader import StateReader
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Hash
from rollup.protocol.receipt import Receipt
from rollup.protocol.recent import Recent
from rollup.store.kv import Store

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


class UnknownBlock(LookupError):
    """No such block in this chain."""


@dataclass(slots=True, frozen=True)
class TransactionLocation:
    """Where a canonical transaction is."""

    block_hash: Hash
    block_number: int
    index: int


class ChainView:
    """The blocks in one store, canonical and not, and the three heads as they were last set."""

    def __init__(self, store: Store, states: StateDatabase, genesis: Block) -> None:
        self.store = store
        self.states = states
        self.genesis = genesis
        self.head = self.safe = self.finalized = genesis
        self._headers: Recent[Header] = Recent(_CACHED_HEADERS)
        self._blocks: Recent[Block] = Recent(
            _CACHED_BLOCKS, lambda block: len(block.transactions), _CACHED_TRANSACTIONS
        )
        self._receipts: Recent[list[Receipt]] = Recent(_CACHED_BLOCKS, len, _CACHED_TRANSACTIONS)

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
        return self.store.get(CANONICAL, height_key(number)) if 0 <= number <= self.head.number else None

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

    def known_block(self, block_hash: Hash) -> Block:
        """A block by hash, canonical or not; raises UnknownBlock."""
        block = self.block(block_hash)
        if block is None:
            raise UnknownBlock(f"block 0x{block_hash.hex()}")
        return block

    def known_header(self, block_hash: Hash) -> Header:
        """A header by block hash; raises UnknownBlock."""
        header = self.header(block_hash)
        if header is None:
            raise UnknownBlock(f"block 0x{block_hash.hex()}")
        return header


def height_key(number: int) -> bytes:
    """A block's height as the tables' keys have it: 8 bytes, big-endian."""
    return number.to_bytes(8, "big")
