"""The SQLite database of an index: opening it, transactions, and writing many rows with check points between them.

All statements run in the lane of the indexes (rollup/lanes.py), so that nobody else uses the database while a
transaction is open and others have their turn.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rollup.cooperative import pause

ROWS_AT_ONCE = 200  # between two check points: about a millisecond


def connect(path: Path | None) -> sqlite3.Connection:
    """Opens a file, or a database in memory. Raises sqlite3.Error and OSError."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    # A node may be opened in one thread and served in another, but never in two at once.
    database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")  # after a power failure the lost rows are rebuilt from the chain
    database.execute("PRAGMA temp_store = MEMORY")
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Everything is written, or nothing if the block ends by an exception."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def write_rows(database: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Runs a statement for each row. There is a check point before every ROWS_AT_ONCE of them."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        pause()
        database.executemany(statement, rows[start : start + ROWS_AT_ONCE])
