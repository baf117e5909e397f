"""The safe head as of each L1 block, kept in the chain's store.

op-node keeps the same in its safe head database (op-node/node/safedb) and prunes nothing of it: a challenger asks for
old entries. An entry is written before the label moves. A kill between the two leaves an entry whose block is not
canonical yet, or a block that is derived but not labelled; both are found again at the next start.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rollup.protocol.blockref import BlockId
from rollup.store.kv import Store

TABLE = "safe_heads"


@dataclass(slots=True, frozen=True)
class SafeRecord:
    """A safe L2 block, and the L1 block whose data made it safe."""

    l2: BlockId
    derived_from: BlockId


class SafeHeads:
    """Records in order of L1 block, then of L2 block."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, record: SafeRecord) -> None:
        """Keeps one record; one that is known stays as it is."""
        with self._store.write() as batch:
            batch.put(TABLE, _key(record), record.derived_from.hash + record.l2.hash)

    def at_l1(self, number: int) -> SafeRecord | None:
        """The newest record of this L1 block or of one before it."""
        stop = (number + 1).to_bytes(8, "big") if number < 2**64 - 1 else None
        return next(self.newest_first(stop), None)

    def newest_first(self, stop: bytes | None = None) -> Iterator[SafeRecord]:
        """Every record below a key, newest first."""
        for key, value in self._store.scan(TABLE, stop=stop, reverse=True):
            yield _decode(key, value)

    def since(self, l2_number: int) -> list[SafeRecord]:
        """Records of this L2 block and of later ones, newest first, and the one before them."""
        records = []
        for record in self.newest_first():
            records.append(record)
            if record.l2.number < l2_number:
                break
        return records

    def replace(self, records: Sequence[SafeRecord]) -> None:
        """Makes records that since returned the newest again, and forgets newer ones."""
        self.drop_after(records[-1] if records else None)
        for record in reversed(records):
            self.record(record)

    def drop_after(self, record: SafeRecord | None) -> None:
        """Deletes the records after this one; with None it deletes all."""
        start = b"" if record is None else _key(record) + b"\0"
        stale = [key for key, _ in self._store.scan(TABLE, start)]
        if stale:
            with self._store.write() as batch:
                for key in stale:
                    batch.delete(TABLE, key)


def _key(record: SafeRecord) -> bytes:
    return record.derived_from.number.to_bytes(8, "big") + record.l2.number.to_bytes(8, "big")


def _decode(key: bytes, value: bytes) -> SafeRecord:
    l1, l2 = int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")
    return SafeRecord(BlockId(value[32:], l2), BlockId(value[:32], l1))
