"""The effect of a block on the state: enough to compute the new roots, to store it, and to undo it."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from rollup.execution.state.account import ABSENT, Account
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


class FlatState(NamedTuple):
    """Accounts and storage as dictionaries: the values that a block read, or the values after it."""

    accounts: dict[Address, Account | None]
    storage: dict[Address, dict[int, int]]


class Values(NamedTuple):
    """The values at some moment of a block: those before the block, of everything that was read; those now; and the
    accounts whose storage was deleted since the block began. Writes change them.
    """

    base: FlatState
    now: FlatState
    cleared: Container[Address]

    def kept(self) -> "Values":
        """The values now, which later writes do not change. Those before the block stay as they are in any case."""
        storage = {address: dict(slots) for address, slots in self.now.storage.items()}
        cleared = frozenset(address for address in self.now.accounts if address in self.cleared)
        return Values(self.base, FlatState(dict(self.now.accounts), storage), cleared)


class Changed(NamedTuple):
    """An account at two moments, None where there was none, and its slots that differ: before and after."""

    address: Address
    before: Account | None
    after: Account | None
    slots: dict[int, tuple[int, int]]


def changes_between(earlier: Values, later: Values) -> Iterator[Changed]:
    """The accounts that differ at two moments of a block. Slots that were never read are not known."""
    known = earlier.now.accounts
    for address, account in later.now.accounts.items():
        before = known[address] if address in known else later.base.accounts[address]
        now = later.now.storage.get(address, {})
        seen = earlier.now.storage.get(address, {})
        if account is before and now == seen:
            continue
        base = {} if address in earlier.cleared else later.base.storage.get(address, {})
        old = {**base, **seen}
        slots = {
            slot: (old.get(slot, 0), now.get(slot, 0))
            for slot in old.keys() | now.keys()
            if old.get(slot, 0) != now.get(slot, 0)
        }
        if slots or account != before:
            yield Changed(address, before, account, slots)


def difference(
    before: FlatState,
    after: FlatState,
    cleared: Container[Address],
    wiped: set[Address],
    codes: Mapping[Hash, bytes],
) -> StateChanges:
    """The changes from one state to another. before has every account and slot that after has.

    cleared: the accounts whose storage was deleted; wiped: those of them that had some. codes: the new code by hash.
    """
    result = StateChanges(cleared=wiped)
    for address, slots in after.storage.items():
        old = {} if address in cleared else before.storage.get(address, {})
        changed = {slot: value for slot, value in slots.items() if value != old.get(slot, 0)}
        if changed:
            result.storage[address] = changed
    for address, account in after.accounts.items():
        if account is None and address in result.storage:
            # As in py-evm: storage that was not deleted creates its account.
            account = ABSENT
        if account != before.accounts[address] or address in wiped:
            result.accounts[address] = account
            if account is not None and account[3] in codes:
                result.codes[account[3]] = codes[account[3]]
    return result


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
