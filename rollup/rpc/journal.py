"""The events of a port, in order, for readers that each come back at their own time."""

from collections import deque
from itertools import islice
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class Journal(Generic[Entry]):
    """The newest entries. A reader keeps a position; however many readers there are, an entry is written once."""

    def __init__(self, most: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=most)
        self.end = 0  # the position after the newest entry

    def append(self, entry: Entry) -> None:
        """Writes an entry; the oldest is forgotten when there are too many."""
        self._entries.append(entry)
        self.end += 1

    def since(self, position: int) -> list[Entry] | None:
        """The entries from a position on; None when the first of them is forgotten."""
        start = self.end - len(self._entries)
        return None if position < start else list(islice(self._entries, position - start, None))
