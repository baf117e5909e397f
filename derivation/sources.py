"""The sources of derivation: an L1, its blobs."""

from collections.abc import Sequence
from typing import Protocol

from derivation.errors import NotFound
from rollup.protocol.blockref import BlockId, L1BlockRef
from rollup.protocol.header import Header
from rollup.protocol.primitives import Hash
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import Transaction


class L1Source(Protocol):
    """An L1 chain. Every method raises Temporary if it cannot answer now, NotFound if there is no such block."""

    def head(self) -> L1BlockRef: ...
    def safe(self) -> L1BlockRef: ...
    def finalized(self) -> L1BlockRef: ...
    def ref_by_number(self, number: int) -> L1BlockRef: ...
    def ref_by_hash(self, block_hash: Hash) -> L1BlockRef: ...
    def header(self, block_hash: Hash) -> Header: ...
    def receipts(self, block_hash: Hash) -> list[Receipt]: ...
    def transactions(self, block_hash: Hash) -> list[Transaction]: ...


class BlobSource(Protocol):
    """Blobs of 131,072 bytes by versioned hash, in the order asked; raises Temporary, NotFound."""

    def blobs(self, ref: L1BlockRef, hashes: Sequence[Hash]) -> list[bytes]: ...


def is_canonical(l1: L1Source, block: BlockId) -> bool:
    """Whether an L1 block is in L1's chain; raises Temporary."""
    try:
        return l1.ref_by_number(block.number).hash == block.hash
    except NotFound:
        return False
