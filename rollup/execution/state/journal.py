"""State that lasts for one transaction: the undo log, warm addresses and slots, transient storage."""

from typing import Any

from rollup.protocol.primitives import Address

MISSING: Any = object()  # in the undo log: the key was not there before


class TransactionJournal:
    """Checkpoints over an undo log, and the parts of the state that end with the transaction.

    A write to any dictionary can be undone once (dictionary, key, value before) is in the log.
    """

    __slots__ = ("_log", "_transient", "_warm_addresses", "_warm_slots")

    def __init__(self) -> None:
        self._transient: dict[tuple[Address, int], bytes] = {}
        self._warm_addresses: dict[Address, bool] = {}
        self._warm_slots: dict[tuple[Address, int], bool] = {}
        # (dictionary, key, previous value): one entry per write, newest last; an undo puts the value back.
        self._log: list[tuple[dict[Any, Any], Any, Any]] = []

    # ------------------------------------------------------------ checkpoints
    def record(self) -> int:
        """A checkpoint to go back to."""
        return len(self._log)

    def discard(self, checkpoint: int) -> None:
        """Undoes everything since the checkpoint, warmth included."""
        log = self._log
        while len(log) > checkpoint:
            target, key, previous = log.pop()
            if previous is MISSING:
                del target[key]
            else:
                target[key] = previous

    def commit(self, checkpoint: int) -> None:
        """Keeps the changes since the checkpoint. An earlier checkpoint can still undo them."""

    def lock_changes(self) -> None:
        """Ends a transaction: nothing is warm, transient storage is empty, nothing can be undone."""
        self._log.clear()
        self._transient.clear()
        self._warm_addresses.clear()
        self._warm_slots.clear()

    # ------------------------------------------------------------ warmth (EIP-2929)
    def is_address_warm(self, address: Address) -> bool:
        """Whether the address was accessed in this transaction."""
        return address in self._warm_addresses

    def mark_address_warm(self, address: Address) -> None:
        """Marks an address as accessed."""
        if address not in self._warm_addresses:
            self._warm_addresses[address] = True
            self._log.append((self._warm_addresses, address, MISSING))

    def is_storage_warm(self, address: Address, slot: int) -> bool:
        """Whether the slot was accessed in this transaction."""
        return (address, slot) in self._warm_slots

    def mark_storage_warm(self, address: Address, slot: int) -> None:
        """Marks a slot as accessed."""
        key = (address, slot)
        if key not in self._warm_slots:
            self._warm_slots[key] = True
            self._log.append((self._warm_slots, key, MISSING))

    def warm_storage(self, address: Address, slot: int) -> bool:
        """Marks a slot as accessed. Returns whether it was before."""
        if (address, slot) in self._warm_slots:
            return True
        self.mark_storage_warm(address, slot)
        return False

    def warm_set(self) -> tuple[list[Address], list[tuple[Address, int]]]:
        """Every address and every slot accessed in this transaction, in order of access."""
        return list(self._warm_addresses), list(self._warm_slots)

    # ------------------------------------------------------------ transient storage (EIP-1153)
    def get_transient(self, address: Address, slot: int) -> bytes:
        """A transient value, big-endian; empty when unset."""
        return self._transient.get((address, slot), b"")

    def set_transient(self, address: Address, slot: int, value: bytes) -> None:
        """Sets a transient value, which lasts until the end of the transaction."""
        key = (address, slot)
        self._log.append((self._transient, key, self._transient.get(key, MISSING)))
        self._transient[key] = value
