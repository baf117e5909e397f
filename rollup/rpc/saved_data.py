"""Saved L1 data as the rows that a node gives: frames, channels and batches, without the chain that they belong to.

The stages of derivation read the data as if one L1 block held it. Rules that need the chain (parents, origins, windows)
are not applied: a batch that could be decoded is `decoded`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from derivation.batch_record import BatchRecord
from derivation.channel_reader import ChannelReader
from derivation.drops import Rule
from derivation.errors import EndOfSource, NotEnoughData
from derivation.frame_queue import FrameQueue
from derivation.journal import DataRead, Journal
from derivation.l1_retrieval import BatcherPiece
from derivation.pipeline import ChannelProvider
from derivation.places import DataPlace
from rollup.l1.kzg import blob_versioned_hash
from rollup.l1.l1_client import L1Receipt
from rollup.protocol.blobs import BlobError, decode_blob
from rollup.protocol.blockref import BlockId, L1BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.primitives import Address, Hash
from rollup.rpc.batch_history import BatchHistory
from rollup.store.kv import MemoryStore


@dataclass(slots=True, frozen=True)
class SavedData:
    """One transaction's data: calldata, or blobs of 131,072 bytes. hash, sender: zero where they are not known."""

    calldata: bytes | None = None
    blobs: tuple[bytes, ...] = ()
    hash: Hash = bytes(32)
    sender: Address = bytes(20)


def explain_saved(config: RollupConfig, block: L1BlockRef, items: Sequence[SavedData]) -> list[dict[str, Any]]:
    """A row per transaction, in order. block: the L1 block whose time decides which forks are active."""
    journal = Journal()
    record = BatchRecord(MemoryStore(), journal)
    journal.open_block(block)
    source = _Saved(block, items, journal)
    reader = ChannelReader(config, ChannelProvider(config, FrameQueue(config, source, journal), journal), journal)
    while True:
        try:
            reader.next_batch()
        except NotEnoughData:
            continue
        except EndOfSource:
            break
    history = BatchHistory(config, _NoChain(), record, _OneBlock(block), _no_receipt)
    rows = [row for item in items if (row := history.transaction(item.hash)) is not None]
    for channel in (channel for row in rows for channel in row["channels"]):
        for batch in channel["batches"]:
            batch["status"] = "decoded" if batch["status"] == "waiting" else batch["status"]
    return rows


class _Saved:
    """L1 retrieval over saved transactions."""

    def __init__(self, block: L1BlockRef, items: Sequence[SavedData], journal: Journal) -> None:
        self.origin: L1BlockRef | None = block
        self._pieces = [piece for index, item in enumerate(items) for piece in _pieces(block.id, index, item, journal)]

    def next_data(self) -> BatcherPiece:
        """The next piece; raises EndOfSource."""
        if not self._pieces:
            raise EndOfSource
        return self._pieces.pop(0)


def _pieces(block: BlockId, index: int, item: SavedData, journal: Journal) -> list[BatcherPiece]:
    found = []
    if item.calldata is not None:
        found.append(BatcherPiece(item.calldata, DataPlace(block, item.hash, index, item.sender)))
    for number, blob in enumerate(item.blobs):
        place = DataPlace(block, item.hash, index, item.sender, number, blob_versioned_hash(blob))
        try:
            found.append(BatcherPiece(decode_blob(blob), place))
        except BlobError as error:
            journal.report(DataRead(place, len(blob), ()))
            journal.drop(Rule.BLOB_ENCODING, len(blob), place=place, detail=str(error))
    return found


class _NoChain:
    """No L2 chain: nothing is derived."""

    def canonical_hash(self, number: int) -> Hash | None:
        """Always None: this stand-in has no blocks."""
        del number
        return None


@dataclass(slots=True, frozen=True)
class _OneBlock:
    """An L1 of one block."""

    block: L1BlockRef

    def ref_by_number(self, number: int) -> L1BlockRef:
        """The block, whatever the number."""
        del number
        return self.block


def _no_receipt(tx_hash: Hash) -> L1Receipt | None:
    del tx_hash
    return None
