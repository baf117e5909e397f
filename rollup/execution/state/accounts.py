"""Accounts and storage while a block runs: flat dictionaries and an undo log.

This is py-evm's account database (eth.abc.AccountDatabaseAPI) without its tries: a checkpoint is a length of the log,
and a revert pops entries. Roots are computed once per block, from `changes()`.
"""

from rollup.execution.state.account import ABSENT, Account
from rollup.execution.state.changes import FlatState, StateChanges, Values, difference
from rollup.execution.state.journal import MISSING, TransactionJournal
from rollup.execution.state.reader import StateReader
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Address, Hash, keccak256

_new = tuple.__new__  # an Account without the keyword handling of its constructor, on the hottest path


class AccountDatabase(TransactionJournal):
    """Journaled accounts and storage over a reader; addresses 20 bytes, slots and values integers, balances wei.

    An absent account is None. Writing to it creates it, and the caller that runs the transaction removes the accounts
    that stayed empty (`delete_touched_empty`, EIP-161). Warm addresses and slots (EIP-2929), and the original values
    that EIP-2200 compares with, last until `lock_changes`.

    state_root is the root before the block. It exists for py-evm's snapshots and has no effect.
    """

    __slots__ = (
        "_accounts",
        "_base_accounts",
        "_base_storage",
        "_cleared",
        "_codes",
        "_original",
        "_reader",
        "_storage",
        "state_root",
    )

    def __init__(self, reader: StateReader, state_root: Hash = EMPTY_TRIE_ROOT) -> None:
        super().__init__()
        self.state_root = state_root
        self._reader = reader
        # The values that were read, and the current ones: every account or slot in the second was read into the first.
        self._base_accounts: dict[Address, Account | None] = {}
        self._base_storage: dict[Address, dict[int, int]] = {}
        self._accounts: dict[Address, Account | None] = {}
        self._storage: dict[Address, dict[int, int]] = {}
        self._original: dict[Address, dict[int, int]] = {}  # values at the transaction's start, of slots it wrote
        self._cleared: dict[Address, bool] = {}
        self._codes: dict[Hash, bytes] = {}

    def lock_changes(self) -> None:
        """Ends a transaction: values so far become original values, nothing is warm, nothing can be undone."""
        super().lock_changes()
        self._original.clear()

    begin_transaction = lock_changes

    # ------------------------------------------------------------ accounts
    def account(self, address: Address) -> Account | None:
        """The account with its current fields. Its storage_root is the one before the block."""
        try:
            return self._accounts[address]
        except KeyError:
            account = self._reader.account(address)
            self._base_accounts[address] = self._accounts[address] = account
            return account

    def base_account(self, address: Address) -> Account | None:
        """The account before the block."""
        if address not in self._base_accounts:
            self.account(address)
        return self._base_accounts[address]

    def set_account(self, address: Address, account: Account | None) -> None:
        """Replaces all fields of an account."""
        self._log.append((self._accounts, address, self.account(address)))
        self._accounts[address] = account

    def get_balance(self, address: Address) -> int:
        """The balance in wei."""
        account = self.account(address)
        return 0 if account is None else account[1]

    def set_balance(self, address: Address, balance: int) -> None:
        """Sets the balance in wei. Raises ValueError below 0."""
        if balance < 0:
            raise ValueError(f"balance of 0x{address.hex()} would be {balance}")
        before = self.account(address)
        self._log.append((self._accounts, address, before))
        nonce, _, root, code_hash = before or ABSENT
        self._accounts[address] = _new(Account, (nonce, balance, root, code_hash))

    def add_balance(self, address: Address, amount: int) -> None:
        """Adds wei, or subtracts them if amount is negative. Creates the account even if amount is 0."""
        before = self.account(address)
        self._log.append((self._accounts, address, before))
        nonce, balance, root, code_hash = before or ABSENT
        if balance + amount < 0:
            self._log.pop()
            raise ValueError(f"balance of 0x{address.hex()} would be {balance + amount}")
        self._accounts[address] = _new(Account, (nonce, balance + amount, root, code_hash))

    def get_nonce(self, address: Address) -> int:
        """The account's nonce."""
        account = self.account(address)
        return 0 if account is None else account[0]

    def set_nonce(self, address: Address, nonce: int) -> None:
        """Sets the nonce."""
        before = self.account(address)
        self._log.append((self._accounts, address, before))
        _, balance, root, code_hash = before or ABSENT
        self._accounts[address] = _new(Account, (nonce, balance, root, code_hash))

    def increment_nonce(self, address: Address) -> None:
        """Adds one to the nonce."""
        self.set_nonce(address, self.get_nonce(address) + 1)

    def get_code_hash(self, address: Address) -> Hash:
        """keccak of the code, or of empty code if there is no account (EXTCODEHASH checks for emptiness first)."""
        account = self.account(address)
        return EMPTY_CODE_HASH if account is None else account[3]

    def get_code(self, address: Address) -> bytes:
        """The code, or empty bytes."""
        account = self.account(address)
        if account is None or account[3] == EMPTY_CODE_HASH:
            return b""
        code = self._codes.get(account[3])
        return self._reader.code(account[3]) if code is None else code

    def set_code(self, address: Address, code: bytes) -> None:
        """Replaces the code."""
        nonce, balance, root, _ = self.account(address) or ABSENT
        code_hash = keccak256(code) if code else EMPTY_CODE_HASH
        if code:
            self._codes[code_hash] = code
        self.set_account(address, Account(nonce, balance, root, code_hash))

    def delete_code(self, address: Address) -> None:
        """Removes the account's code."""
        self.set_code(address, b"")

    def account_exists(self, address: Address) -> bool:
        """Whether the account exists, empty or not."""
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
        """Creates an empty account if there is none. An empty account counts as touched."""
        account = self.account(address)
        if account is None or self.account_is_empty(address):
            self.set_account(address, account or ABSENT)

    def delete_account(self, address: Address) -> None:
        """Removes the account with its storage and code."""
        self.delete_storage(address)
        if self.account(address) is not None:
            self.set_account(address, None)

    def delete_touched_empty(self) -> None:
        """Removes the empty accounts among those written or touched since `lock_changes` and not undone (EIP-161)."""
        accounts = self._accounts
        for address in {key: True for target, key, _ in self._log if target is accounts}:
            if accounts[address] is not None and self.account_is_empty(address):
                self.delete_account(address)

    # ------------------------------------------------------------ storage
    def get_storage(self, address: Address, slot: int, from_journal: bool = True) -> int:
        """A slot's value. Without from_journal it is EIP-2200's original value, at the transaction's start."""
        if not from_journal:
            originals = self._original.get(address)
            if originals is not None and slot in originals:
                return originals[slot]
        try:
            return self._storage[address][slot]
        except KeyError:
            return self._read_slot(address, slot)

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        """Writes a slot; 0 clears it."""
        previous = self.get_storage(address, slot)
        self._original.setdefault(address, {}).setdefault(slot, previous)
        slots = self._storage[address]
        self._log.append((slots, slot, previous))
        slots[slot] = value

    def delete_storage(self, address: Address) -> None:
        """Wipes the account's storage."""
        known = self._storage.get(address)
        if known:
            originals = self._original.setdefault(address, {})
            for slot, value in known.items():
                originals.setdefault(slot, value)
        self._log.append((self._storage, address, {} if known is None else known))
        self._storage[address] = {}
        if address not in self._cleared:
            self._log.append((self._cleared, address, MISSING))
            self._cleared[address] = True

    def has_storage(self, address: Address) -> bool:
        """Whether the storage root before the block was not empty and the storage was not cleared since (EIP-7610: a
        creation collides).

        Slots written in this block do not count. An account without nonce and code can have such slots only from a
        call's state overrides, which geth keeps through a creation.
        """
        return address not in self._cleared and self._had_storage(address)

    def storage_root(self, address: Address) -> Hash | None:
        """The account's storage root, or None if the storage has changed: roots are computed at the block's end."""
        base = self.base_account(address)
        root = EMPTY_TRIE_ROOT if base is None else base.storage_root
        is_cleared = address in self._cleared
        before = {} if is_cleared else self._base_storage.get(address, {})
        is_changed = any(value != before.get(slot, 0) for slot, value in self._storage.get(address, {}).items())
        return None if is_changed or (is_cleared and root != EMPTY_TRIE_ROOT) else root

    def _read_slot(self, address: Address, slot: int) -> int:
        value = 0
        if address not in self._cleared:
            if self.base_account(address) is not None:
                value = self._reader.storage(address, slot)
            self._base_storage.setdefault(address, {})[slot] = value
        self._storage.setdefault(address, {})[slot] = value
        return value

    # ------------------------------------------------------------ without a log
    def credit(self, address: Address, amount: int) -> None:
        """Adds wei above 0. This cannot be undone."""
        nonce, balance, root, code_hash = self._accounts.get(address) or self.account(address) or ABSENT
        self._accounts[address] = _new(Account, (nonce, balance + amount, root, code_hash))

    @property
    def unlogged_accounts(self) -> dict[Address, Account | None]:
        """The current accounts, for writes between transactions to accounts that were read. They cannot be undone."""
        return self._accounts

    def write_storage(self, address: Address, values: dict[int, int]) -> None:
        """Writes slots that were read before, for a transaction that has succeeded. This cannot be undone."""
        if values:
            self._storage[address].update(values)

    # ------------------------------------------------------------ results
    def changes(self) -> StateChanges:
        """The difference from the state before the block."""
        wiped = {address for address in self._cleared if self._had_storage(address)}
        before = FlatState(self._base_accounts, self._base_storage)
        return difference(before, FlatState(self._accounts, self._storage), self._cleared, wiped, self._codes)

    def _had_storage(self, address: Address) -> bool:
        """Whether the account had storage before the block."""
        base = self.base_account(address)
        return base is not None and base.storage_root != EMPTY_TRIE_ROOT


def values_of(accounts: AccountDatabase) -> Values:
    """The values so far, for `changes_between`."""
    base = FlatState(accounts._base_accounts, accounts._base_storage)
    return Values(base, FlatState(accounts._accounts, accounts._storage), accounts._cleared)


def code_of(accounts: AccountDatabase, code_hash: Hash) -> bytes:
    """The code of a hash that some account has, or had in this block."""
    if code_hash == EMPTY_CODE_HASH:
        return b""
    code = accounts._codes.get(code_hash)
    return accounts._reader.code(code_hash) if code is None else code
