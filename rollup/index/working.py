"""The working rows: read once, changed in memory, and written together with their values before the block."""

import sqlite3
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Generic, TypeVar

from rollup.cooperative import in_turns
from rollup.index import schema
from rollup.index.database import write_rows
from rollup.index.rows import (
    AccountRow,
    DatanetRow,
    EarningRow,
    FlowRow,
    JobRow,
    MemberRow,
    ModelRow,
    PlatformRow,
)
from rollup.index.schema import RowTable
from rollup.protocol.primitives import Address

Row = TypeVar("Row")
Key = tuple[Any, ...]
_CACHED_ROWS = 200_000


def wide(value: int) -> bytes:
    """A number as this index stores it in SQLite: in as few bytes as possible."""
    return value.to_bytes(value.bit_length() + 7 >> 3, "big")


def number(value: bytes) -> int:
    """Decodes the bytes of wide."""
    return int.from_bytes(value, "big")


class Rows(Generic[Row]):
    """One table's rows."""

    def __init__(self, database: sqlite3.Connection, table: RowTable) -> None:
        self._database = database
        self._row: Callable[..., Row] = table.row
        self._wide = table.blobs
        self._values: Callable[[Any], tuple[Any, ...]] = attrgetter(*table.columns)
        self._cache: dict[Key, Row | None] = {}
        self._changed: set[Key] = set()
        self._before: dict[Key, tuple[Any, ...] | None] = {}
        self._undo: list[tuple[Any, ...]] = []
        names = (*table.keys, *table.columns)
        where = " AND ".join(f"{key} = ?" for key in table.keys)
        self._empty = (None,) * len(table.columns)
        self._key_size = len(table.keys)
        self._select = f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {where}"
        self._replace = f"INSERT OR REPLACE INTO {table.name} ({', '.join(names)}) VALUES ({_marks(len(names))})"
        self._delete = f"DELETE FROM {table.name} WHERE {where}"
        self._keep = f"INSERT INTO undo_{table.name} VALUES ({_marks(len(names) + 2)})"
        self._undone = f"SELECT * FROM undo_{table.name} WHERE block > ? ORDER BY block DESC"
        self._forget = f"DELETE FROM undo_{table.name} WHERE block > ?"
        self._prune = f"DELETE FROM undo_{table.name} WHERE block <= ?"
        self._keys = f"SELECT {', '.join(table.keys)} FROM {table.name}"
        self._scan = f"SELECT {', '.join(names)} FROM {table.name}"

    def get(self, *key: Any) -> Row | None:
        """The current row. Do not change it."""
        try:
            return self._cache[key]
        except KeyError:
            found = self._database.execute(self._select, key).fetchone()
            row = self._cache[key] = None if found is None else self._decode(found)
            return row

    def touch(self, *key: Any) -> Row:
        """The row, for changing. It is created if there is none."""
        row = self.get(*key)
        if key not in self._before:
            self._before[key] = None if row is None else self._values(row)
            self._changed.add(key)
        if row is None:
            row = self._cache[key] = self._row()
        return row

    def end_block(self, block: int | None) -> None:
        """Turns the earlier values of the changed rows into the block's undo record. None makes no record."""
        if block is not None:
            for key, values in in_turns(self._before.items()):
                encoded = self._empty if values is None else self._encode(values)
                self._undo.append((block, *key, values is not None, *encoded))
        self._before.clear()

    def write(self) -> None:
        """Writes all changes into the open transaction."""
        cache, values = self._cache, self._values
        changed = sorted(self._changed)
        rows = [(*key, *self._encode(values(cache[key]))) for key in in_turns(changed)]
        write_rows(self._database, self._replace, rows)
        write_rows(self._database, self._keep, self._undo)

    def clean(self) -> None:
        """Marks everything as written. Call it after a commit."""
        self._changed.clear()
        self._undo.clear()
        if len(self._cache) > _CACHED_ROWS:
            self._cache.clear()

    def drop(self) -> None:
        """Discards everything that is not written."""
        self._changed.clear()
        self._undo.clear()
        self._before.clear()
        self._cache.clear()

    def unwind(self, block: int) -> None:
        """Restores the rows to their values after a block. There must be no unwritten changes."""
        for _, *rest in in_turns(self._database.execute(self._undone, (block,)).fetchall()):
            key, existed, values = rest[: self._key_size], rest[self._key_size], rest[self._key_size + 1 :]
            if existed:
                self._database.execute(self._replace, (*key, *values))
            else:
                self._database.execute(self._delete, key)
        self._database.execute(self._forget, (block,))
        self._cache.clear()

    def prune(self, block: int) -> None:
        """Deletes the undo records up to a block."""
        self._database.execute(self._prune, (block,))

    def all(self) -> Iterator[tuple[Key, Row]]:
        """Every written row, by key. There is a check point before each."""
        size = self._key_size
        for found in in_turns(self._database.execute(self._scan)):
            yield found[:size], self._decode(found[size:])

    def where(self, condition: str, *arguments: Any) -> list[tuple[Key, Row]]:
        """Written rows by an SQL condition, with their keys. There is a check point before each."""
        size = self._key_size
        found = self._database.execute(f"{self._scan} WHERE {condition}", arguments)
        return [(row[:size], self._decode(row[size:])) for row in in_turns(found)]

    def keys_where(self, condition: str, *arguments: Any) -> list[Key]:
        """Keys of written rows by an SQL condition."""
        return self._database.execute(f"{self._keys} WHERE {condition}", arguments).fetchall()

    def unwritten(self) -> frozenset[Key]:
        """Keys of rows changed since the last write."""
        return frozenset(self._changed)

    def _decode(self, found: tuple[Any, ...]) -> Row:
        return self._row(
            *[number(value) if is_wide else value for value, is_wide in zip(found, self._wide, strict=True)]
        )

    def _encode(self, values: tuple[Any, ...]) -> list[Any]:
        return [wide(value) if is_wide else value for value, is_wide in zip(values, self._wide, strict=True)]


class Working:
    """All tables whose rows change."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.platform: Rows[PlatformRow] = Rows(database, schema.PLATFORM)
        self.datanets: Rows[DatanetRow] = Rows(database, schema.DATANETS)
        self.members: Rows[MemberRow] = Rows(database, schema.MEMBERS)
        self.models: Rows[ModelRow] = Rows(database, schema.MODELS)
        self.accounts: Rows[AccountRow] = Rows(database, schema.ACCOUNTS)
        self.earnings: Rows[EarningRow] = Rows(database, schema.EARNINGS)
        self.flows: Rows[FlowRow] = Rows(database, schema.FLOWS)
        self.jobs: Rows[JobRow] = Rows(database, schema.JOBS)
        self.tables: tuple[Rows[Any], ...] = (
            self.platform,
            self.datanets,
            self.members,
            self.models,
            self.accounts,
            self.earnings,
            self.flows,
            self.jobs,
        )

    def datanets_of(self, account: Address) -> list[int]:
        """The DataNets of which an account has ever been a member, including unwritten ones."""
        found = {int(datanet) for datanet, _ in self.members.keys_where("account = ?", account)}
        found |= {int(datanet) for datanet, who in self.members.unwritten() if who == account}
        return sorted(found)


def _marks(count: int) -> str:
    return ", ".join("?" * count)
