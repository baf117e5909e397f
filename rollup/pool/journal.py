"""Keeps acknowledged transactions in a store, so that a killed node still has them when it starts again."""

from collections.abc import Iterable

from rollup.protocol.primitives import Hash, keccak256
from rollup.store.kv import Store

TABLE = "pool"


class PoolJournal:
    """Raw transactions by arrival order, which is the order in which they can be taken in again."""

    def __init__(self, store: Store, table: str = TABLE) -> None:
        self._store = store
        self._table = table
        self._keys: dict[Hash, bytes] = {}
        self._next = 0

    def load(self) -> list[bytes]:
        """The raw transactions kept, oldest first; they stay kept until they are dropped."""
        entries = list(self._store.scan(self._table))
        self._keys = {keccak256(raw): key for key, raw in entries}
        self._next = int.from_bytes(entries[-1][0], "big") + 1 if entries else 0
        return [raw for _, raw in entries]

    def update(self, added: Iterable[tuple[Hash, bytes]] = (), dropped: Iterable[Hash] = ()) -> None:
        """Keeps some (hash, raw) and forgets others, in one write; raises StoreError with nothing changed."""
        new = [(tx_hash, raw) for tx_hash, raw in added if tx_hash not in self._keys]
        gone = [tx_hash for tx_hash in dropped if tx_hash in self._keys]
        if not new and not gone:
            return
        keys = {tx_hash: (self._next + index).to_bytes(8, "big") for index, (tx_hash, _) in enumerate(new)}
        with self._store.write() as batch:
            for tx_hash in gone:
                batch.delete(self._table, self._keys[tx_hash])
            for tx_hash, raw in new:
                batch.put(self._table, keys[tx_hash], raw)
        # Only what is written is known: a failed write leaves the journal where it was.
        for tx_hash in gone:
            del self._keys[tx_hash]
        self._keys.update(keys)
        self._next += len(new)
