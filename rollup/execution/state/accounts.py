"""Accounts and storage as a block changes them: flat dictionaries and an undo log.

This is py-evm's account database (eth.abc.AccountDatabaseAPI) without its tries: a checkpoint is a length of the log,
a revert pops it. Roots are computed once a block, from `changes()`.
"""

from collections.abc import Callable
from typing import Any

from rollup.execution.state.account import Account
from rollup.execution.state.changes import StateChanges
from rollup.execution.state.reader import StateReader
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, ZERO_HASH, Address, Hash, keccak256

_ABSENT = Account(0, 0, EMPTY_TRIE_ROOT, EMPTY_CODE_HASH)
_MISSING: Any = object()
Undo = Callable[[], None]


class AccountDatabase:
    """Journaled accounts and storage over a reader; addresses 20 bytes, slots and values integers, balances wei.

    An account is None where there is none: EIP-161 leaves no empty ones, so writing an absent account creates it and
    whoever runs the transaction deletes what stayed empty. Warm addresses and slots (EIP-2929), and the original
    values that EIP-2200 compares with, last until `lock_changes`.
    """

    __slots__ = (
        "_accounts",
        "_base_accounts",
        "_base_storage",
        "_cleared",
        "_codes",
        "_created",
        "_log",
        "_original",
        "_reader",
        "_storage",
        "_warm_addresses",
        "_warm_slots",
    )

    def __init__(self, reader: StateReader) -> None:
        self._reader = reader
        self._base_accounts: dict[Address, Account | None] = {}
        self._base_storage: dict[tuple[Address, int], int] = {}
        self._accounts: dict[Address, Account | None] = {}
        self._storage: dict[tuple[Address, int], int] = {}
        self._original: dict[tuple[Address, int], int] = {}  # values at the start of the transaction, of written slots
        self._cleared: set[Address] = set()
        self._codes: dict[Hash, bytes] = {}
        self._warm_addresses: set[Address] = set()
        self._warm_slots: set[tuple[Address, int]] = set()
        # (kind, key, previous): one entry a write, newest last
        self._log: list[tuple[int, Any, Any]] = []

    # ------------------------------------------------------------ checkpoints
    def record(self) -> int:
        """A checkpoint to go back to."""
        return len(self._log)

    def discard(self, checkpoint: int) -> None:
        """Undoes everything since the checkpoint, warmth included."""
        log = self._log
        while len(log) > checkpoint:
            kind, key, previous = log.pop()
            if kind == _ACCOUNT:
                _put_back(self._accounts, key, previous)
            elif kind == _SLOT:
                _put_back(self._storage, key, previous)
            elif kind == _WARM_ADDRESS:
                self._warm_addresses.discard(key)
            elif kind == _WARM_SLOT:
                self._warm_slots.discard(key)
            else:
                self._undo_clear(key, previous)

    def commit(self, checkpoint: int) -> None:
        """Keeps what came after the checkpoint; it can still be undone with an earlier one."""

    def lock_changes(self) -> None:
        """Ends a transaction: values so far become original values, nothing is warm, nothing can be undone."""
        self._log.clear()
        self._original.clear()
        self._warm_addresses.clear()
        self._warm_slots.clear()

    begin_transaction = lock_changes

    # ------------------------------------------------------------ accounts
    def account(self, address: Address) -> Account | None:
        """The account as it stands; its storage_root is the one before the block."""
        account = self._accounts.get(address, _MISSING)
        return self.base_account(address) if account is _MISSING else account

    def base_account(self, address: Address) -> Account | None:
        """The account before the block."""
        account = self._base_accounts.get(address, _MISSING)
        if account is _MISSING:
            account = self._base_accounts[address] = self._reader.account(address)
        return account

    def set_account(self, address: Address, account: Account | None) -> None:
        """Writes an account whole."""
        self._log.append((_ACCOUNT, address, self._accounts.get(address, _MISSING)))
        self._accounts[address] = account

    def get_balance(self, address: Address) -> int:
        """Wei."""
        account = self.account(address)
        return 0 if account is None else account[1]

    def set_balance(self, address: Address, balance: int) -> None:
        """Wei, at least 0."""
        nonce, _, root, code_hash = self.account(address) or _ABSENT
        self.set_account(address, Account(nonce, balance, root, code_hash))

    def get_nonce(self, address: Address) -> int:
        """The account's nonce."""
        account = self.account(address)
        return 0 if account is None else account[0]

    def set_nonce(self, address: Address, nonce: int) -> None:
        """Sets the nonce."""
        _, balance, root, code_hash = self.account(address) or _ABSENT
        self.set_account(address, Account(nonce, balance, root, code_hash))

    def increment_nonce(self, address: Address) -> None:
        """Adds one to the nonce."""
        self.set_nonce(address, self.get_nonce(address) + 1)

    def get_code_hash(self, address: Address) -> Hash:
        """keccak of the code; zero for an account that is not there (EXTCODEHASH, EIP-1052)."""
        account = self.account(address)
        return ZERO_HASH if account is None else account[3]

    def get_code(self, address: Address) -> bytes:
        """The code, empty when there is none."""
        account = self.account(address)
        if account is None or account[3] == EMPTY_CODE_HASH:
            return b""
        code = self._codes.get(account[3])
        return self._reader.code(account[3]) if code is None else code

    def set_code(self, address: Address, code: bytes) -> None:
        """Replaces the code."""
        nonce, balance, root, _ = self.account(address) or _ABSENT
        code_hash = keccak256(code) if code else EMPTY_CODE_HASH
        if code:
            self._codes[code_hash] = code
        self.set_account(address, Account(nonce, balance, root, code_hash))

    def delete_code(self, address: Address) -> None:
        """Leaves the account without code."""
        self.set_code(address, b"")

    def account_exists(self, address: Address) -> bool:
        """There is such an account, empty or not."""
        return self.account(address) is not None

    def account_is_empty(self, address: Address) -> bool:
        """No nonce, balance or code (EIP-161), or no account."""
        account = self.account(address)
        return account is None or (account[0] == 0 and account[1] == 0 and account[3] == EMPTY_CODE_HASH)

    def account_has_code_or_nonce(self, address: Address) -> bool:
        """EIP-684: a creation here would collide."""
        account = self.account(address)
        return account is not None and (account[0] != 0 or account[3] != EMPTY_CODE_HASH)

    def touch_account(self, address: Address) -> None:
        """Creates an empty account where there is none."""
        if self.account(address) is None:
            self.set_account(address, _ABSENT)

    def delete_account(self, address: Address) -> None:
        """Removes the account with its storage and code."""
        self.delete_storage(address)
        if self.account(address) is not None:
            self.set_account(address, None)

    # ------------------------------------------------------------ storage
    def get_storage(self, address: Address, slot: int, from_journal: bool = True) -> int:
        """A slot's value; without from_journal the one at the start of the transaction (EIP-2200's original)."""
        key = (address, slot)
        if not from_journal:
            value = self._original.get(key, _MISSING)
            if value is not _MISSING:
                return int(value)
        current = self._storage.get(key)
        return self._base_slot(key) if current is None else current

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        """Writes a slot; 0 clears it."""
        key = (address, slot)
        previous = self._storage.get(key, _MISSING)
        if key not in self._original:
            self._original[key] = self._base_slot(key) if previous is _MISSING else previous
        self._log.append((_SLOT, key, previous))
        self._storage[key] = value
        if address not in self._accounts and self.base_account(address) is None:
            self.set_account(address, _ABSENT)

    def delete_storage(self, address: Address) -> None:
        """Wipes the account's storage."""
        written = [(key, value) for key, value in self._storage.items() if key[0] == address]
        self._log.append((_CLEAR, address, (address in self._cleared, written)))
        for key, value in written:
            self._original.setdefault(key, value)
            del self._storage[key]
        self._cleared.add(address)

    def _undo_clear(self, address: Address, previous: tuple[bool, list[tuple[tuple[Address, int], int]]]) -> None:
        was_cleared, written = previous
        if not was_cleared:
            self._cleared.discard(address)
        for key, value in written:
            self._storage[key] = value

    def _base_slot(self, key: tuple[Address, int]) -> int:
        if key[0] in self._cleared:
            return 0
        value = self._base_storage.get(key)
        if value is None:
            value = 0 if self.base_account(key[0]) is None else self._reader.storage(*key)
            self._base_storage[key] = value
        return value

    # ------------------------------------------------------------ warmth (EIP-2929)
    def is_address_warm(self, address: Address) -> bool:
        """Accessed in this transaction."""
        return address in self._warm_addresses

    def mark_address_warm(self, address: Address) -> None:
        """Marks an address as accessed."""
        if address not in self._warm_addresses:
            self._warm_addresses.add(address)
            self._log.append((_WARM_ADDRESS, address, None))

    def is_storage_warm(self, address: Address, slot: int) -> bool:
        """Accessed in this transaction."""
        return (address, slot) in self._warm_slots

    def mark_storage_warm(self, address: Address, slot: int) -> None:
        """Marks a slot as accessed."""
        key = (address, slot)
        if key not in self._warm_slots:
            self._warm_slots.add(key)
            self._log.append((_WARM_SLOT, key, None))

    # ------------------------------------------------------------ results
    def changes(self) -> StateChanges:
        """What differs from before the block."""
        result = StateChanges()
        for address, account in self._accounts.items():
            if account != self.base_account(address) or address in self._cleared:
                result.accounts[address] = account
        for (address, slot), value in self._storage.items():
            if value != self._base_slot((address, slot)) and self.account(address) is not None:
                result.storage.setdefault(address, {})[slot] = value
        for address in self._cleared:
            if self.base_account(address) is not None:
                result.cleared.add(address)
        for account in result.accounts.values():
            if account is not None and account[3] in self._codes:
                result.codes[account[3]] = self._codes[account[3]]
        return result


def _put_back(target: dict[Any, Any], key: Any, previous: Any) -> None:
    if previous is _MISSING:
        target.pop(key, None)
    else:
        target[key] = previous


_ACCOUNT, _SLOT, _WARM_ADDRESS, _WARM_SLOT, _CLEAR = range(5)
