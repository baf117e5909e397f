"""The pool's checks of a transaction against its sender's account (geth core/txpool/validation.go)."""

from rollup.execution.delegation import delegate_of
from rollup.execution.state.account import Account
from rollup.execution.state.reader import StateReader
from rollup.pool import errors as texts
from rollup.pool.account import PoolAccount, PooledTransaction
from rollup.pool.errors import PoolError
from rollup.pool.limits import PoolLimits
from rollup.protocol.primitives import EMPTY_CODE_HASH
from rollup.protocol.transaction import BLOB, Transaction


def check_account(
    item: PooledTransaction,
    account: PoolAccount,
    state: Account,
    reader: StateReader,
    limits: PoolLimits,
    old: PooledTransaction | None,
) -> None:
    """ValidateTransactionWithState, then the replacement and account bounds; raises PoolError.

    account: what the pool holds of the sender. state: the sender in reader, the head's state. old: what the pool holds
    with the same nonce.
    """
    transaction = item.transaction
    if transaction.nonce < state.nonce:
        raise PoolError(f"nonce too low: next nonce {state.nonce}, tx nonce {transaction.nonce}")
    _check_code(transaction, account, state, reader, old)
    _check_balance(item, account, state.balance, old)
    if old is not None:
        _check_replacement(transaction, old.transaction, limits)
    elif transaction.nonce == account.next_nonce:
        if account.pending_count >= limits.account_pending:
            raise PoolError(texts.ACCOUNT_LIMIT)
    elif account.queued_count >= limits.account_queued:
        raise PoolError(texts.ACCOUNT_LIMIT)


def check_funds(cost: int, balance: int) -> None:
    """A transaction's cost by itself; raises PoolError."""
    if cost > balance:
        raise PoolError(f"{texts.FUNDS} {balance}, tx cost {cost}, overshot {cost - balance}")


def _check_code(
    transaction: Transaction,
    account: PoolAccount,
    state: Account,
    reader: StateReader,
    old: PooledTransaction | None,
) -> None:
    """EIP-3607, and EIP-7702: one call can empty a delegated account, so it has one transaction in flight."""
    if state.code_hash == EMPTY_CODE_HASH or transaction.is_impersonated:
        return
    if delegate_of(reader.code(state.code_hash)) is None:
        raise PoolError(f"sender not an eoa: address 0x{account.address.hex()}")
    if transaction.nonce != state.nonce:
        raise PoolError(texts.OUT_OF_ORDER_DELEGATED)
    if old is None and account.by_nonce:
        raise PoolError(texts.IN_FLIGHT_LIMIT)


def _check_balance(item: PooledTransaction, account: PoolAccount, balance: int, old: PooledTransaction | None) -> None:
    """The sender can pay this one and all that can run before it."""
    # spec: isthmus.pool-balance
    check_funds(item.cost, balance)
    if item.transaction.nonce > account.next_nonce:
        return
    spent = account.pending_cost
    if old is not None and item.transaction.nonce < account.next_nonce:
        spent -= old.cost
    needed = spent + item.cost
    if needed > balance:
        raise PoolError(
            f"{texts.FUNDS} {balance}, queued cost {spent}, tx cost {item.cost}, overshot {needed - balance}"
        )


def _check_replacement(new: Transaction, old: Transaction, limits: PoolLimits) -> None:
    """Raises PoolError unless both prices rise by the bump (geth core/txpool/legacypool/list.go, Add)."""
    is_blob = BLOB in (new.tx_type, old.tx_type)
    if is_blob and new.tx_type != old.tx_type:
        raise PoolError("address already reserved")
    factor = 100 + (limits.blob_price_bump if is_blob else limits.price_bump)
    pairs = [
        (new.max_fee_per_gas, old.max_fee_per_gas),
        (new.max_priority_fee_per_gas, old.max_priority_fee_per_gas),
    ]
    if is_blob:
        pairs.append((new.max_fee_per_blob_gas, old.max_fee_per_blob_gas))
    if any(after <= before or after * 100 < before * factor for after, before in pairs):
        raise PoolError(texts.REPLACEMENT_UNDERPRICED)
