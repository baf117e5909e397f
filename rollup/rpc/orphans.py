"""The blocks of both layers that reorganisations replaced, as long as the node runs."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rollup.execution.chain import Chain, HeadChange
from rollup.protocol.primitives import Hash
from rollup.rpc.formats import hex_data

MAX_ORPHANS = 1_024  # per layer


@dataclass(slots=True, frozen=True)
class _Orphan:
    number: int
    hash: Hash
    time: int


class Orphans:
    """The newest orphaned blocks of one chain; now gives the time in seconds."""

    def __init__(self, chain: Chain, now: Callable[[], float]) -> None:
        self._chain = chain
        self._now = now
        self._found: deque[_Orphan] = deque(maxlen=MAX_ORPHANS)
        chain.subscribe(self._take)

    def list(self, first: int, last: int | None) -> list[dict[str, Any]]:
        """The orphaned blocks from height `first` to `last`, newest first, without those that are canonical again."""
        rows = []
        for orphan in reversed(self._found):
            canonical = self._chain.canonical_hash(orphan.number)
            if orphan.number < first or (last is not None and orphan.number > last) or canonical == orphan.hash:
                continue
            rows.append(
                {
                    "number": orphan.number,
                    "hash": hex_data(orphan.hash),
                    "replacedBy": hex_data(canonical) if canonical is not None else None,
                    "time": orphan.time,
                }
            )
        return rows

    def _take(self, change: HeadChange) -> None:
        for block in reversed(change.removed):
            self._found.append(_Orphan(block.number, block.hash, int(self._now())))
