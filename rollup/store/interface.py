"""The interface of a store: tables of bytes with atomic writes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol


class StoreError(Exception):
    """A data directory that belongs to another program, is corrupt, is in use, or cannot be written. The message gives
    the reason. A refused directory is left untouched.
    """


class StoreDamaged(StoreError):
    """The pages of a store's file differ from what was written. The message says what to do."""


class WriteBatch(Protocol):
    """Changes that become visible all at once. `get` sees the changes of this batch so far. put_new writes only if the
    key has no entry yet and returns whether it wrote.
    """

    def get(self, table: str, key: bytes) -> bytes | None: ...
    def put(self, table: str, key: bytes, value: bytes) -> None: ...
    def put_new(self, table: str, key: bytes, value: bytes) -> bool: ...
    def delete(self, table: str, key: bytes) -> None: ...


class Store(Protocol):
    """Tables of bytes. Reads see a batch's changes only once it has ended; an exception in it changes nothing.

    Keys are 1 to 511 bytes. scan gives entries with start <= key < stop in key order, downwards with reverse. stat
    gives entries and bytes per table.
    """

    def get(self, table: str, key: bytes) -> bytes | None: ...
    def write(self) -> AbstractContextManager[WriteBatch]: ...
    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]: ...
    def stat(self) -> dict[str, dict[str, int]]: ...
    def close(self) -> None: ...
