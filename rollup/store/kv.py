"""Tables of bytes with atomic writes, in memory or in LMDB on disk."""

from rollup.store.interface import Store, StoreDamaged, StoreError, WriteBatch
from rollup.store.lmdb_store import LmdbStore
from rollup.store.memory import MemoryStore

__all__ = ["LmdbStore", "MemoryStore", "Store", "StoreDamaged", "StoreError", "WriteBatch"]
