"""A fork's rules for a transaction by itself, independent of the state: one function per rule.

`EvmRules` holds the rules in force by transaction type, so a path that calls `check_static` cannot miss one. Builder,
validator, fast path and pool call it; calls use `check_message`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.execution.intrinsic import MAX_INITCODE_SIZE, gas_needed, is_initcode_too_large
from rollup.protocol.forks import L1_FORKS, L1Fork
from rollup.protocol.transaction import ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY, SET_CODE, Transaction

if TYPE_CHECKING:
    from rollup.execution.vms.rules import EvmRules

TransactionRule = Callable[[Transaction], None]
RulesByType = Mapping[int, tuple[TransactionRule, ...]]  # a type that is not there is refused (EIP-2718)

_MAX_NONCE = 2**64 - 1  # EIP-2681


def check_static(transaction: Transaction, rules: "EvmRules") -> tuple[int, int]:
    """Checks a signed transaction against its fork's rules; returns its intrinsic gas and its floor gas.

    Raises InvalidTransaction. A transaction keeps what the newest rules said: pool and builders ask one after another.
    """
    known = transaction.checked
    if known is not None and known[0] is rules:
        return known[1]
    gas = _check(transaction, rules.signed_rules, rules)
    transaction.checked = rules, gas
    return gas


def check_message(transaction: Transaction, rules: "EvmRules") -> tuple[int, int]:
    """The rules that hold for calls (eth_call) too; returns intrinsic gas and floor gas; raises InvalidTransaction."""
    return _check(transaction, rules.message_rules, rules)


def _check(transaction: Transaction, by_type: RulesByType, rules: "EvmRules") -> tuple[int, int]:
    # spec: deposit.never-from-pool
    found = by_type.get(transaction.tx_type)
    if found is None:
        raise InvalidTransaction(Refusal.TYPE)
    for rule in found:
        rule(transaction)
    intrinsic, floor = gas_needed(transaction, rules)
    gas_limit = transaction.gas_limit
    if gas_limit < intrinsic:
        raise InvalidTransaction(Refusal.INTRINSIC_GAS, have=gas_limit, want=intrinsic)
    if gas_limit < floor:
        raise InvalidTransaction(Refusal.FLOOR_GAS, have=gas_limit, want=floor)
    return intrinsic, floor


def message_rules(l1_fork: L1Fork, has_blobs: bool) -> RulesByType:
    """The rules of calls and signed transactions with the EIPs of an L1 fork; has_blobs: on L1, not on L2."""
    # spec: blob.no-l2-blob-transactions
    row = L1_FORKS[l1_fork]
    every = (_initcode_rule,) if l1_fork >= L1Fork.SHANGHAI else ()
    # A type with one gas price cannot have a tip above its cap.
    rules: dict[int, tuple[TransactionRule, ...]] = {
        LEGACY: every,
        ACCESS_LIST: every,
        DYNAMIC_FEE: (_tip_rule, *every),
    }
    if has_blobs and row.blobs is not None:
        most = row.max_transaction_blobs
        counted = () if most is None else (_blob_count_rule(most),)
        rules[BLOB] = (_tip_rule, _blob_rule, *counted, *every)
    if l1_fork >= L1Fork.PRAGUE:
        rules[SET_CODE] = (_tip_rule, *every, _authorization_rule)
    return rules


def signed_rules(l1_fork: L1Fork, by_type: RulesByType) -> RulesByType:
    """The rules of signed transactions: those of messages, and some that geth does not apply to calls.

    by_type: what `message_rules` gives (geth: SkipTransactionChecks).
    """
    most = L1_FORKS[l1_fork].max_transaction_gas
    signed = (_nonce_rule,) if most is None else (_nonce_rule, _gas_cap_rule(most))
    return {tx_type: (*signed, *rules) for tx_type, rules in by_type.items()}


def _tip_rule(transaction: Transaction) -> None:
    """EIP-1559."""
    tip, cap = transaction.max_priority_fee_per_gas, transaction.max_fee_per_gas
    if tip > cap:
        raise InvalidTransaction(Refusal.TIP_ABOVE_CAP, address=transaction.sender, have=tip, want=cap)


def _blob_rule(transaction: Transaction) -> None:
    """EIP-4844."""
    if not transaction.blob_versioned_hashes:
        raise InvalidTransaction(Refusal.NO_BLOBS)
    for index, versioned_hash in enumerate(transaction.blob_versioned_hashes):
        if versioned_hash[0] != 1:
            raise InvalidTransaction(Refusal.BLOB_VERSION, index=index)


def _blob_count_rule(most: int) -> TransactionRule:
    """EIP-7594."""

    def rule(transaction: Transaction) -> None:
        count = len(transaction.blob_versioned_hashes)
        if count > most:
            raise InvalidTransaction(Refusal.TOO_MANY_BLOBS, have=count, want=most)

    return rule


def _initcode_rule(transaction: Transaction) -> None:
    """EIP-3860."""
    if is_initcode_too_large(transaction):
        raise InvalidTransaction(Refusal.INITCODE_SIZE, have=len(transaction.data), want=MAX_INITCODE_SIZE)


def _authorization_rule(transaction: Transaction) -> None:
    """EIP-7702."""
    if not transaction.authorization_list:
        raise InvalidTransaction(Refusal.NO_AUTHORIZATIONS)


def _nonce_rule(transaction: Transaction) -> None:
    """EIP-2681."""
    if transaction.nonce >= _MAX_NONCE:
        raise InvalidTransaction(Refusal.NONCE_MAX, address=transaction.sender, have=transaction.nonce)


def _gas_cap_rule(most: int) -> TransactionRule:
    """EIP-7825."""

    def rule(transaction: Transaction) -> None:
        if transaction.gas_limit > most:
            raise InvalidTransaction(Refusal.GAS_CAP, have=transaction.gas_limit, want=most)

    return rule
