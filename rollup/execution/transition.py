"""One transaction: what it must satisfy, what it pays, what it does.

Follows execution-specs `process_transaction` for L1 and op-geth's `core/state_transition.go` for deposits and L2 fees
(specs protocol/deposits.md, "Execution"; protocol/exec-engine.md, "Fees").
"""

from dataclasses import dataclass, field
from typing import Any

from eth.exceptions import ContractCreationCollision, VMError
from eth.vm.message import Message

from rollup.execution.errors import InvalidTransaction
from rollup.execution.intrinsic import MAX_INITCODE_SIZE, TX_GAS, floor_gas, intrinsic_gas
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.vms.base import EvmContext
from rollup.execution.vms.rules import EvmRules
from rollup.protocol import predeploys
from rollup.protocol.fees import GAS_PER_BLOB, L1FeeParameters, blob_base_fee, l1_cost, operator_fee
from rollup.protocol.forks import Fork
from rollup.protocol.primitives import EMPTY_CODE_HASH, Address, keccak256, rlp_encode, to_int_bytes
from rollup.protocol.receipt import Log
from rollup.protocol.transaction import BLOB, DEPOSIT, SET_CODE, Transaction, TransactionError

DELEGATION_PREFIX = b"\xef\x01\x00"  # EIP-7702
_AUTHORIZATION_REFUND = 25_000 - 12_500
_MAX_NONCE = 2**64 - 1
_MAX_REFUND_QUOTIENT = 5  # EIP-3529


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


@dataclass(slots=True)
class Outcome:
    """What a transaction did: gas in units, logs in order, return or revert data, why it failed."""

    status: int
    gas_used: int
    output: bytes = b""
    logs: list[Log] = field(default_factory=list)
    contract_address: Address | None = None
    error: VMError | None = None
    deposit_nonce: int | None = None
    gas_price: int = 0  # effective, wei


@dataclass(slots=True)
class Evm:
    """Everything a transaction of one block runs against."""

    rules: EvmRules
    context: EvmContext
    accounts: AccountDatabase
    fees: L1FeeParameters  # of this block's L1Block; zeros on L1
    base_fee_recipient: Address = predeploys.BASE_FEE_VAULT  # L2 only
    state: Any = None  # py-evm's

    def __post_init__(self) -> None:
        self.state = self.rules.state_class(self.accounts, self.context)


def apply_transaction(evm: Evm, transaction: Transaction, gas_available: int) -> Outcome:
    """Runs a transaction; raises InvalidTransaction with the state untouched. Ends the accounts' transaction."""
    accounts = evm.accounts
    accounts.lock_changes()
    try:
        if transaction.tx_type == DEPOSIT:
            outcome = _apply_deposit(evm, transaction, gas_available)
        else:
            outcome = _apply_signed(evm, transaction, gas_available)
    except InvalidTransaction:
        accounts.discard(0)
        raise
    accounts.delete_touched_empty()
    accounts.lock_changes()
    return outcome


def execute_call(evm: Evm, transaction: Transaction) -> Outcome:
    """Runs a message that is no transaction (eth_call): no signature, no nonce check, no fee to anyone.

    With a fee cap of 0 there is no base fee either, for BASEFEE too, as in geth. Raises InvalidTransaction. The
    accounts keep what it did, warmth included: they are thrown away.
    """
    accounts, context = evm.accounts, evm.context
    sender = transaction.sender
    if not transaction.max_fee_per_gas:
        context.base_fee_per_gas = 0
    _check_type(transaction, evm.rules)
    _check_fees(transaction, context)
    gas_price = transaction.effective_gas_price(context.base_fee_per_gas)
    balance = accounts.get_balance(sender)
    cost = transaction.gas_limit * transaction.max_fee_per_gas + transaction.value
    if balance < cost:
        who = f"address 0x{sender.hex()}"
        raise InvalidTransaction(f"insufficient funds for gas * price + value: {who} have {balance} want {cost}")
    if transaction.to is None and evm.rules.is_shanghai and len(transaction.data) > MAX_INITCODE_SIZE:
        raise InvalidTransaction(
            f"max initcode size exceeded: code size {len(transaction.data)} limit {MAX_INITCODE_SIZE}"
        )
    accounts.set_balance(sender, balance - transaction.gas_limit * gas_price)
    nonce = transaction.nonce
    accounts.set_nonce(sender, nonce + 1)
    floor = floor_gas(transaction, evm.rules)
    computation, refund = _execute(evm, transaction, sender, nonce, gas_price, intrinsic_gas(transaction, evm.rules))
    gas_used = _gas_after_refund(transaction.gas_limit, computation, refund, floor)
    return _outcome(evm, transaction, computation, gas_used, sender, nonce, gas_price)


def create_address(sender: Address, nonce: int) -> Address:
    """Where a creation by this sender and nonce goes (Yellow Paper, 7)."""
    return keccak256(rlp_encode([sender, to_int_bytes(nonce)]))[12:]


# ---------------------------------------------------------------- signed transactions
def _apply_signed(evm: Evm, transaction: Transaction, gas_available: int) -> Outcome:
    sender, l1_fee, blob_fee = _validate(evm, transaction, gas_available)
    accounts, context, rules = evm.accounts, evm.context, evm.rules
    gas_limit, fork = transaction.gas_limit, rules.fork
    gas_price = transaction.effective_gas_price(context.base_fee_per_gas)
    operator = operator_fee(gas_limit, fork, evm.fees) if fork is not None else 0
    upfront = gas_limit * gas_price + blob_fee + l1_fee + operator
    accounts.set_balance(sender, accounts.get_balance(sender) - upfront)
    nonce = accounts.get_nonce(sender)
    accounts.set_nonce(sender, nonce + 1)

    floor = floor_gas(transaction, rules)
    computation, refund = _execute(evm, transaction, sender, nonce, gas_price, intrinsic_gas(transaction, rules))
    gas_used = _gas_after_refund(gas_limit, computation, refund, floor)

    back = (gas_limit - gas_used) * gas_price
    if fork is not None and operator:
        used = operator_fee(gas_used, fork, evm.fees)
        back += operator - used
        _pay(accounts, predeploys.OPERATOR_FEE_VAULT, used)
    if back:
        accounts.set_balance(sender, accounts.get_balance(sender) + back)
    _pay(accounts, context.coinbase, gas_used * (gas_price - context.base_fee_per_gas))
    if fork is not None:
        _pay(accounts, evm.base_fee_recipient, gas_used * context.base_fee_per_gas)
        _pay(accounts, predeploys.L1_FEE_VAULT, l1_fee)
    return _outcome(evm, transaction, computation, gas_used, sender, nonce, gas_price)


def _validate(evm: Evm, transaction: Transaction, gas_available: int) -> tuple[Address, int, int]:
    """The checks of a signed transaction; returns its sender, its L1 fee and its blob fee in wei."""
    rules, context, accounts = evm.rules, evm.context, evm.accounts
    try:
        sender = transaction.sender
    except TransactionError as error:
        raise InvalidTransaction(f"invalid sender: {error}") from error
    if transaction.chain_id is not None and transaction.chain_id != context.chain_id:
        raise InvalidTransaction(f"invalid chain id for signer: have {transaction.chain_id} want {context.chain_id}")
    _check_type(transaction, rules)
    most = rules.max_transaction_gas
    if most is not None and transaction.gas_limit > most:
        raise InvalidTransaction(f"transaction gas limit too high (cap: {most}, tx: {transaction.gas_limit})")
    if transaction.gas_limit > gas_available:
        raise InvalidTransaction(f"gas limit reached: {transaction.gas_limit} wanted, {gas_available} left")
    who = f"address 0x{sender.hex()}"
    account = accounts.account(sender)
    nonce = account.nonce if account else 0
    if transaction.nonce < nonce:
        raise InvalidTransaction(f"nonce too low: {who}, tx: {transaction.nonce} state: {nonce}")
    if transaction.nonce > nonce:
        raise InvalidTransaction(f"nonce too high: {who}, tx: {transaction.nonce} state: {nonce}")
    if nonce == _MAX_NONCE:
        raise InvalidTransaction(f"nonce has max value: {who}, nonce: {nonce}")
    if account and account.code_hash != EMPTY_CODE_HASH:
        code = accounts.get_code(sender)
        if not (rules.is_prague and code.startswith(DELEGATION_PREFIX) and len(code) == 23):
            raise InvalidTransaction(f"sender not an eoa: {who}, codehash: 0x{account.code_hash.hex()}")
    _check_fees(transaction, context)
    blob_fee = _blob_fee(evm, transaction)
    l1_fee = l1_cost(transaction.encode(), rules.fork, evm.fees) if rules.fork is not None else 0
    operator = operator_fee(transaction.gas_limit, rules.fork, evm.fees) if rules.fork is not None else 0
    blob_cap = len(transaction.blob_versioned_hashes) * GAS_PER_BLOB * transaction.max_fee_per_blob_gas
    cost = transaction.gas_limit * transaction.max_fee_per_gas + transaction.value + blob_cap + l1_fee + operator
    balance = account.balance if account else 0
    if balance < cost:
        raise InvalidTransaction(f"insufficient funds for gas * price + value: {who} have {balance} want {cost}")
    needed = max(intrinsic_gas(transaction, rules), floor_gas(transaction, rules))
    if transaction.gas_limit < needed:
        raise InvalidTransaction(f"intrinsic gas too low: have {transaction.gas_limit}, want {needed}")
    if transaction.to is None and rules.is_shanghai and len(transaction.data) > MAX_INITCODE_SIZE:
        raise InvalidTransaction(
            f"max initcode size exceeded: code size {len(transaction.data)} limit {MAX_INITCODE_SIZE}"
        )
    return sender, l1_fee, blob_fee


def _check_type(transaction: Transaction, rules: EvmRules) -> None:
    unsupported = (transaction.tx_type == BLOB and not rules.allows_blobs) or (
        transaction.tx_type == SET_CODE and not rules.is_prague
    )
    if unsupported:
        raise InvalidTransaction("transaction type not supported")
    if transaction.tx_type == SET_CODE and not transaction.authorization_list:
        raise InvalidTransaction("EIP-7702 transaction with empty auth list")


def _check_fees(transaction: Transaction, context: EvmContext) -> None:
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise InvalidTransaction(
            f"max priority fee per gas higher than max fee per gas: address 0x{transaction.sender.hex()}, "
            f"maxPriorityFeePerGas: {transaction.max_priority_fee_per_gas}, maxFeePerGas: {transaction.max_fee_per_gas}"
        )
    if transaction.max_fee_per_gas < context.base_fee_per_gas:
        raise InvalidTransaction(
            f"max fee per gas less than block base fee: address 0x{transaction.sender.hex()}, "
            f"maxFeePerGas: {transaction.max_fee_per_gas}, baseFee: {context.base_fee_per_gas}"
        )


def _blob_fee(evm: Evm, transaction: Transaction) -> int:
    """Checks a blob transaction and returns what its blobs cost (EIP-4844); 0 for any other."""
    if transaction.tx_type != BLOB:
        return 0
    hashes = transaction.blob_versioned_hashes
    if not hashes:
        raise InvalidTransaction("blob transaction missing blob hashes")
    for index, versioned_hash in enumerate(hashes):
        if versioned_hash[0] != 1:
            raise InvalidTransaction(f"blob {index} has invalid hash version")
    price = blob_base_fee(evm.context.excess_blob_gas, evm.rules.blob_schedule[2])
    if transaction.max_fee_per_blob_gas < price:
        raise InvalidTransaction(
            f"max fee per blob gas less than block blob gas fee: blobGasFeeCap: "
            f"{transaction.max_fee_per_blob_gas}, blobBaseFee: {price}"
        )
    return len(hashes) * GAS_PER_BLOB * price


# ---------------------------------------------------------------- deposits
def _apply_deposit(evm: Evm, transaction: Transaction, gas_available: int) -> Outcome:
    """A deposit always enters the block: it mints first, and when it fails only mint and nonce remain."""
    fork = evm.rules.fork
    if fork is None:
        raise InvalidTransaction("transaction type not supported")
    accounts, sender, gas_limit = evm.accounts, transaction.sender, transaction.gas_limit
    is_regolith = fork >= Fork.REGOLITH
    free = transaction.is_system and not is_regolith  # specs protocol/deposits.md: before Regolith, no gas of the block
    if transaction.is_system and is_regolith:
        raise InvalidTransaction("system transactions are not supported: isSystemTx is set")
    if not free and gas_limit > gas_available:
        raise InvalidTransaction(f"gas limit reached: {gas_limit} wanted by a deposit, {gas_available} left")
    if transaction.mint:
        accounts.set_balance(sender, accounts.get_balance(sender) + transaction.mint)
    minted = accounts.record()
    nonce = accounts.get_nonce(sender)
    failure = _deposit_failure(evm, transaction)
    if failure is None:
        accounts.set_nonce(sender, nonce + 1)
        computation, refund = _execute(evm, transaction, sender, nonce, 0, intrinsic_gas(transaction, evm.rules))
        floor = floor_gas(transaction, evm.rules)
        gas_used = _gas_after_refund(gas_limit, computation, refund, floor)
        outcome = _outcome(evm, transaction, computation, gas_used, sender, nonce, 0)
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


def _deposit_failure(evm: Evm, transaction: Transaction) -> str | None:
    """Why a deposit cannot even begin; None when it can."""
    needed = max(intrinsic_gas(transaction, evm.rules), floor_gas(transaction, evm.rules))
    if transaction.gas_limit < needed:
        return f"intrinsic gas too low: have {transaction.gas_limit}, want {needed}"
    balance = evm.accounts.get_balance(transaction.sender)
    if balance < transaction.value:
        return f"insufficient funds for transfer: have {balance}, want {transaction.value}"
    if transaction.to is None and evm.rules.is_shanghai and len(transaction.data) > MAX_INITCODE_SIZE:
        return "max initcode size exceeded"
    return None


# ---------------------------------------------------------------- the message
def _execute(
    evm: Evm, transaction: Transaction, sender: Address, nonce: int, gas_price: int, intrinsic: int
) -> tuple[Any, int]:
    """Runs a transaction's message; returns py-evm's computation and the refund of its authorizations."""
    state, accounts = evm.state, evm.accounts
    _warm_up(evm, transaction, sender)
    refund = sum(_apply_authorization(evm, item) for item in transaction.authorization_list)
    context = TransactionContext(sender, gas_price, transaction.blob_versioned_hashes)
    gas = transaction.gas_limit - intrinsic
    computation_class = state.computation_class
    if transaction.to is None:
        address = create_address(sender, nonce)
        accounts.mark_address_warm(address)
        message = Message(gas, b"", sender, transaction.value, b"", transaction.data, create_address=address)
        if accounts.account_has_code_or_nonce(address) or accounts.has_storage(address):
            computation = computation_class(state, message, context)
            computation.error = ContractCreationCollision(f"address collision at 0x{address.hex()}")
            return computation, refund
        return computation_class.apply_create_message(state, message, context), refund
    code, delegated = _code_of(evm, transaction.to)
    message = Message(gas, transaction.to, sender, transaction.value, transaction.data, code, is_delegation=delegated)
    return computation_class.apply_message(state, message, context), refund


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
    if evm.rules.is_prague and len(code) == 23 and code.startswith(DELEGATION_PREFIX):
        target = code[3:]
        evm.accounts.mark_address_warm(target)
        return evm.accounts.get_code(target), True
    return code, False


def _apply_authorization(evm: Evm, item: Any) -> int:
    """One EIP-7702 authorization; an invalid one is passed over. Returns its refund in gas."""
    accounts = evm.accounts
    if item.chain_id not in (0, evm.context.chain_id) or item.nonce >= _MAX_NONCE:
        return 0
    try:
        authority = item.authority()
    except TransactionError:
        return 0
    accounts.mark_address_warm(authority)
    code = accounts.get_code(authority)
    if code and not (len(code) == 23 and code.startswith(DELEGATION_PREFIX)):
        return 0
    if accounts.get_nonce(authority) != item.nonce:
        return 0
    refund = _AUTHORIZATION_REFUND if accounts.account_exists(authority) else 0
    accounts.set_code(authority, b"" if not any(item.address) else DELEGATION_PREFIX + item.address)
    accounts.set_nonce(authority, item.nonce + 1)
    return refund


def _gas_after_refund(gas_limit: int, computation: Any, authorization_refund: int, floor: int) -> int:
    used = gas_limit - computation.get_gas_remaining()
    refund = computation.get_gas_refund() + authorization_refund
    return max(int(used - min(refund, used // _MAX_REFUND_QUOTIENT)), floor)


def _outcome(
    evm: Evm, transaction: Transaction, computation: Any, gas_used: int, sender: Address, nonce: int, price: int
) -> Outcome:
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
        contract_address=create_address(sender, nonce) if transaction.to is None else None,
        error=error,
        gas_price=price,
    )


def _pay(accounts: AccountDatabase, address: Address, amount: int) -> None:
    """Adds to a balance; a payment of nothing touches nothing that would stay."""
    if amount:
        accounts.set_balance(address, accounts.get_balance(address) + amount)


__all__ = ["TX_GAS", "Evm", "Outcome", "TransactionContext", "apply_transaction", "create_address", "execute_call"]
