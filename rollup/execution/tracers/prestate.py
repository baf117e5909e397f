"""prestateTracer: the state that a transaction reads and writes, before and after it (geth
eth/tracers/native/prestate.go).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eth.exceptions import VMError

from rollup.execution.contract_address import address_of_word, create2_address, create_address
from rollup.execution.delegation import delegate_of
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.tracers.budget import Budget
from rollup.execution.tracing import (
    CALLS,
    CREATE,
    CREATE2,
    EXTERNAL_ACCOUNT,
    SELFDESTRUCT,
    SLOAD,
    SSTORE,
    Step,
    Tracer,
)
from rollup.protocol.primitives import EMPTY_CODE_HASH, Address, Hash
from rollup.protocol.transaction import Transaction, TransactionError

if TYPE_CHECKING:
    from rollup.execution.evm import Evm, Outcome

_ACCOUNT_WEIGHT, _SLOT_WEIGHT = 600, 300


@dataclass(slots=True, frozen=True)
class PrestateOptions:
    """diff_mode: the changed values, before and after; otherwise the touched values before."""

    diff_mode: bool = False
    disable_code: bool = False
    disable_storage: bool = False
    include_empty: bool = False


@dataclass(slots=True)
class TouchedAccount:
    """An account as it was before the transaction; storage holds the slots that were touched."""

    balance: int
    nonce: int
    code: bytes
    code_hash: Hash
    storage: dict[int, int] = field(default_factory=dict)
    is_empty: bool = False


class PrestateTracer(Tracer):
    """The accounts and slots that opcodes name, as they stood when first named: no transaction writes before that."""

    wants_opcodes: bool = True

    def __init__(self, options: PrestateOptions, budget: Budget) -> None:
        self._options = options
        self._budget = budget
        self._pre: dict[Address, TouchedAccount] = {}
        self._post: dict[Address, dict[str, Any]] = {}
        self._created: set[Address] = set()
        self._deleted: set[Address] = set()
        self._is_prague = self._is_cancun = False
        self._accounts: AccountDatabase | None = None
        # The last step that touched something, and what was new: undone when the opcode could not begin.
        self._last: tuple[Step, list[Address], list[tuple[Address, int]]] | None = None
        self._new_accounts: list[Address] = []
        self._new_slots: list[tuple[Address, int]] = []

    # ------------------------------------------------------------ hooks
    def on_tx_start(self, evm: "Evm", transaction: Transaction, sender: Address) -> None:
        """Sender, recipient, coinbase and authorities are touched before the first opcode."""
        accounts = self._accounts = evm.accounts
        self._is_prague, self._is_cancun = evm.rules.is_prague, evm.rules.is_cancun
        to = transaction.to
        if to is None:
            to = create_address(sender, accounts.get_nonce(sender))
            self._created.add(to)
        else:
            self._touch_delegate(to)
        for address in (sender, to, evm.context.coinbase):
            self._touch(address)
        if evm.rules.fork is not None:  # as op-geth: the account that gets the base fee
            self._touch(evm.base_fee_recipient)
        for item in transaction.authorization_list:
            try:
                self._touch(item.authority())
            except TransactionError:
                continue

    def on_opcode(self, step: Step) -> None:
        """Records the accounts and slots that the opcode names."""
        if self._accounts is None:
            return
        self._settle()
        opcode, stack = step.opcode, step.stack
        if opcode in (SLOAD, SSTORE) and stack:
            self._touch_slot(step.address, stack[-1])
        elif (opcode in EXTERNAL_ACCOUNT or opcode == SELFDESTRUCT) and stack:
            self._touch(address_of_word(stack[-1]))
            if opcode == SELFDESTRUCT and (not self._is_cancun or step.address in self._created):  # EIP-6780
                self._deleted.add(step.address)
        elif opcode in CALLS and len(stack) >= 5:
            self._touch_delegate(address_of_word(stack[-2]))
            self._touch(address_of_word(stack[-2]))
        elif opcode == CREATE or (opcode == CREATE2 and len(stack) >= 4):
            address = self._creation(step)
            self._touch(address)
            self._created.add(address)
        else:
            return
        self._last = step, self._new_accounts, self._new_slots

    def on_exit(self, depth: int, output: bytes, gas_used: int, error: VMError | None) -> None:
        """A frame may have ended because an opcode could not begin."""
        self._settle()

    def on_tx_end(self, evm: "Evm", outcome: "Outcome") -> None:
        """In diff mode, keeps only the values that changed."""
        self._settle()
        if self._options.diff_mode:
            for address in list(self._pre):
                self._compare(address, self._pre[address], evm.accounts)
        if not self._options.include_empty:
            self._pre = {address: account for address, account in self._pre.items() if not account.is_empty}

    def result(self) -> Any:
        """geth's stateMap: of before, or in diff mode of both."""
        before = {_hex(address): self._to_json(account) for address, account in self._pre.items()}
        if not self._options.diff_mode:
            return before
        return {"post": {_hex(address): account for address, account in self._post.items()}, "pre": before}

    # ------------------------------------------------------------ touching
    def _settle(self) -> None:
        last, self._last = self._last, None
        if last is not None and last[0].error is not None:
            for address in last[1]:
                self._pre.pop(address, None)
            for address, slot in last[2]:
                if address in self._pre:
                    self._pre[address].storage.pop(slot, None)
        self._new_accounts, self._new_slots = [], []

    def _touch(self, address: Address) -> None:
        if address in self._pre:
            return
        accounts = self._accounts
        assert accounts is not None
        code = accounts.get_code(address)
        self._budget.take(len(code) + _ACCOUNT_WEIGHT)
        account = TouchedAccount(
            accounts.get_balance(address), accounts.get_nonce(address), code, accounts.get_code_hash(address)
        )
        account.is_empty = not (account.balance or account.nonce or code)
        self._pre[address] = account
        self._new_accounts.append(address)

    def _touch_delegate(self, address: Address) -> None:
        """The account whose code an account runs (EIP-7702)."""
        assert self._accounts is not None
        target = delegate_of(self._accounts.get_code(address)) if self._is_prague else None
        if target is not None:
            self._touch(target)

    def _touch_slot(self, address: Address, slot: int) -> None:
        if self._options.disable_storage:
            return
        self._touch(address)
        storage = self._pre[address].storage
        if slot not in storage:
            assert self._accounts is not None
            self._budget.take(_SLOT_WEIGHT)
            storage[slot] = self._accounts.get_storage(address, slot)
            self._new_slots.append((address, slot))

    def _creation(self, step: Step) -> Address:
        creator, stack = step.address, step.stack
        if step.opcode == CREATE:
            return create_address(creator, step.accounts.get_nonce(creator))
        start, size = stack[-2], stack[-3]
        # Memory is extended by the opcode itself, as far as its gas goes: nothing is made longer than that here.
        size = min(size, max(step.gas, 0) * 32)
        code = bytes(step.memory[start : start + size]).ljust(size, b"\0")
        return create2_address(creator, stack[-4], code)

    # ------------------------------------------------------------ afterwards
    def _compare(self, address: Address, before: TouchedAccount, accounts: AccountDatabase) -> None:
        if address in self._deleted:
            return
        options = self._options
        after: dict[str, Any] = {}
        code_hash, code = accounts.get_code_hash(address), accounts.get_code(address)
        if accounts.get_balance(address) != before.balance:
            after["balance"] = hex(accounts.get_balance(address))
        if accounts.get_nonce(address) != before.nonce:
            after["nonce"] = accounts.get_nonce(address)
        if code_hash != before.code_hash:
            after["codeHash"] = _hex(code_hash)
        if not options.disable_code and code != before.code:
            after["code"] = _hex(code)
        storage, is_modified = {}, bool(after)
        for slot, value in list(before.storage.items()):
            now = accounts.get_storage(address, slot)
            if not value or now == value:
                del before.storage[slot]
            if now != value:
                is_modified = True
                if now:
                    storage[slot] = now
        if storage:
            after["storage"] = _slots(storage)
        if is_modified:
            self._post[address] = after
        else:
            del self._pre[address]

    def _to_json(self, account: TouchedAccount) -> dict[str, Any]:
        result: dict[str, Any] = {"balance": hex(account.balance)}
        if account.code and not self._options.disable_code:
            result["code"] = _hex(account.code)
        if account.code_hash != EMPTY_CODE_HASH:
            result["codeHash"] = _hex(account.code_hash)
        if account.nonce:
            result["nonce"] = account.nonce
        if account.storage:
            result["storage"] = _slots(account.storage)
        return result


def _slots(storage: dict[int, int]) -> dict[str, str]:
    return {f"0x{slot:064x}": f"0x{value:064x}" for slot, value in sorted(storage.items())}


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
