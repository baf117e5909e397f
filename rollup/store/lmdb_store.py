"""A store in an LMDB file, and the checks before the directory is used."""

import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb

from rollup.store.interface import StoreDamaged, StoreError, WriteBatch

if sys.platform != "win32":
    import fcntl

_MAGIC_KEY, _FORMAT = b"openrollup", b"2"
_META = "meta"
_MAP_SIZE = 1 << 40  # an upper bound of the address space; the file grows as needed
_DATA, _LMDB_LOCK = "data.mdb", "lock.mdb"

# What LMDB raises for pages that are not what it wrote, and for every call in a transaction after that.
_DAMAGE = (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.BadTxnError, lmdb.PanicError, lmdb.CursorFullError)

# lmdb.h and mdb.c of LMDB 0.9: a page header of 16 bytes, then MDB_meta: magic, version, address, map size, two MDB_db
# of 48 bytes (the first one's first word is the page size), last page, transaction id.
_META_PAGE = struct.Struct("<16xII8x8xI44x48xQQ")
_MDB_MAGIC, _MDB_VERSION = 0xBEEFC0DE, 1


class LmdbStore:
    """A store in an LMDB file.

    Every batch is one LMDB transaction: it survives SIGKILL of the process at any point. With durable each batch is
    also flushed to the disk and survives a power cut. Without it, a power cut may lose or damage the file.
    """

    def __init__(self, environment: Any, lock: int) -> None:
        self._environment = environment
        self._lock = lock  # of the data file
        self._page_size: int = environment.stat()["psize"]
        # All tables are opened here: py-lmdb opens a table in a write transaction, which would wait for a batch in
        # progress.
        with environment.begin() as transaction, transaction.cursor() as cursor:
            names = [bytes(key) for key, _ in cursor]
        self._databases: dict[str, Any] = {name.decode(): environment.open_db(name, create=False) for name in names}

    @classmethod
    def open(cls, path: Path, durable: bool = False) -> "LmdbStore":
        """Opens or creates a store; raises StoreError for a directory that belongs to another program, is damaged, or
        is in use.
        """
        _check_directory(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = _take_lock(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot be opened: {error}") from error
        try:
            _check_format(path)
            environment = lmdb.open(str(path), map_size=_MAP_SIZE, max_dbs=64, sync=durable, metasync=durable)
            store = cls(environment, lock)
            with store.write() as batch:
                batch.put_new(_META, _MAGIC_KEY, _FORMAT)
        except (lmdb.Error, OSError, StoreError) as error:
            os.close(lock)
            raise (
                error if isinstance(error, StoreError) else StoreError(f"{path}: cannot be opened: {error}")
            ) from error
        return store

    def get(self, table: str, key: bytes) -> bytes | None:
        """The value, or None."""
        database = self._databases.get(table)
        if database is None:
            return None
        try:
            with self._environment.begin(db=database) as transaction:
                value: bytes | None = transaction.get(key)
        except lmdb.Error as error:
            raise self._failure("read", error) from error
        return value

    @contextmanager
    def write(self) -> Iterator[WriteBatch]:
        """One atomic change. Raises StoreError if it cannot be written (disk full)."""
        try:
            with self._environment.begin(write=True) as transaction:
                batch = _LmdbBatch(self, transaction)
                yield batch
            self._databases.update(batch.opened)
        except lmdb.Error as error:
            raise self._failure("write", error) from error
        self._fill_up()

    def _fill_up(self) -> None:
        """Extends the file to its last page: LMDB does not write pages at the end that a batch allocated and freed."""
        size = (self._environment.info()["last_pgno"] + 1) * self._page_size
        if os.fstat(self._lock).st_size < size:
            try:
                os.ftruncate(self._lock, size)
            except OSError as error:
                raise StoreError(f"cannot write: {error}") from error

    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Entries with start <= key < stop in key order, as they are at the start of the scan."""
        database = self._databases.get(table)
        if database is None:
            return
        try:
            yield from self._entries(database, start, stop, reverse)
        except lmdb.Error as error:
            raise self._failure("read", error) from error

    def _entries(self, database: Any, start: bytes, stop: bytes | None, reverse: bool) -> Iterator[tuple[bytes, bytes]]:
        with self._environment.begin(db=database) as transaction, transaction.cursor() as cursor:
            if reverse:
                # Before the first key at or above stop; after the last key when there is none.
                if stop is not None and cursor.set_range(stop):
                    found = cursor.prev()
                else:
                    found = cursor.last()
                for key, value in cursor.iterprev() if found else ():
                    if key < start:
                        return
                    yield key, value
                return
            if cursor.set_range(start) if start else cursor.first():
                for key, value in cursor:
                    if stop is not None and key >= stop:
                        return
                    yield key, value

    def _failure(self, verb: str, error: lmdb.Error) -> StoreError:
        if not isinstance(error, _DAMAGE):
            return StoreError(f"cannot {verb}: {error}")
        folder = self._environment.path()
        return StoreDamaged(
            f"{folder}: {_DATA} is damaged ({error}). Stop the node. A folder l2 or verifier can be deleted: it is "
            "derived again from L1. A folder l1 must come from a copy."
        )

    def stat(self) -> dict[str, dict[str, int]]:
        """Entries and bytes (whole pages) per table."""
        result = {}
        for name, database in sorted(self._databases.items()):
            with self._environment.begin(db=database) as transaction:
                stat = transaction.stat(database)
            pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
            result[name] = {"entries": stat["entries"], "bytes": pages * stat["psize"]}
        return result

    def close(self) -> None:
        """Closes the file and lets others open it."""
        if self._lock >= 0:
            self._environment.close()
            os.close(self._lock)
            self._lock = -1


class _LmdbBatch:
    __slots__ = ("_store", "_transaction", "opened")

    def __init__(self, store: LmdbStore, transaction: Any) -> None:
        self._store = store
        self._transaction = transaction
        self.opened: dict[str, Any] = {}  # tables that this batch creates: usable by others after it has ended

    def get(self, table: str, key: bytes) -> bytes | None:
        value: bytes | None = self._transaction.get(key, db=self._table(table))
        return value

    def put(self, table: str, key: bytes, value: bytes) -> None:
        self._transaction.put(key, value, db=self._table(table))

    def put_new(self, table: str, key: bytes, value: bytes) -> bool:
        written: bool = self._transaction.put(key, value, db=self._table(table), overwrite=False)
        return written

    def delete(self, table: str, key: bytes) -> None:
        self._transaction.delete(key, db=self._table(table))

    def _table(self, table: str) -> Any:
        database = self._store._databases.get(table) or self.opened.get(table)
        if database is None:
            database = self._store._environment.open_db(table.encode(), txn=self._transaction)
            self.opened[table] = database
        return database


def _check_directory(path: Path) -> None:
    """Refuses, without writing, files of other programs and files that LMDB would overwrite or crash on."""
    if not path.exists():
        return
    if not path.is_dir():
        raise StoreError(f"{path}: not a directory")
    try:
        names = {entry.name for entry in path.iterdir()}
        if names and _DATA not in names and names != {_LMDB_LOCK}:
            raise StoreError(f"{path}: not empty, and not a data directory of openrollup")
        if _DATA in names:
            _check_data_file(path / _DATA)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error}") from error


def _check_data_file(data: Path) -> None:
    """Checks that the file has all its pages. LMDB maps the file and dies by SIGBUS where pages are missing, so the
    last page named by the newest meta page must exist. A kill while LMDB creates the file leaves it empty, which is
    allowed.
    """
    size = data.stat().st_size
    if size == 0:
        return
    with data.open("rb") as file:
        first = file.read(_META_PAGE.size)
        metas = [_parse_meta(first)]
        if metas[0] is not None:
            file.seek(metas[0][0])
            metas.append(_parse_meta(file.read(_META_PAGE.size)))
    valid = [meta for meta in metas if meta is not None]
    if len(valid) < 2:
        raise StoreError(f"{data.parent}: {_DATA} is corrupt or not LMDB")
    page_size, last_page, _ = max(valid, key=lambda meta: meta[2])
    if size < (last_page + 1) * page_size:
        raise StoreError(f"{data.parent}: {_DATA} is cut off: {size} bytes, {(last_page + 1) * page_size} expected")


def _parse_meta(data: bytes) -> tuple[int, int, int] | None:
    """Page size, last page and transaction id, or None if the bytes are not a meta page."""
    if len(data) < _META_PAGE.size:
        return None
    magic, version, page_size, last_page, transaction = _META_PAGE.unpack(data)
    if magic != _MDB_MAGIC or version & 0xFFFF != _MDB_VERSION or not 512 <= page_size <= 65536:
        return None
    return page_size, last_page, transaction


def _check_format(path: Path) -> None:
    """Refuses LMDB files of other programs and of other versions before anything is written."""
    if (path / _DATA).stat().st_size == 0:
        return
    with lmdb.open(str(path), readonly=True, lock=False, max_dbs=64) as environment:
        try:
            database = environment.open_db(_META.encode(), create=False)
            with environment.begin(db=database) as transaction:
                found = transaction.get(_MAGIC_KEY)
        except lmdb.NotFoundError:
            found = None
        if found is None and environment.stat()["entries"]:
            raise StoreError(f"{path}: an LMDB store of another program")
    if found not in (None, _FORMAT):
        raise StoreError(
            f"{path}: written by another version (format {found.decode(errors='replace')}, "
            f"this one reads {_FORMAT.decode()})"
        )


def _take_lock(path: Path) -> int:
    """Allows one process per directory, because the chain's pointers and caches have one writer. The lock ends with the
    process.
    """
    lock = os.open(path / _DATA, os.O_RDWR | os.O_CREAT, 0o644)
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise StoreError(f"{path}: in use by another process") from error
    return lock
