"""The pool's checks of a transaction before it looks at its sender's account.

The rules of the chain are `check_static`, as everywhere. What is added here is the pool's own policy: limits on size,
price and blobs (geth core/txpool/validation.go, ValidateTransaction).
"""

from dataclasses import dataclass

from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.execution.transaction_rules import check_static
from rollup.execution.vms.rules import EvmRules
from rollup.pool import errors as texts
from rollup.pool.errors import PoolError, pool_error
from rollup.pool.limits import PoolLimits
from rollup.protocol.fees import GAS_PER_BLOB
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import LEGACY, Transaction, TransactionError, UnsupportedType, decode_transaction

_ETHER = 10**18
_MAX_UINT256 = 2**256 - 1
_MAX_BLOBS = 6  # per transaction (geth core/txpool/blobpool)


@dataclass(slots=True, frozen=True)
class PoolRules:
    """The limits at the chain's head: block gas limit in gas, and the execution rules in force."""

    chain_id: int
    gas_limit: int
    evm: EvmRules


def decode(raw: bytes) -> Transaction:
    """Parses raw EIP-2718 bytes; raises PoolError."""
    try:
        return decode_transaction(raw)
    except UnsupportedType as error:
        # geth says no more than that (core/types/transaction.go, ErrTxTypeNotSupported).
        raise pool_error(InvalidTransaction(Refusal.TYPE)) from error
    except TransactionError as error:
        raise PoolError(str(error)) from error


def decoded(raw: bytes) -> Transaction | PoolError:
    """The transaction, or the refusal as a value."""
    try:
        return decode(raw)
    except PoolError as error:
        return error


def check_transaction(transaction: Transaction, rules: PoolRules, limits: PoolLimits) -> Address:
    """Checks everything that needs no account and returns the sender; raises PoolError."""
    # spec: deposit.never-from-pool
    _check_rpc_limits(transaction, limits)
    _check_limits(transaction, rules, limits)
    sender = recover_sender(transaction, rules.chain_id)
    try:
        check_static(transaction, rules.evm)
    except InvalidTransaction as error:
        raise pool_error(error) from error
    if transaction.max_priority_fee_per_gas < limits.min_tip and not transaction.is_impersonated:
        raise PoolError(
            f"{texts.UNDERPRICED}: gas tip cap {transaction.max_priority_fee_per_gas}, minimum needed {limits.min_tip}"
        )
    return sender


def recover_sender(transaction: Transaction, chain_id: int) -> Address:
    """The signer on this chain; raises PoolError for another chain's or a malformed signature."""
    if transaction.chain_id is not None and transaction.chain_id != chain_id:
        raise pool_error(InvalidTransaction(Refusal.CHAIN_ID, have=transaction.chain_id, want=chain_id))
    try:
        return transaction.sender
    except TransactionError as error:
        raise pool_error(InvalidTransaction(Refusal.SENDER, reason=error)) from error


def max_cost(transaction: Transaction) -> int:
    """Wei the sender must hold for gas at the fee cap, blobs and value, without L1 and operator fees."""
    blob_fee = len(transaction.blob_versioned_hashes) * GAS_PER_BLOB * transaction.max_fee_per_blob_gas
    return transaction.gas_limit * transaction.max_fee_per_gas + blob_fee + transaction.value


def _check_rpc_limits(transaction: Transaction, limits: PoolLimits) -> None:
    """geth internal/ethapi SubmitTransaction."""
    fee = transaction.gas_limit * transaction.max_fee_per_gas
    if limits.fee_cap and fee > limits.fee_cap:
        raise PoolError(
            f"tx fee ({fee / _ETHER:.2f} ether) exceeds the configured cap ({limits.fee_cap / _ETHER:.2f} ether)"
        )
    if transaction.tx_type == LEGACY and transaction.chain_id is None and not limits.allow_unprotected:
        raise PoolError(texts.UNPROTECTED)


def _check_limits(transaction: Transaction, rules: PoolRules, limits: PoolLimits) -> None:
    count = len(transaction.blob_versioned_hashes)
    if count > _MAX_BLOBS:
        raise pool_error(InvalidTransaction(Refusal.TOO_MANY_BLOBS, have=count, want=_MAX_BLOBS))
    size = len(transaction.encode())
    if size > limits.max_transaction_size:
        raise PoolError(f"oversized data: transaction size {size}, limit {limits.max_transaction_size}")
    if transaction.gas_limit > rules.gas_limit:
        raise PoolError(texts.GAS_LIMIT)
    if transaction.max_fee_per_gas > _MAX_UINT256:
        raise PoolError("max fee per gas higher than 2^256-1")
