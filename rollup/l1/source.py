"""The mock L1 as derivation.sources' L1Source and BlobSource."""

from collections.abc import Sequence

from derivation.errors import NotFound
from rollup.l1.miner import MockL1
from rollup.protocol.block import Block
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.header import Header
from rollup.protocol.primitives import Hash
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import Transaction


class LocalL1Source:
    """Reads the chain in the same process. Nothing here fails temporarily."""

    def __init__(self, l1: MockL1) -> None:
        self._l1 = l1

    def head(self) -> L1BlockRef:
        """The latest block."""
        return l1_block_ref(self._l1.chain.head)

    def safe(self) -> L1BlockRef:
        """The safe block."""
        return l1_block_ref(self._l1.chain.safe)

    def finalized(self) -> L1BlockRef:
        """The finalized block."""
        return l1_block_ref(self._l1.chain.finalized)

    def ref_by_number(self, number: int) -> L1BlockRef:
        """The canonical block at a height; raises NotFound while there is none."""
        block = self._l1.chain.block_by_number(number)
        if block is None:
            raise NotFound(f"L1 block {number}")
        return l1_block_ref(block)

    def ref_by_hash(self, block_hash: Hash) -> L1BlockRef:
        """A block by its hash, orphaned ones too; raises NotFound."""
        return l1_block_ref(self._block(block_hash))

    def header(self, block_hash: Hash) -> Header:
        """A header by its hash; raises NotFound."""
        return self._block(block_hash).header

    def transactions(self, block_hash: Hash) -> list[Transaction]:
        """A block's transactions; raises NotFound."""
        return self._block(block_hash).transactions

    def receipts(self, block_hash: Hash) -> list[Receipt]:
        """The receipts of a block, one per transaction. Raises NotFound."""
        receipts = self._l1.chain.receipts(block_hash)
        if receipts is None:
            raise NotFound(f"L1 block 0x{block_hash.hex()}")
        return receipts

    def blobs(self, ref: L1BlockRef, hashes: Sequence[Hash]) -> list[bytes]:
        """The blobs (131,072 bytes each) with these versioned hashes, in their order; raises NotFound."""
        del ref  # blobs are stored by versioned hash, without regard to their block
        return [self._blob(item) for item in hashes]

    def _block(self, block_hash: Hash) -> Block:
        block = self._l1.chain.block(block_hash)
        if block is None:
            raise NotFound(f"L1 block 0x{block_hash.hex()}")
        return block

    def _blob(self, versioned_hash: Hash) -> bytes:
        stored = self._l1.archive.get(versioned_hash)
        if stored is None:
            raise NotFound(f"blob 0x{versioned_hash.hex()}")
        return stored.blob


def l1_block_ref(block: Block) -> L1BlockRef:
    """A block's reference."""
    return L1BlockRef(block.hash, block.number, block.header.parent_hash, block.timestamp)
