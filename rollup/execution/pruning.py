"""Deletes the states of old blocks, except those that a snapshot may go back to."""

from collections import Counter

from rollup.execution.chain_view import BY_NUMBER, CANONICAL, POINTERS, height_key
from rollup.execution.state.database import StateDatabase
from rollup.store.kv import Store, WriteBatch

_PRUNED_AT_ONCE = 64  # blocks per move of the head, when the history was longer before
_PRUNED = b"pruned"


class Pruning:
    """The states of one chain that are deleted as its head moves on. Blocks and receipts stay."""

    def __init__(self, store: Store, states: StateDatabase) -> None:
        self._store = store
        self._states = states
        self.oldest = 0  # the height of the oldest state that is kept
        self._pins: Counter[int] = Counter()

    def resume(self) -> None:
        """Reads from the store how far states were deleted."""
        self.oldest = int.from_bytes(self._store.get(POINTERS, _PRUNED) or b"", "big")

    def pin(self, height: int) -> None:
        """Keeps the states from a height on, until unpin."""
        self._pins[height] += 1

    def unpin(self, height: int) -> None:
        """Ends one pin of a height."""
        self._pins[height] -= 1
        self._pins += Counter()  # drops what has come to zero

    def prune(self, batch: WriteBatch, oldest: int) -> int:
        """Deletes the states of blocks below oldest that are not pinned. Returns the oldest state's height.

        oldest is never above the finalized block: derivation may go back to it (specs protocol/derivation.md,
        "Resetting the Pipeline"), and then the states above it are needed, however many blocks that is. The caller
        sets the returned height when the batch is written.
        """
        number = self.oldest
        if self._states.history is None:
            return number
        last = min(oldest, *self._pins, number + _PRUNED_AT_ONCE)
        while number < last:
            number += 1
            canonical = batch.get(CANONICAL, height_key(number))
            for key, _ in self._store.scan(BY_NUMBER, height_key(number), height_key(number + 1)):
                self._states.prune_block(batch, key[8:], key[8:] == canonical)
                batch.delete(BY_NUMBER, key)
            batch.put(POINTERS, _PRUNED, height_key(number))
        return number
