"""The effect of a block on the state: enough to compute the new roots, to store it, and to undo it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rollup.execution.state.account import Account
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Address, Hash, keccak256


@dataclass(slots=True)
class StateChanges:
    """Final values of everything that differs from the state before the block.

    accounts: None if the account was removed. Its storage_root is the one before the block (the new one comes from
    storage). storage: slot to value, 0 deletes. cleared: accounts whose earlier storage was wiped before `storage`
    applies. codes: new code by hash.
    """

    accounts: dict[Address, Account | None] = field(default_factory=dict)
    storage: dict[Address, dict[int, int]] = field(default_factory=dict)
    cleared: set[Address] = field(default_factory=set)
    codes: dict[Hash, bytes] = field(default_factory=dict)


class GenesisEntry(Protocol):
    """An account of a genesis allocation: wei, nonce, code, slots."""

    @property
    def balance(self) -> int: ...
    @property
    def nonce(self) -> int: ...
    @property
    def code(self) -> bytes: ...
    @property
    def storage(self) -> dict[int, int]: ...


def changes_of_alloc(alloc: Mapping[Address, GenesisEntry]) -> StateChanges:
    """A genesis allocation as changes to the empty state; slots of value 0 are left out, as geth does."""
    changes = StateChanges()
    for address, entry in alloc.items():
        code_hash = keccak256(entry.code) if entry.code else EMPTY_CODE_HASH
        changes.accounts[address] = Account(entry.nonce, entry.balance, EMPTY_TRIE_ROOT, code_hash)
        if entry.code:
            changes.codes[code_hash] = entry.code
        slots = {slot: value for slot, value in entry.storage.items() if value}
        if slots:
            changes.storage[address] = slots
    return changes
