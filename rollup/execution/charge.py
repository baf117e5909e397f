"""The conditions for a signed transaction to be in a block, and its payments: the only place where both are written.

Follows execution-specs `check_transaction` and `process_transaction` for L1, and op-geth's core/state_transition.go for
the fees of L2 (specs protocol/exec-engine.md, "Fees"). The slow path (transition.py) and the fast path (fast_path.py)
both call `check` before they run a transaction; `settle`, or its two halves, after.
"""

from typing import NamedTuple

from rollup.execution.delegation import delegate_of
from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.execution.evm import Evm
from rollup.execution.state.account import Account
from rollup.execution.transaction_rules import check_static
from rollup.protocol import predeploys
from rollup.protocol.fees import GAS_PER_BLOB
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Address
from rollup.protocol.transaction import BLOB, Transaction, TransactionError

_MAX_REFUND_QUOTIENT = 5  # EIP-3529
_NO_ACCOUNT = Account(0, 0, EMPTY_TRIE_ROOT, EMPTY_CODE_HASH)
_new = tuple.__new__  # a Charge without the keyword handling of its constructor, on the hottest path


class Charge(NamedTuple):
    """The cost of a transaction that may be in the block: gas in units, price per unit of gas and fees in wei.

    intrinsic: gas taken before execution. floor: the least gas used. operator_fee: for the whole gas limit. upfront:
    what is taken from the sender before execution, for gas, blobs and both fees.
    """

    sender: Address
    nonce: int
    gas_limit: int
    intrinsic: int
    floor: int
    price: int
    l1_fee: int = 0
    operator_fee: int = 0
    upfront: int = 0

    def gas_used(self, gas_left: int, refund: int) -> int:
        """Gas used after the refund, at most a fifth of it (EIP-3529), and no less than the floor (EIP-7623)."""
        used = self.gas_limit - gas_left
        if refund:
            used -= min(refund, used // _MAX_REFUND_QUOTIENT)
        return max(used, self.floor)


def check(evm: Evm, transaction: Transaction, gas_left: int) -> Charge:
    """Checks a signed transaction against the rules, its sender's account and the block, which has gas_left.

    Raises InvalidTransaction; changes nothing.
    """
    # spec: isthmus.balance-covers-operator-fee
    try:
        sender = transaction.sender
    except TransactionError as error:
        raise InvalidTransaction(Refusal.SENDER, reason=error) from error
    context = evm.context
    if transaction.chain_id is not None and transaction.chain_id != context.chain_id:
        raise InvalidTransaction(Refusal.CHAIN_ID, have=transaction.chain_id, want=context.chain_id)
    intrinsic, floor = check_static(transaction, evm.rules)
    gas_limit = transaction.gas_limit
    if gas_limit > gas_left:
        raise InvalidTransaction(Refusal.BLOCK_GAS, have=gas_limit, want=gas_left)
    account = evm.accounts.account(sender) or _NO_ACCOUNT
    nonce = account[0]
    if transaction.nonce != nonce or account[3] != EMPTY_CODE_HASH:
        _check_account(evm, transaction, account)
    cap, base_fee = transaction.max_fee_per_gas, context.base_fee_per_gas
    if cap < base_fee:
        check_fee_cap(transaction, base_fee)
    l1_fee = evm.l1_fee(transaction)
    operator_fee = evm.operator_fee(gas_limit) if evm.has_operator_fee else 0
    price = min(cap, base_fee + transaction.max_priority_fee_per_gas)
    upfront = gas_limit * price + l1_fee + operator_fee
    cost = gas_limit * cap + transaction.value + l1_fee + operator_fee
    if transaction.tx_type == BLOB:
        upfront += check_blob_fee(evm, transaction)
        cost += len(transaction.blob_versioned_hashes) * GAS_PER_BLOB * transaction.max_fee_per_blob_gas
    if account[1] < cost:
        raise InvalidTransaction(Refusal.FUNDS, address=sender, have=account[1], want=cost)
    return _new(Charge, (sender, nonce, gas_limit, intrinsic, floor, price, l1_fee, operator_fee, upfront))


def check_fee_cap(transaction: Transaction, base_fee: int) -> None:
    """The fee cap must reach the block's base fee (EIP-1559); raises InvalidTransaction.

    An impersonated transaction may pay less, or nothing.
    """
    cap = transaction.max_fee_per_gas
    if cap < base_fee and not transaction.is_impersonated:
        raise InvalidTransaction(Refusal.BASE_FEE, address=transaction.sender, have=cap, want=base_fee)


def check_blob_fee(evm: Evm, transaction: Transaction) -> int:
    """The price of a transaction's blobs in this block, wei (EIP-4844); raises InvalidTransaction above its cap."""
    price = evm.context.blob_base_fee
    if transaction.max_fee_per_blob_gas < price:
        raise InvalidTransaction(Refusal.BLOB_BASE_FEE, have=transaction.max_fee_per_blob_gas, want=price)
    return len(transaction.blob_versioned_hashes) * GAS_PER_BLOB * price


def settle(evm: Evm, charge: Charge, gas_used: int) -> None:
    """Returns the price of unused gas to the sender, and pays the fees. This cannot be undone."""
    # spec: isthmus.operator-fee-conserves-ether
    back = refund_for(evm, charge, gas_used)
    if back:
        evm.accounts.credit(charge.sender, back)
    pay_fees(evm, charge, gas_used)


def refund_for(evm: Evm, charge: Charge, gas_used: int) -> int:
    """The wei that the sender gets back for unused gas."""
    back = (charge.gas_limit - gas_used) * charge.price
    if charge.operator_fee:
        back += charge.operator_fee - evm.operator_fee(gas_used)
    return back


def pay_fees(evm: Evm, charge: Charge, gas_used: int) -> None:
    """Pays the tip, the base fee, the L1 fee and the operator fee. No revert takes this back. A payment of 0 touches no
    account.
    """
    # spec: fees.vaults
    accounts, base_fee, price = evm.accounts, evm.context.base_fee_per_gas, charge.price
    if price > base_fee:
        accounts.credit(evm.context.coinbase, gas_used * (price - base_fee))
    if evm.rules.fork is None:
        return
    if base_fee:
        accounts.credit(evm.base_fee_recipient, gas_used * base_fee)
    if charge.l1_fee:
        accounts.credit(predeploys.L1_FEE_VAULT, charge.l1_fee)
    if charge.operator_fee:
        operator_fee = evm.operator_fee(gas_used)
        if operator_fee:
            accounts.credit(predeploys.OPERATOR_FEE_VAULT, operator_fee)


def _check_account(evm: Evm, transaction: Transaction, account: Account) -> None:
    """Raises InvalidTransaction for another nonce than the account's, or an account with code (EIP-3607)."""
    nonce, _, _, code_hash = account
    if transaction.nonce != nonce:
        kind = Refusal.NONCE_LOW if transaction.nonce < nonce else Refusal.NONCE_HIGH
        raise InvalidTransaction(kind, address=transaction.sender, have=transaction.nonce, want=nonce)
    if transaction.is_impersonated:
        return
    # An account that delegates to code may send (EIP-7702).
    if not evm.rules.is_prague or delegate_of(evm.accounts.get_code(transaction.sender)) is None:
        raise InvalidTransaction(Refusal.NOT_AN_EOA, address=transaction.sender, code_hash=code_hash)
