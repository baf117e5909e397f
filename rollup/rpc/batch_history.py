"""Batches as rows of JSON: L1 transactions, the channels they carry, their batches, and dropped data with the rule.

The source is the record that derivation keeps (derivation/batch_record.py). Decisions of L1 blocks that are no longer
canonical do not count.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from derivation.batch_record import BatchRecord, BlockOrigin, Entry
from derivation.drops import Rule
from derivation.errors import NotFound
from derivation.places import BatchPlace
from rollup.l1.l1_client import L1Receipt
from rollup.protocol.blockref import BlockId, L1BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.primitives import Hash
from rollup.rpc.formats import hex_data, hex_quantity

_RULES = {rule.code: rule for rule in Rule}
Row = dict[str, Any]


class L2Hashes(Protocol):
    """The canonical L2 chain, as far as rows need it."""

    def canonical_hash(self, number: int) -> Hash | None: ...


class L1Refs(Protocol):
    """The canonical L1 chain, as far as rows need it; raises NotFound, Temporary."""

    def ref_by_number(self, number: int) -> L1BlockRef: ...


@dataclass(slots=True, frozen=True)
class BatchHistory:
    """The record of one derivation, with its L2 chain and its L1. receipt: returns an L1 transaction's receipt, for its
    cost.
    """

    config: RollupConfig
    chain: L2Hashes
    record: BatchRecord
    l1: L1Refs
    receipt: Callable[[Hash], L1Receipt | None]

    def newest(self, before: tuple[int, int] | None, limit: int) -> Iterator[Row]:
        """Transactions to the batch inbox, newest first, those before an L1 block's number and an index."""
        above = None if before is None else before[0] + 1
        left = limit
        for block, entry in self.record.newest_first(above):
            ref = self._canonical(block)
            if ref is None or not entry["data"]:
                continue
            later = self._later(block.number)
            for name in reversed(_transactions(entry)):
                row = self._row(ref, name, entry, later)
                if before is not None and (ref.number, row["transactionIndex"]) >= before:
                    continue
                if not left:
                    return
                left -= 1
                yield row

    def transaction(self, tx_hash: Hash) -> Row | None:
        """The row of one L1 transaction; None when the canonical chain has no such batcher transaction."""
        for block in self.record.l1_blocks_of(tx_hash):
            ref = self._canonical(block)
            if ref is None:
                continue
            later = self._later(block.number)
            for found, entry in later:
                if found == block and tx_hash.hex() in _transactions(entry):
                    return self._row(ref, tx_hash.hex(), entry, later)
        return None

    def channel(self, channel_id: bytes) -> Row | None:
        """A channel with the rows of the transactions that carry it; of several with one id the newest."""
        blocks = [block for block in self.record.l1_blocks_of(channel_id) if self._canonical(block) is not None]
        rows: dict[str, Row] = {}
        for block in blocks:
            for found, entry in self.record.entries(block.number, block.number):
                names = _transactions(entry) if found == block else []
                rows |= {name: row for name in names if (row := self.transaction(bytes.fromhex(name))) is not None}
        wanted = hex_data(channel_id)
        newest: Row | None = None
        for row in rows.values():
            newest = next((item for item in row["channels"] if item["channelId"] == wanted), newest)
        if newest is None:
            return None
        hashes = {item["hash"] for item in newest["carriers"]}
        carried = [row for row in rows.values() if row["transactionHash"] in hashes]
        costs = [int(row["l1Cost"], 16) for row in carried if row["l1Cost"] is not None]
        return {**newest, "transactions": carried, "l1Cost": hex_quantity(sum(costs))}

    def origin(self, l2: BlockId) -> BlockOrigin | None:
        """Where a canonical L2 block was derived from; None when it is not derived, or that is not recorded."""
        found = self.record.origin(l2)
        return found if found is not None and self._canonical(found.l1_block) is not None else None

    def batch(self, place: BatchPlace) -> tuple[Row, Row | None] | None:
        """The channel that holds a batch, and the batch, None where the channel's list was cut."""
        for found, entry in self.record.entries(place.completed.number, place.completed.number):
            for channel in entry["channels"] if found == place.completed else []:
                if channel["id"] == place.channel_id.hex():
                    row = self._channel(found, channel, entry, [(found, entry)])
                    return row, next((item for item in row["batches"] if item["index"] == place.index), None)
        return None

    # ------------------------------------------------------------ rows
    def _row(self, ref: L1BlockRef, name: str, entry: Entry, later: Sequence[tuple[BlockId, Entry]]) -> Row:
        pieces = [piece for piece in entry["data"] if piece["tx"] == name]
        channels = [
            self._channel(block, channel, found, later)
            for block, found in later
            for channel in found["channels"]
            if [name, ref.number, ref.hash.hex()] in [carrier[:3] for carrier in channel["carriers"]]
        ]
        drops = [drop for _, found in later for drop in found["drops"] if drop["tx"] == name]
        complete = {channel["channelId"] for channel in channels}
        lost = {"0x" + drop["channel"] for drop in drops if drop["channel"] is not None}
        for channel_id in dict.fromkeys("0x" + frame[0] for piece in pieces for frame in piece["frames"]):
            if channel_id not in complete:
                channels.append(_incomplete(channel_id, "dropped" if channel_id in lost else "open"))
        blobs = [piece["blobHash"] for piece in pieces if piece["blobHash"] is not None]
        return {
            "l1Block": {"number": ref.number, "hash": hex_data(ref.hash), "timestamp": ref.timestamp},
            "transactionHash": "0x" + name,
            "transactionIndex": pieces[0]["index"],
            "sender": "0x" + pieces[0]["sender"],
            "container": "blobs" if blobs else "calldata",
            "blobs": ["0x" + item for item in blobs],
            "size": sum(piece["size"] for piece in pieces),
            "frameCount": sum(piece["count"] for piece in pieces),
            "frames": [_frame(frame, piece["blob"]) for piece in pieces for frame in piece["frames"]],
            "channels": channels,
            "dropped": [_drop(drop) for drop in drops],
            **self._cost(bytes.fromhex(name)),
        }

    def _channel(self, block: BlockId, channel: Entry, entry: Entry, later: Sequence[tuple[BlockId, Entry]]) -> Row:
        """A complete channel. Its drops belong to the block where it was completed; drops of its batches may come in
        later blocks.
        """
        name, completed = channel["id"], block.hash.hex()
        of_channel = [item for item in entry["drops"] if _is_of_channel(item, name) and item["batch"] is None]
        of_batches = [
            item
            for _, found in later
            for item in found["drops"]
            if item["channel"] == name and item["completed"] == completed
        ]
        has_batches = channel["batches"] > 0
        return {
            "channelId": "0x" + name,
            "status": "complete",
            "completedIn": id_json(block),
            "carriers": [
                {"hash": "0x" + tx, "l1Block": {"number": number, "hash": "0x" + hash_}, "transactionIndex": index}
                for tx, number, hash_, index in channel["carriers"]
            ],
            "frameCount": channel["count"],
            "compressedSize": channel["compressed"],
            "size": channel["raw"],
            "compression": channel["algorithm"],
            "batchCount": channel["batches"],
            "batches": [self._batch(item, name, block, of_batches) for item in channel["list"]],
            "transactionCount": channel["transactions"],
            "firstBlock": self._number(channel["first"]) if has_batches else None,
            "lastBlock": self._number(channel["last"]) if has_batches else None,
            "dropped": [_drop(drop) for drop in [*of_channel, *of_batches]],
        }

    def _batch(self, item: list[Any], channel_id: str, completed: BlockId, drops: Sequence[Entry]) -> Row:
        index, kind, first, last, blocks, transactions, size = item
        found = [drop for drop in drops if drop["batch"] == index]
        status = "waiting"
        if found:
            status = "dropped"
        elif self._is_derived(channel_id, completed, index, last):
            status = "derived"
        return {
            "index": index,
            "type": kind,
            "status": status,
            "firstBlock": self._number(first),
            "lastBlock": self._number(last),
            "blockCount": blocks,
            "transactionCount": transactions,
            "size": size,
            "dropped": [_drop(drop) for drop in found],
        }

    def _is_derived(self, channel_id: str, completed: BlockId, index: int, last_time: int) -> bool:
        number = self._number(last_time)
        block_hash = self.chain.canonical_hash(number) if number is not None else None
        if block_hash is None or number is None:
            return False
        origin = self.origin(BlockId(block_hash, number))
        place = origin.batch if origin is not None else None
        return place is not None and (place.channel_id.hex(), place.completed, place.index) == (
            channel_id,
            completed,
            index,
        )

    def _cost(self, tx_hash: Hash) -> Row:
        """The cost of the L1 transaction, in wei."""
        receipt = self.receipt(tx_hash)
        if receipt is None:
            return {"l1Cost": None, "l1ExecutionCost": None, "l1BlobCost": None}
        execution, blobs = (
            receipt.gas_used * receipt.effective_gas_price,
            receipt.blob_gas_used * receipt.blob_gas_price,
        )
        costs = {"l1Cost": execution + blobs, "l1ExecutionCost": execution, "l1BlobCost": blobs}
        return {name: hex_quantity(value) for name, value in costs.items()}

    # ------------------------------------------------------------ where
    def _number(self, timestamp: int) -> int | None:
        """The number of the L2 block of a time; None for a time that no block can have."""
        passed, block_time = timestamp - self.config.genesis.l2_time, self.config.block_time
        if passed < 0 or passed % block_time:
            return None
        return self.config.genesis.l2.number + passed // block_time

    def _canonical(self, block: BlockId) -> L1BlockRef | None:
        try:
            ref = self.l1.ref_by_number(block.number)
        except NotFound:
            return None
        return ref if ref.hash == block.hash else None

    def _later(self, number: int) -> list[tuple[BlockId, Entry]]:
        """The canonical entries from an L1 block on, as long as a channel of it may be open or its batches wait."""
        reach = max(self.config.channel_timeout, self.config.seq_window_size if self._has_queue(number) else 0)
        return [
            (block, entry)
            for block, entry in self.record.entries(number, number + reach + 1)
            if self._canonical(block) is not None
        ]

    def _has_queue(self, number: int) -> bool:
        """Whether batches may wait for their turn, up to a sequencing window. They may before Holocene."""
        return not self.config.is_holocene(self.l1.ref_by_number(number).timestamp)


# ---------------------------------------------------------------- pieces
def _transactions(entry: Entry) -> list[str]:
    return list(dict.fromkeys(piece["tx"] for piece in entry["data"]))


def _is_of_channel(drop: Entry, channel_id: str) -> bool:
    return bool(drop["channel"] == channel_id and drop["frame"] is None)


def id_json(block: BlockId) -> Row:
    """A block's number and hash."""
    return {"number": block.number, "hash": hex_data(block.hash)}


def _frame(frame: list[Any], blob: int | None) -> Row:
    channel_id, number, size, is_last = frame
    return {"channelId": "0x" + channel_id, "number": number, "size": size, "isLast": is_last, "blob": blob}


def _incomplete(channel_id: str, status: str) -> Row:
    return {
        "channelId": channel_id,
        "status": status,
        "completedIn": None,
        "carriers": [],
        "frameCount": None,
        "compressedSize": None,
        "size": None,
        "compression": None,
        "batchCount": 0,
        "batches": [],
        "transactionCount": 0,
        "firstBlock": None,
        "lastBlock": None,
        "dropped": [],
    }


def _drop(drop: Entry) -> Row:
    rule = _RULES[drop["rule"]]
    return {
        "rule": rule.code,
        "text": rule.text,
        "section": rule.section,
        "url": rule.url,
        "detail": drop["detail"],
        "count": drop["count"],
        "size": drop["size"],
        "blob": drop["blob"],
        "frame": drop["frame"],
        "batch": drop["batch"],
    }
