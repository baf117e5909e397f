"""What a transaction must satisfy before the pool looks at its sender's account.

The order and the texts are geth's (core/txpool/validation.go, ValidateTransaction), on which clients match.
"""

from dataclasses import dataclass

from rollup.execution.intrinsic import MAX_INITCODE_SIZE, floor_gas, intrinsic_gas
from rollup.execution.vms.rules import EvmRules
from rollup.protocol.fees import GAS_PER_BLOB
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import (
    BLOB,
    DEPOSIT,
    LEGACY,
    SET_CODE,
    Transaction,
    TransactionError,
    decode_transaction,
)
from sequencer import pool_errors as texts
from sequencer.pool_errors import PoolError
from sequencer.pool_limits import PoolLimits

_ETHER = 10**18
_MAX_UINT256 = 2**256 - 1
_MAX_NONCE = 2**64 - 1  # EIP-2681


@dataclass(slots=True, frozen=True)
class PoolRules:
    """What the chain's head allows: block gas limit in gas, and the execution rules in force."""

    chain_id: int
    gas_limit: int
    evm: EvmRules
    allow_blobs: bool = False
    max_blobs: int = 6


def decode(raw: bytes) -> Transaction:
    """Parses raw EIP-2718 bytes; raises PoolError."""
    try:
        return decode_transaction(raw)
    except TransactionError as error:
        text = str(error)
        # geth says no more than that (core/types/transaction.go, ErrTxTypeNotSupported).
        raise PoolError(texts.TYPE_NOT_SUPPORTED if text.startswith(texts.TYPE_NOT_SUPPORTED) else text) from error


def check_transaction(transaction: Transaction, rules: PoolRules, limits: PoolLimits) -> Address:
    """Checks everything that needs no account and returns the sender; raises PoolError."""
    _check_rpc_limits(transaction, limits)
    _check_type(transaction, rules)
    most = rules.evm.max_transaction_gas
    if most is not None and transaction.gas_limit > most:
        raise PoolError(f"{texts.GAS_CAP} (cap: {most}, tx: {transaction.gas_limit})")
    _check_size(transaction, rules, limits)
    if transaction.gas_limit > rules.gas_limit:
        raise PoolError(texts.GAS_LIMIT)
    _check_prices(transaction)
    sender = recover_sender(transaction, rules.chain_id)
    if transaction.nonce >= _MAX_NONCE:
        raise PoolError(texts.NONCE_MAX)
    _check_gas(transaction, rules)
    if transaction.max_priority_fee_per_gas < limits.min_tip:
        raise PoolError(
            f"{texts.UNDERPRICED}: gas tip cap {transaction.max_priority_fee_per_gas}, minimum needed {limits.min_tip}"
        )
    return sender


def recover_sender(transaction: Transaction, chain_id: int) -> Address:
    """The signer on this chain; raises PoolError for another chain's or a malformed signature."""
    if transaction.chain_id is not None and transaction.chain_id != chain_id:
        raise PoolError(f"invalid sender: invalid chain id for signer: have {transaction.chain_id} want {chain_id}")
    try:
        return transaction.sender
    except TransactionError as error:
        raise PoolError(f"invalid sender: {error}") from error


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


def _check_type(transaction: Transaction, rules: PoolRules) -> None:
    refused = (
        transaction.tx_type == DEPOSIT
        or (transaction.tx_type == BLOB and not rules.allow_blobs)
        or (transaction.tx_type == SET_CODE and not rules.evm.is_prague)
    )
    if refused:
        raise PoolError(texts.TYPE_NOT_SUPPORTED)
    if transaction.tx_type == SET_CODE and not transaction.authorization_list:
        raise PoolError(texts.NO_AUTHORIZATIONS)
    if transaction.tx_type == BLOB:
        count = len(transaction.blob_versioned_hashes)
        if count == 0:
            raise PoolError("blobless blob transaction")
        if count > rules.max_blobs:
            raise PoolError(f"too many blobs in transaction: have {count}, permitted {rules.max_blobs}")
        for index, versioned_hash in enumerate(transaction.blob_versioned_hashes):
            if versioned_hash[0] != 1:
                raise PoolError(f"blob {index} has invalid hash version")


def _check_size(transaction: Transaction, rules: PoolRules, limits: PoolLimits) -> None:
    size = len(transaction.encode())
    if size > limits.max_transaction_size:
        raise PoolError(f"oversized data: transaction size {size}, limit {limits.max_transaction_size}")
    if transaction.to is None and rules.evm.is_shanghai and len(transaction.data) > MAX_INITCODE_SIZE:
        raise PoolError(f"max initcode size exceeded: code size {len(transaction.data)}, limit {MAX_INITCODE_SIZE}")


def _check_prices(transaction: Transaction) -> None:
    if transaction.max_fee_per_gas > _MAX_UINT256:
        raise PoolError("max fee per gas higher than 2^256-1")
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise PoolError(texts.TIP_ABOVE_CAP)


def _check_gas(transaction: Transaction, rules: PoolRules) -> None:
    needed = intrinsic_gas(transaction, rules.evm)
    if transaction.gas_limit < needed:
        raise PoolError(f"intrinsic gas too low: gas {transaction.gas_limit}, minimum needed {needed}")
    floor = floor_gas(transaction, rules.evm)
    if transaction.gas_limit < floor:
        raise PoolError(
            f"insufficient gas for floor data gas cost: gas {transaction.gas_limit}, minimum needed {floor}"
        )
