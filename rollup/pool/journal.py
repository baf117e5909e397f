"""Keeps acknowledged transactions in a store, so that a killed node still has them when it starts again.

A transaction is kept as its EIP-2718 bytes. Before those of an impersonated one stand a zero byte, which no transaction
begins with, and its sender.
"""

from collections.abc import Iterable

from rollup.protocol.primitives import Hash
from rollup.protocol.transaction import Transaction, decode_transaction
from rollup.store.kv import Store

TABLE = "pool"
_IMPERSONATED = b"\x00"


class PoolJournal:
    """Transactions by arrival order, which is the order in which they can be taken in again."""

    def __init__(self, store: Store, table: str = TABLE) -> None:
        self._store = store
        self._table = table
        self._keys: dict[Hash, bytes] = {}
        self._next = 0

    def load(self) -> list[Transaction]:
        """The transactions kept, oldest first; they stay kept until they are dropped."""
        entries = list(self._store.scan(self._table))
        transactions = [_restored(kept) for _, kept in entries]
        self._keys = {item.hash: key for (key, _), item in zip(entries, transactions, strict=True)}
        self._next = int.from_bytes(entries[-1][0], "big") + 1 if entries else 0
        return transactions

    def update(self, added: Iterable[Transaction] = (), dropped: Iterable[Hash] = ()) -> None:
        """Keeps some and forgets others, in one write; raises StoreError with nothing changed."""
        new = [(item.hash, _kept(item)) for item in added if item.hash not in self._keys]
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


def _kept(transaction: Transaction) -> bytes:
    prefix = _IMPERSONATED + transaction.sender if transaction.is_impersonated else b""
    return prefix + transaction.encode()


def _restored(kept: bytes) -> Transaction:
    if kept[:1] != _IMPERSONATED:
        return decode_transaction(kept)
    return decode_transaction(kept[21:]).impersonated(kept[1:21])
