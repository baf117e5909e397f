"""The data derived from each L1 block, kept in the chain's store next to the safe heads.

One entry per L1 block that held or decided anything, keyed by the block's number and hash: the data of an orphaned L1
block stays under its own hash, and a reader takes only the entries of canonical blocks. The entry of the block that is
being read is kept in memory until the next block or the end of L1. A kill loses it; the next start reads that block
again. Entries are not pruned, like those of the safe heads; lists inside an entry are bounded.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from derivation.drops import Drop
from derivation.journal import BatchRead, BlockDerived, ChannelRead, DataRead, Fact, Journal
from derivation.places import BatchPlace, DataPlace, FramePlace
from rollup.protocol.blockref import BlockId
from rollup.protocol.primitives import Hash
from rollup.store.kv import Store

L1_TABLE, L2_TABLE, PLACE_TABLE = "derived_l1", "derived_l2", "derived_places"
MAX_FRAMES = 256  # listed per piece of data and per channel; the counts say how many there are
MAX_BATCHES = 256  # listed per channel
MAX_DROPS = 1_024  # different drops per L1 block; further ones are counted under the last

Entry = dict[str, Any]


@dataclass(slots=True, frozen=True)
class BlockOrigin:
    """The L1 block that an L2 block was derived from, and its batch; None for a block without a batch."""

    l1_block: BlockId
    batch: BatchPlace | None


class BatchRecord:
    """Listens to a journal; answers from the store."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._journal = journal
        self._block: BlockId | None = None
        self._entry: Entry = _empty()
        self._drops: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._places: set[bytes] = set()
        self._is_changed = False
        self._known_block: BlockId | None = None
        self._known_drops: dict[tuple[Any, ...], Entry] | None = None
        journal.subscribe(self._take)
        journal.is_known = self._is_known

    # ------------------------------------------------------------ reading
    def entries(self, first: int, last: int) -> Iterator[tuple[BlockId, Entry]]:
        """The entries of the L1 blocks of these numbers, both included, those of orphaned blocks too."""
        start, stop = max(first, 0).to_bytes(8, "big"), (last + 1).to_bytes(8, "big")
        unwritten = self._unwritten()
        for key, value in self._store.scan(L1_TABLE, start, stop):
            block = _block_of(key)
            if unwritten is None or block != unwritten[0]:
                yield block, json.loads(value)
        if unwritten is not None and first <= unwritten[0].number <= last:
            yield unwritten

    def newest_first(self, before: int | None = None) -> Iterator[tuple[BlockId, Entry]]:
        """The entries of L1 blocks below a number, newest first."""
        unwritten = self._unwritten()
        if unwritten is not None and (before is None or unwritten[0].number < before):
            # L1 is read in order, so all entries above it belong to an orphaned chain.
            yield unwritten
        stop = None if before is None else before.to_bytes(8, "big")
        for key, value in self._store.scan(L1_TABLE, stop=stop, reverse=True):
            block = _block_of(key)
            if unwritten is None or block != unwritten[0]:
                yield block, json.loads(value)

    def l1_blocks_of(self, name: bytes) -> list[BlockId]:
        """The L1 blocks that hold a transaction (32 bytes) or a frame of a channel (16 bytes), oldest first."""
        prefix = bytes((len(name),)) + name
        keys = self._store.scan(PLACE_TABLE, prefix, prefix + b"\xff" * 41)
        found = [_block_of(key[len(prefix) :]) for key, _ in keys]
        if self._block is not None and name in self._places and self._block not in found:
            found.append(self._block)
        return found

    def origin(self, l2: BlockId) -> BlockOrigin | None:
        """Where an L2 block was derived from; None when that is not known."""
        value = self._store.get(L2_TABLE, _key(l2))
        if value is None:
            return None
        l1_block, rest = _block_of(value[:40]), value[40:]
        if not rest:
            return BlockOrigin(l1_block, None)
        numbers = [int.from_bytes(rest[start : start + 4], "big") for start in (56, 60)]
        return BlockOrigin(l1_block, BatchPlace(rest[:16], _block_of(rest[16:56]), *numbers))

    # ------------------------------------------------------------ writing
    def flush(self) -> None:
        """Writes the entry of the L1 block that is being read."""
        found = self._unwritten() if self._is_changed else None
        self._is_changed = False
        if found is None:
            return
        block, entry = found
        with self._store.write() as batch:
            batch.put(L1_TABLE, _key(block), json.dumps(entry, separators=(",", ":")).encode())
            for name in self._places:
                batch.put(PLACE_TABLE, bytes((len(name),)) + name + _key(block), b"")

    def begin_again(self) -> None:
        """Derivation begins again: the next fact is of a new reading, also when its L1 block is the same."""
        self.flush()
        self._block = self._known_block = None

    def _unwritten(self) -> tuple[BlockId, Entry] | None:
        """The entry of the L1 block that is being read, as it will be written; None when there is nothing to write."""
        block, entry, drops = self._block, self._entry, dict(self._drops)
        if block is None or not (entry["data"] or entry["channels"] or drops):
            return None
        known = self._known(block)
        if known is not None and block.number < self._journal.settled:
            return None  # read again after a restart or a reset: the first reading knows more
        return block, {**entry, "drops": [*(known or {}).values(), *drops.values()]}

    def _take(self, fact: Fact) -> None:
        if isinstance(fact, BlockDerived):
            self._write_origin(fact)
            return
        if self._block != self._journal.reading:
            self.flush()
            self._block, self._entry, self._drops, self._places = self._journal.reading, _empty(), {}, set()
            self._known(self._block)
        self._is_changed = True
        if isinstance(fact, DataRead):
            self._entry["data"].append(_data(fact))
            self._places.add(fact.place.transaction)
            self._places.update(frame.channel_id for frame in fact.frames[:MAX_FRAMES])
        elif isinstance(fact, ChannelRead):
            self._entry["channels"].append(_channel(fact))
        elif isinstance(fact, BatchRead):
            self._take_batch(fact)
        else:
            self._take_drop(fact)

    def _take_batch(self, fact: BatchRead) -> None:
        channel = self._entry["channels"][-1]
        channel["batches"] += 1
        channel["transactions"] += fact.transactions
        channel["read"] += fact.place.size
        channel["raw"] = max(channel["raw"], channel["read"])  # of a channel with a defect nothing else is known
        channel["first"] = min(channel["first"] or fact.first_time, fact.first_time)
        channel["last"] = max(channel["last"], fact.last_time)
        if len(channel["list"]) < MAX_BATCHES:
            times = [fact.first_time, fact.last_time]
            numbers = [fact.blocks, fact.transactions, fact.place.size]
            channel["list"].append([fact.place.index, fact.kind, *times, *numbers])

    def _take_drop(self, fact: Drop) -> None:
        drop = _drop(fact)
        key = _drop_key(drop)
        known = self._drops.get(key)
        if known is None and len(self._drops) >= MAX_DROPS:
            known = self._drops[next(reversed(self._drops))]
        if known is None:
            self._drops[key] = drop
        else:
            known["count"] += 1
            known["size"] += drop["size"]

    def _is_known(self, drop: Drop) -> bool:
        """An earlier reading of the drop's L1 block has it."""
        return _drop_key(_drop(drop)) in (self._known(drop.l1_block) or {})

    def _known(self, block: BlockId) -> dict[tuple[Any, ...], Entry] | None:
        """The drops of an L1 block when its reading began; None when it was not read before."""
        if self._known_block != block:
            value = self._store.get(L1_TABLE, _key(block))
            self._known_block = block
            self._known_drops = None
            if value is not None:
                self._known_drops = {_drop_key(drop): drop for drop in json.loads(value)["drops"]}
        return self._known_drops

    def _write_origin(self, fact: BlockDerived) -> None:
        value = _key(fact.l1_block)
        if fact.batch is not None:
            batch = fact.batch
            value += batch.channel_id + _key(batch.completed)
            value += batch.index.to_bytes(4, "big") + batch.size.to_bytes(4, "big")
        with self._store.write() as writing:
            writing.put(L2_TABLE, _key(fact.l2), value)


# ---------------------------------------------------------------- entries
def _empty() -> Entry:
    return {"data": [], "channels": []}


def _key(block: BlockId) -> bytes:
    return block.number.to_bytes(8, "big") + block.hash


def _block_of(key: bytes) -> BlockId:
    return BlockId(key[8:40], int.from_bytes(key[:8], "big"))


def _data(fact: DataRead) -> dict[str, Any]:
    frames = fact.frames
    return {**_place(fact.place), "size": fact.size, "count": len(frames), "frames": _frames(frames)}


def _place(place: DataPlace) -> dict[str, Any]:
    return {
        "tx": place.transaction.hex(),
        "index": place.index,
        "sender": place.sender.hex(),
        "blob": place.blob,
        "blobHash": place.blob_hash.hex() if place.blob_hash is not None else None,
    }


def _frames(frames: tuple[FramePlace, ...]) -> list[list[Any]]:
    return [[item.channel_id.hex(), item.number, item.size, item.is_last] for item in frames[:MAX_FRAMES]]


def _channel(fact: ChannelRead) -> dict[str, Any]:
    carriers: dict[Hash, tuple[BlockId, int]] = {}
    for frame in fact.frames:
        if frame.data is not None:
            carriers.setdefault(frame.data.transaction, (frame.data.l1_block, frame.data.index))
    return {
        "id": fact.channel_id.hex(),
        "count": len(fact.frames),
        "carriers": [[tx.hex(), block.number, block.hash.hex(), index] for tx, (block, index) in carriers.items()],
        "compressed": fact.compressed,
        "raw": fact.raw,
        "read": 0,
        "algorithm": fact.algorithm,
        "batches": 0,
        "transactions": 0,
        "first": 0,
        "last": 0,
        "list": [],
    }


def _drop(fact: Drop) -> dict[str, Any]:
    batch, channel_id = fact.batch, fact.channel_id
    if batch is not None:
        channel_id = batch.channel_id
    return {
        "rule": fact.rule.code,
        "count": 1,
        "size": fact.size,
        "detail": fact.detail,
        "tx": fact.place.transaction.hex() if fact.place is not None else None,
        "blob": fact.place.blob if fact.place is not None else None,
        "frame": fact.frame,
        "channel": channel_id.hex() if channel_id is not None else None,
        "batch": batch.index if batch is not None else None,
        "completed": batch.completed.hash.hex() if batch is not None else None,
    }


def _drop_key(drop: dict[str, Any]) -> tuple[Any, ...]:
    return drop["rule"], drop["tx"], drop["blob"], drop["frame"], drop["channel"], drop["batch"], drop["completed"]
