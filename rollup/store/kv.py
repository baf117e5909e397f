"""Tables of bytes with atomic writes: in memory, or in LMDB on disk."""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import lmdb

_MAGIC_KEY, _FORMAT = b"openrollup", b"1"
_MAP_SIZE = 1 << 40  # an upper bound of the address space; the file grows as it needs


class StoreError(Exception):
    """A data directory that is foreign, corrupt, or in use; the message says which. It is left untouched."""


class WriteBatch(Protocol):
    """Changes that become visible all at once."""

    def put(self, table: str, key: bytes, value: bytes) -> None: ...
    def delete(self, table: str, key: bytes) -> None: ...


class Store(Protocol):
    """Tables of bytes. Reads see a batch's changes only once it has ended; an exception in it changes nothing."""

    def get(self, table: str, key: bytes) -> bytes | None: ...
    def write(self) -> AbstractContextManager[WriteBatch]: ...
    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]: ...
    def stat(self) -> dict[str, dict[str, int]]: ...
    def close(self) -> None: ...


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
        batch = _MemoryBatch()
        yield batch
        for (table, key), value in batch.changes.items():
            entries = self._tables.setdefault(table, {})
            if value is None:
                entries.pop(key, None)
            else:
                entries[key] = value

    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Entries with start <= key < stop, in key order."""
        entries = self._tables.get(table, {})
        keys = sorted(entries)
        keys = keys[bisect_left(keys, start) : len(keys) if stop is None else bisect_left(keys, stop)]
        for key in reversed(keys) if reverse else keys:
            yield key, entries[key]

    def stat(self) -> dict[str, dict[str, int]]:
        """Entries and bytes a table."""
        return {
            name: {"entries": len(entries), "bytes": sum(len(key) + len(value) for key, value in entries.items())}
            for name, entries in sorted(self._tables.items())
        }

    def close(self) -> None:
        """Nothing to do."""


class _MemoryBatch:
    def __init__(self) -> None:
        self.changes: dict[tuple[str, bytes], bytes | None] = {}

    def put(self, table: str, key: bytes, value: bytes) -> None:
        self.changes[table, key] = value

    def delete(self, table: str, key: bytes) -> None:
        self.changes[table, key] = None


class LmdbStore:
    """A store in an LMDB file.

    Every batch is one LMDB transaction: it survives SIGKILL of the process at any point. With durable it is also
    flushed to the disk each time, and so survives a power cut; without, a power cut may lose the newest batches.
    """

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._databases: dict[str, Any] = {}

    @classmethod
    def open(cls, path: Path, durable: bool = False) -> "LmdbStore":
        """Opens or creates a store; raises StoreError for a directory that is not ours."""
        _check_directory(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            environment = lmdb.open(
                str(path),
                map_size=_MAP_SIZE,
                max_dbs=64,
                sync=durable,
                metasync=durable,
                writemap=False,
                max_readers=64,
            )
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"{path}: cannot be opened: {error}") from error
        store = cls(environment)
        found = store.get("meta", _MAGIC_KEY)
        if found is None and store.stat():
            environment.close()
            raise StoreError(f"{path}: an LMDB store of another program")
        if found not in (None, _FORMAT):
            environment.close()
            raise StoreError(f"{path}: written by another version (format {found!r}, this one reads {_FORMAT!r})")
        if found is None:
            with store.write() as batch:
                batch.put("meta", _MAGIC_KEY, _FORMAT)
        return store

    def get(self, table: str, key: bytes) -> bytes | None:
        """The value, or None."""
        database = self._database(table)
        if database is None:
            return None
        with self._environment.begin(db=database) as transaction:
            value: bytes | None = transaction.get(key)
        return value

    @contextmanager
    def write(self) -> Iterator[WriteBatch]:
        """One atomic change."""
        batch = _MemoryBatch()
        yield batch
        databases = {table: self._database(table, create=True) for table, _ in batch.changes}
        with self._environment.begin(write=True) as transaction:
            for (table, key), value in batch.changes.items():
                if value is None:
                    transaction.delete(key, db=databases[table])
                else:
                    transaction.put(key, value, db=databases[table])

    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Entries with start <= key < stop, in key order, as they are when the scan begins."""
        database = self._database(table)
        if database is None:
            return
        with self._environment.begin(db=database) as transaction, transaction.cursor() as cursor:
            if reverse:
                found = cursor.last() if stop is None else (cursor.set_range(stop) and cursor.prev()) or cursor.last()
                entries = cursor.iterprev() if found else iter(())
                for key, value in entries:
                    if key < start:
                        return
                    if stop is None or key < stop:
                        yield key, value
                return
            if cursor.set_range(start) if start else cursor.first():
                for key, value in cursor:
                    if stop is not None and key >= stop:
                        return
                    yield key, value

    def stat(self) -> dict[str, dict[str, int]]:
        """Entries and bytes (whole pages) a table."""
        with self._environment.begin() as transaction, transaction.cursor() as cursor:
            names = [bytes(key).decode() for key, _ in cursor]
        result = {}
        for name in names:
            with self._environment.begin(db=self._database(name)) as transaction:
                stat = transaction.stat(self._database(name))
            pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
            result[name] = {"entries": stat["entries"], "bytes": pages * stat["psize"]}
        return result

    def close(self) -> None:
        """Closes the file."""
        self._environment.close()

    def _database(self, table: str, create: bool = False) -> Any:
        database = self._databases.get(table)
        if database is None:
            try:
                database = self._environment.open_db(table.encode(), create=create)
            except (lmdb.NotFoundError, lmdb.ReadonlyError):
                return None
            self._databases[table] = database
        return database


def _check_directory(path: Path) -> None:
    """Refuses what LMDB would overwrite or crash on."""
    if not path.exists():
        return
    if not path.is_dir():
        raise StoreError(f"{path}: not a directory")
    names = {entry.name for entry in path.iterdir()}
    if names and "data.mdb" not in names:
        raise StoreError(f"{path}: not empty, and not a data directory of openrollup")
    data = path / "data.mdb"
    if data.exists() and data.stat().st_size:
        head = data.read_bytes()[:64] if data.stat().st_size < 4096 else data.open("rb").read(64)
        if head[16:20] != b"\xde\xc0\xef\xbe":  # MDB_MAGIC after the page header (lmdb.h)
            raise StoreError(f"{path}: data.mdb is corrupt or not LMDB")
