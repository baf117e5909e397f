"""A store in memory."""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager

from rollup.store.interface import WriteBatch


class MemoryStore:
    """A store that lasts as long as the process."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[bytes, bytes]] = {}

    def get(self, table: str, key: bytes) -> bytes | None:
        """The value, or None."""
        entries = self._tables.get(table)
        return None if entries is None else entries.get(key)

    @contextmanager
    def write(self) -> Iterator[WriteBatch]:
        """One atomic change."""
        batch = _MemoryBatch(self)
        yield batch
        for table, changes in batch.changes.items():
            entries = self._tables.setdefault(table, {})
            for key, value in changes.items():
                if value is None:
                    entries.pop(key, None)
                else:
                    entries[key] = value

    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Entries with start <= key < stop in key order, as they are at the start of the scan."""
        entries = self._tables.get(table, {})
        keys = sorted(entries)
        keys = keys[bisect_left(keys, start) : len(keys) if stop is None else bisect_left(keys, stop)]
        found = [(key, entries[key]) for key in keys]
        yield from reversed(found) if reverse else found

    def stat(self) -> dict[str, dict[str, int]]:
        """Entries and bytes per table."""
        return {
            name: {"entries": len(entries), "bytes": sum(len(key) + len(value) for key, value in entries.items())}
            for name, entries in sorted(self._tables.items())
            if entries
        }

    def close(self) -> None:
        """Does nothing, because there is no file."""


class _MemoryBatch:
    __slots__ = ("_store", "changes")

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.changes: dict[str, dict[bytes, bytes | None]] = {}

    def get(self, table: str, key: bytes) -> bytes | None:
        changes = self.changes.get(table)
        if changes is not None and key in changes:
            return changes[key]
        return self._store.get(table, key)

    def put(self, table: str, key: bytes, value: bytes) -> None:
        try:
            self.changes[table][key] = value
        except KeyError:
            self.changes[table] = {key: value}

    def put_new(self, table: str, key: bytes, value: bytes) -> bool:
        if self.get(table, key) is not None:
            return False
        self.put(table, key, value)
        return True

    def delete(self, table: str, key: bytes) -> None:
        self.changes.setdefault(table, {})[key] = None
