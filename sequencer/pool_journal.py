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
        """Keeps some (hash, raw) and forgets others, in one write."""
        new = [(tx_hash, raw) for tx_hash, raw in added if tx_hash not in self._keys]
        old = [key for tx_hash in dropped if (key := self._keys.pop(tx_hash, None)) is not None]
        if not new and not old:
            return
        with self._store.write() as batch:
            for key in old:
                batch.delete(self._table, key)
            for tx_hash, raw in new:
                key = self._next.to_bytes(8, "big")
                self._next += 1
                self._keys[tx_hash] = key
                batch.put(self._table, key, raw)
