"""Executes one transaction: checks its rules, takes its payment, applies its effects.

Follows execution-specs `process_transaction` for L1 and op-geth's `core/state_transition.go` for deposits and L2 fees
(specs protocol/deposits.md, "Execution"; protocol/exec-engine.md, "Fees").
"""

from collections.abc import Callable
from typing import Any

from eth.exceptions import ContractCreationCollision, VMError
from eth.vm.message import Message

from rollup.execution.charge import Charge, check, check_fee_cap, settle
from rollup.execution.contract_address import create_address
from rollup.execution.delegation import delegate_of, designator
from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.execution.evm import Evm, Outcome
from rollup.execution.intrinsic import TX_GAS, gas_needed, is_initcode_too_large
from rollup.execution.known_message import KnownMessage, ObservedAccounts, Reads, StaleMessage
from rollup.execution.transaction_rules import check_message
from rollup.protocol.forks import Fork
from rollup.protocol.primitives import Address
from rollup.protocol.receipt import Log
from rollup.protocol.transaction import DEPOSIT, Transaction, TransactionError

_AUTHORIZATION_REFUND = 25_000 - 12_500
_MAX_NONCE = 2**64 - 1


class TransactionContext:
    """py-evm's transaction context: what ORIGIN, GASPRICE and BLOBHASH answer, and the order of logs."""

    __slots__ = ("_logs", "blob_versioned_hashes", "gas_price", "origin")

    def __init__(self, origin: Address, gas_price: int, blob_versioned_hashes: tuple[bytes, ...] = ()) -> None:
        self.origin = origin
        self.gas_price = gas_price
        self.blob_versioned_hashes = blob_versioned_hashes
        self._logs = 0

    def get_next_log_counter(self) -> int:
        """Numbers the logs of a transaction in order."""
        self._logs += 1
        return self._logs


def _observed_context(reads: Reads) -> Callable[..., TransactionContext]:
    """A transaction context that notes whether GASPRICE was read."""

    class Observed(TransactionContext):
        __slots__ = ("_price",)

        @property
        def gas_price(self) -> int:
            reads.gas_prices.add(self._price)
            return self._price

        @gas_price.setter
        def gas_price(self, price: int) -> None:
            self._price = price

    return Observed


def apply_transaction(evm: Evm, transaction: Transaction, gas_available: int) -> Outcome:
    """Runs a transaction; raises InvalidTransaction, or StaleMessage where evm.known does not hold, with the state
    untouched. Ends the accounts' transaction."""
    accounts, tracing = evm.accounts, evm.context.tracing
    accounts.lock_changes()
    if tracing is not None:
        tracing.tracer.on_tx_start(evm, transaction, transaction.sender)
    try:
        if transaction.tx_type == DEPOSIT:
            outcome = _apply_deposit(evm, transaction, gas_available)
        else:
            outcome = _apply_signed(evm, transaction, gas_available)
    except (InvalidTransaction, StaleMessage):
        accounts.discard(0)
        raise
    accounts.delete_touched_empty()
    accounts.lock_changes()
    if tracing is not None:
        tracing.tracer.on_tx_end(evm, outcome)
    return outcome


def execute_call(evm: Evm, transaction: Transaction) -> Outcome:
    """Runs a call that is not a transaction (eth_call): no signature, no nonce check, no fee to anyone.

    Raises InvalidTransaction. The accounts keep the changes, warm addresses and slots included: the caller drops them.
    """
    accounts, context = evm.accounts, evm.context
    sender, gas_limit = transaction.sender, transaction.gas_limit
    nonce = accounts.get_nonce(sender)  # as geth: not the call's own
    if context.tracing is not None:
        context.tracing.tracer.on_tx_start(evm, transaction, sender)
    intrinsic, floor = check_message(transaction, evm.rules)
    check_fee_cap(transaction, context.base_fee_per_gas)
    price = transaction.effective_gas_price(context.base_fee_per_gas)
    balance = accounts.get_balance(sender)
    cost = gas_limit * transaction.max_fee_per_gas + transaction.value
    if balance < cost:
        raise InvalidTransaction(Refusal.FUNDS, address=sender, have=balance, want=cost)
    accounts.set_balance(sender, balance - gas_limit * price)
    accounts.set_nonce(sender, nonce + 1 & _MAX_NONCE)
    charge = Charge(sender, nonce, gas_limit, intrinsic, floor, price)
    computation, gas_used = _execute(evm, transaction, charge)
    outcome = _outcome(evm, transaction, charge, computation, gas_used)
    if context.tracing is not None:
        settle(evm, charge, gas_used)
        context.tracing.tracer.on_tx_end(evm, outcome)
    return outcome


def execute_ahead(evm: Evm, transaction: Transaction, gas_available: int) -> KnownMessage | None:
    """Runs a signed transaction up to the end of its message. Returns the message's effects and the values they depend
    on.

    The accounts are ObservedAccounts, which the caller then drops. Returns None if the effects cannot be known, or if
    something before the message writes state too (EIP-7702). Raises InvalidTransaction.
    """
    accounts = evm.accounts
    assert isinstance(accounts, ObservedAccounts)
    if transaction.authorization_list:
        return None
    accounts.lock_changes()
    charge = check(evm, transaction, gas_available)
    _pay_upfront(evm, charge)
    _warm_up(evm, transaction, charge.sender)
    reads = accounts.observe()
    reads.context["coinbase"] = evm.context.coinbase  # warm from the start
    computation = _run_message(evm, transaction, charge, _observed_context(reads))
    writes = accounts.writes()
    if writes is None:
        return None
    return KnownMessage(
        reads=reads,
        writes=writes,
        rules=evm.rules,
        intrinsic=charge.intrinsic,
        gas_left=computation.get_gas_remaining(),
        refund=computation.get_gas_refund(),
        output=computation.output,
        error=computation._error,
        deletions=computation.get_accounts_for_deletion(),
        logs=list(computation.get_log_entries()),
    )


# ---------------------------------------------------------------- signed transactions
def _apply_signed(evm: Evm, transaction: Transaction, gas_available: int) -> Outcome:
    charge = check(evm, transaction, gas_available)
    _pay_upfront(evm, charge)
    computation, gas_used = _execute(evm, transaction, charge)
    settle(evm, charge, gas_used)
    return _outcome(evm, transaction, charge, computation, gas_used)


def _pay_upfront(evm: Evm, charge: Charge) -> None:
    accounts, sender = evm.accounts, charge.sender
    accounts.set_balance(sender, accounts.get_balance(sender) - charge.upfront)
    accounts.set_nonce(sender, charge.nonce + 1)


# ---------------------------------------------------------------- deposits
def _apply_deposit(evm: Evm, transaction: Transaction, gas_available: int) -> Outcome:
    """A deposit always enters the block: it mints first, and when it fails only mint and nonce remain."""
    # spec: isthmus.no-operator-fee-for-deposits, regolith.no-system-transactions, regolith.deposit-gas
    # spec: deposit.included, deposit.mint-first, deposit.no-eoa-check, deposit.failure-keeps-nonce
    fork = evm.rules.fork
    if fork is None:
        raise InvalidTransaction(Refusal.TYPE)
    accounts, sender, gas_limit = evm.accounts, transaction.sender, transaction.gas_limit
    is_regolith = fork >= Fork.REGOLITH
    free = transaction.is_system and not is_regolith  # specs protocol/deposits.md: before Regolith, no gas of the block
    if transaction.is_system and is_regolith:
        raise InvalidTransaction(Refusal.SYSTEM_DEPOSIT)
    if not free and gas_limit > gas_available:
        raise InvalidTransaction(Refusal.BLOCK_GAS, have=gas_limit, want=gas_available)
    if transaction.mint:
        accounts.set_balance(sender, accounts.get_balance(sender) + transaction.mint)
    minted = accounts.record()
    nonce = accounts.get_nonce(sender)
    intrinsic, floor = gas_needed(transaction, evm.rules)
    failure = _deposit_failure(evm, transaction, max(intrinsic, floor))
    if failure is None:
        accounts.set_nonce(sender, nonce + 1)
        charge = Charge(sender, nonce, gas_limit, intrinsic, floor, price=0)
        computation, gas_used = _execute(evm, transaction, charge)
        outcome = _outcome(evm, transaction, charge, computation, gas_used)
    else:
        accounts.discard(minted)
        accounts.set_nonce(sender, nonce + 1)
        contract = create_address(sender, nonce) if transaction.to is None else None
        outcome = Outcome(0, gas_limit, error=VMError(failure), contract_address=contract)
    if not is_regolith:
        outcome.gas_used = 0 if transaction.is_system else gas_limit
    else:
        outcome.deposit_nonce = nonce
    return outcome


def _deposit_failure(evm: Evm, transaction: Transaction, needed: int) -> str | None:
    """Why a deposit cannot begin, None when it can; needed: the least gas limit."""
    if transaction.gas_limit < needed:
        return f"intrinsic gas too low: have {transaction.gas_limit}, want {needed}"
    balance = evm.accounts.get_balance(transaction.sender)
    if balance < transaction.value:
        return f"insufficient funds for transfer: have {balance}, want {transaction.value}"
    if evm.rules.is_shanghai and is_initcode_too_large(transaction):
        return "max initcode size exceeded"
    return None


# ---------------------------------------------------------------- the message
def _execute(evm: Evm, transaction: Transaction, charge: Charge) -> tuple[Any, int]:
    """Runs a transaction's message; returns py-evm's computation and the gas used after refunds."""
    _warm_up(evm, transaction, charge.sender)
    refund = sum(_apply_authorization(evm, item) for item in transaction.authorization_list)
    if evm.context.tracing is not None:
        evm.context.tracing.begin(refund)
    known = evm.known
    if known is None:
        computation = _run_message(evm, transaction, charge)
    else:
        known.replay(evm.accounts, evm.context, evm.rules, charge.intrinsic, charge.price)
        computation = known
    gas_left, refund = computation.get_gas_remaining(), computation.get_gas_refund() + refund
    return computation, charge.gas_used(gas_left, refund)


def _run_message(
    evm: Evm,
    transaction: Transaction,
    charge: Charge,
    context_of: Callable[..., TransactionContext] = TransactionContext,
) -> Any:
    state, accounts, sender = evm.state, evm.accounts, charge.sender
    context = context_of(sender, charge.price, transaction.blob_versioned_hashes)
    gas = charge.gas_limit - charge.intrinsic
    computation_class = state.computation_class
    if transaction.to is None:
        address = create_address(sender, charge.nonce)
        accounts.mark_address_warm(address)
        message = Message(gas, b"", sender, transaction.value, b"", transaction.data, create_address=address)
        if state.has_code_or_nonce(address):
            computation = computation_class(state, message, context)
            computation.error = ContractCreationCollision(f"address collision at 0x{address.hex()}")
            if evm.context.tracing is not None:
                evm.context.tracing.refuse(message, computation.error)
            return computation
        return computation_class.apply_create_message(state, message, context)
    code, delegated = _code_of(evm, transaction.to)
    message = Message(gas, transaction.to, sender, transaction.value, transaction.data, code, is_delegation=delegated)
    return computation_class.apply_message(state, message, context)


def _warm_up(evm: Evm, transaction: Transaction, sender: Address) -> None:
    """EIP-2929, EIP-2930, EIP-3651."""
    accounts = evm.accounts
    accounts.mark_address_warm(sender)
    if transaction.to is not None:
        accounts.mark_address_warm(transaction.to)
    if evm.rules.is_shanghai:
        accounts.mark_address_warm(evm.context.coinbase)
    for address, slots in transaction.access_list:
        accounts.mark_address_warm(address)
        for slot in slots:
            accounts.mark_storage_warm(address, int.from_bytes(slot, "big"))


def _code_of(evm: Evm, address: Address) -> tuple[bytes, bool]:
    """The code a call to an account runs, and whether it is another's (EIP-7702)."""
    code = evm.accounts.get_code(address)
    target = delegate_of(code) if evm.rules.is_prague else None
    if target is not None:
        evm.accounts.mark_address_warm(target)
        return evm.accounts.get_code(target), True
    return code, False


def _apply_authorization(evm: Evm, item: Any) -> int:
    """One EIP-7702 authorization. An invalid one is skipped. Returns its refund in gas."""
    accounts = evm.accounts
    if item.chain_id not in (0, evm.context.chain_id) or item.nonce >= _MAX_NONCE:
        return 0
    try:
        authority = item.authority()
    except TransactionError:
        return 0
    accounts.mark_address_warm(authority)
    code = accounts.get_code(authority)
    if code and delegate_of(code) is None:
        return 0
    if accounts.get_nonce(authority) != item.nonce:
        return 0
    refund = _AUTHORIZATION_REFUND if accounts.account_exists(authority) else 0
    accounts.set_code(authority, designator(item.address))
    accounts.set_nonce(authority, item.nonce + 1)
    return refund


def _outcome(evm: Evm, transaction: Transaction, charge: Charge, computation: Any, gas_used: int) -> Outcome:
    for address in computation.get_accounts_for_deletion():
        evm.accounts.delete_account(address)
    error = computation._error
    return Outcome(
        status=0 if error is not None else 1,
        gas_used=gas_used,
        output=computation.output,
        logs=[
            Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), data)
            for address, topics, data in computation.get_log_entries()
        ],
        contract_address=create_address(charge.sender, charge.nonce) if transaction.to is None else None,
        error=error,
        gas_price=charge.price,
        max_gas_used=max(charge.gas_limit - computation.get_gas_remaining(), charge.floor),
    )


__all__ = ["TX_GAS", "TransactionContext", "apply_transaction", "create_address", "execute_call"]
