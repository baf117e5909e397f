"""The effects of a transaction's message in a run before its block, and the values that they depend on.

A message that runs longer than a block's time is executed ahead (rollup/execution/block_filling.py), on the newest
state and the expected fields of a later block. `ObservedAccounts` and `ObservedContext` record every value that the
message reads. If all of them are unchanged when the block is built, the message would have the same effects again, so
the block applies the effects without running it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eth.exceptions import VMError

from rollup.cooperative import in_turns
from rollup.execution.state.account import Account
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.vms.base import EvmContext
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Address, Hash

# Fields of the context that are not part of the block.
_NOT_OF_THE_BLOCK = frozenset({"check_interrupt", "programs", "tracing"})
_TIMED = frozenset({"timestamp", "block_number"})

# An account without its balance: whether it is there, whether it is empty, its nonce, the hash of its code.
Shape = tuple[bool, bool, int, Hash]


class StaleMessage(Exception):
    """A value that the message read has changed since; the state is as if it had not been tried."""


@dataclass(slots=True)
class Reads:
    """The values that a message read, as they were at its start."""

    shapes: dict[Address, Shape] = field(default_factory=dict)
    balances: dict[Address, int] = field(default_factory=dict)
    slots: dict[tuple[Address, int], int] = field(default_factory=dict)
    had_storage: dict[Address, bool] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    block_hashes: dict[int, Hash | None] = field(default_factory=dict)
    gas_prices: set[int] = field(default_factory=set)

    @property
    def is_timed(self) -> bool:
        """The message read the number or the time of its block."""
        return not _TIMED.isdisjoint(self.context)

    def hold(self, accounts: AccountDatabase, context: EvmContext, gas_price: int) -> bool:
        """Whether every value is still the same."""
        if any(getattr(context, name) != value for name, value in self.context.items()):
            return False
        if not self.gas_prices <= {gas_price}:
            return False
        return (
            all(accounts.get_balance(key) == value for key, value in in_turns(self.balances.items()))
            and all(shape_of(accounts, key) == value for key, value in in_turns(self.shapes.items()))
            and all(accounts.get_storage(*key) == value for key, value in in_turns(self.slots.items()))
            and all(accounts.has_storage(key) == value for key, value in self.had_storage.items())
            and all(context.block_hash(key) == value for key, value in self.block_hashes.items())
        )


@dataclass(slots=True)
class Writes:
    """The accounts and slots that a message changed or touched. A balance is None if none was read."""

    accounts: dict[Address, tuple[int, int | None, Hash]] = field(default_factory=dict)
    codes: dict[Address, bytes] = field(default_factory=dict)
    slots: dict[tuple[Address, int], int] = field(default_factory=dict)

    def apply(self, accounts: AccountDatabase) -> None:
        """Makes the changes."""
        for address, code in self.codes.items():
            accounts.set_code(address, code)
        for address, (nonce, balance, code_hash) in in_turns(self.accounts.items()):
            before = accounts.account(address)
            if balance is None:
                balance = before.balance if before is not None else 0
            root = before.storage_root if before is not None else EMPTY_TRIE_ROOT
            accounts.set_account(address, Account(nonce, balance, root, code_hash))
        for (address, slot), value in in_turns(self.slots.items()):
            accounts.set_storage(address, slot, value)


@dataclass(slots=True)
class KnownMessage:
    """A message that was executed ahead: gas in units, logs and deletions as py-evm's computation gives them."""

    reads: Reads
    writes: Writes
    rules: object  # of the block it ran in
    intrinsic: int  # gas that was taken before it
    gas_left: int
    refund: int
    output: bytes
    error: VMError | None
    deletions: list[Address]
    logs: list[tuple[Address, tuple[int, ...], bytes]]

    def replay(
        self, accounts: AccountDatabase, context: EvmContext, rules: object, intrinsic: int, gas_price: int
    ) -> None:
        """Applies a message's effects to the accounts; raises StaleMessage if they are not known for this state."""
        if rules is not self.rules or intrinsic != self.intrinsic or not self.reads.hold(accounts, context, gas_price):
            raise StaleMessage
        self.writes.apply(accounts)

    # The part of py-evm's computation that a transaction asks for after its message.
    @property
    def _error(self) -> VMError | None:
        return self.error

    def get_gas_remaining(self) -> int:
        """Gas that was not used."""
        return self.gas_left

    def get_gas_refund(self) -> int:
        """Gas to be refunded."""
        return self.refund

    def get_accounts_for_deletion(self) -> list[Address]:
        """Accounts that end with the transaction."""
        return self.deletions

    def get_log_entries(self) -> list[tuple[Address, tuple[int, ...], bytes]]:
        """Address, topics and data of each log, in order."""
        return self.logs


class ObservedAccounts(AccountDatabase):
    """Accounts that record reads and writes from `observe` on.

    A value is recorded when it is first touched, so the record holds values from the message's start, even if the
    message then writes them or is reverted.
    """

    __slots__ = ("_began", "reads")

    def __init__(self, reader: Any, state_root: Hash = EMPTY_TRIE_ROOT) -> None:
        super().__init__(reader, state_root)
        self.reads: Reads | None = None
        self._began = 0

    def observe(self) -> Reads:
        """Starts recording."""
        self._began = self.record()
        self.reads = Reads()
        return self.reads

    def writes(self) -> Writes | None:
        """The writes since `observe` that were not undone; None if a whole storage was wiped. Ends the recording."""
        reads, self.reads = self.reads, None
        assert reads is not None
        found = Writes()
        owners = {id(slots): address for address, slots in self._storage.items()}
        for target, key, _ in self._log[self._began :]:
            if target is self._accounts:
                nonce, balance, _, code_hash = self.account(key) or Account(0, 0, EMPTY_TRIE_ROOT, b"")
                if not code_hash:
                    return None  # the account was removed
                found.accounts[key] = nonce, balance if key in reads.balances else None, code_hash
                if code_hash != reads.shapes[key][3]:
                    found.codes[key] = self.get_code(key)
            elif target is self._storage or target is self._cleared:
                return None
            elif id(target) in owners:
                address = owners[id(target)]
                found.slots[address, key] = self.get_storage(address, key)
        return found

    def account(self, address: Address) -> Account | None:
        """The account, as in AccountDatabase. Notes its shape."""
        account = super().account(address)
        if self.reads is not None and address not in self.reads.shapes:
            self.reads.shapes[address] = _shape(account)
        return account

    def get_balance(self, address: Address) -> int:
        """The balance in wei, as in AccountDatabase. Notes it."""
        balance = super().get_balance(address)
        if self.reads is not None:
            self.reads.balances.setdefault(address, balance)
        return balance

    def set_balance(self, address: Address, balance: int) -> None:
        """Sets a balance in wei, as in AccountDatabase. Notes the balance before."""
        self.get_balance(address)
        super().set_balance(address, balance)

    def add_balance(self, address: Address, amount: int) -> None:
        """Adds to a balance in wei, as in AccountDatabase. Notes the balance before."""
        self.get_balance(address)
        super().add_balance(address, amount)

    def get_storage(self, address: Address, slot: int, from_journal: bool = True) -> int:
        """The word in a slot, as in AccountDatabase. Notes it."""
        value = super().get_storage(address, slot, from_journal)
        if self.reads is not None and (address, slot) not in self.reads.slots:
            self.reads.slots[address, slot] = value
        return value

    def has_storage(self, address: Address) -> bool:
        """Whether an account has storage, as in AccountDatabase. Notes the answer."""
        answer = super().has_storage(address)
        if self.reads is not None:
            self.reads.had_storage.setdefault(address, answer)
        return answer


class ObservedContext:
    """An EvmContext that notes which of the block's fields are read while its accounts note."""

    __slots__ = ("_accounts", "_context")

    def __init__(self, context: EvmContext, accounts: ObservedAccounts) -> None:
        self._context = context
        self._accounts = accounts

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._context, name)
        reads = self._accounts.reads
        if reads is None or name in _NOT_OF_THE_BLOCK:
            return value
        if name == "block_hash":
            return _noting(value, reads)
        reads.context[name] = value
        return value


def _noting(block_hash: Callable[[int], Hash | None], reads: Reads) -> Callable[[int], Hash | None]:
    def answer(number: int) -> Hash | None:
        reads.block_hashes[number] = block_hash(number)
        return reads.block_hashes[number]

    return answer


def shape_of(accounts: AccountDatabase, address: Address) -> Shape:
    """An account without its balance."""
    return _shape(accounts.account(address))


def _shape(account: Account | None) -> Shape:
    if account is None:
        return False, True, 0, EMPTY_CODE_HASH
    is_empty = not account.nonce and not account.balance and account.code_hash == EMPTY_CODE_HASH
    return True, is_empty, account.nonce, account.code_hash
