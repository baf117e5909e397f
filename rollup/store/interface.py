"""What a store is: tables of bytes with atomic writes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol


class StoreError(Exception):
    """A data directory that is foreign, corrupt, in use, or cannot be written; the message says which.

    A directory that is refused is left untouched.
    """


class StoreDamaged(StoreError):
    """Pages of a store's file are not what was written; the message says what to do."""


class WriteBatch(Protocol):
    """Changes that become visible all at once. `get` sees what the batch itself has changed so far.

    put_new writes only where there is no entry yet, and tells whether it did.
    """

    def get(self, table: str, key: bytes) -> bytes | None: ...
    def put(self, table: str, key: bytes, value: bytes) -> None: ...
    def put_new(self, table: str, key: bytes, value: bytes) -> bool: ...
    def delete(self, table: str, key: bytes) -> None: ...


class Store(Protocol):
    """Tables of bytes. Reads see a batch's changes only once it has ended; an exception in it changes nothing.

    Keys are 1 to 511 bytes. scan gives entries with start <= key < stop in key order, downwards with reverse.
    stat gives entries and bytes a table.
    """

    def get(self, table: str, key: bytes) -> bytes | None: ...
    def write(self) -> AbstractContextManager[WriteBatch]: ...
    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]: ...
    def stat(self) -> dict[str, dict[str, int]]: ...
    def close(self) -> None: ...
