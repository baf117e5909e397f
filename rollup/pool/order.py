"""The order of the pool: what pays the most goes first, and what pays the least gives way."""

from rollup.pool.account import PoolAccount, PooledTransaction
from rollup.protocol.primitives import Hash
from rollup.protocol.transaction import Transaction


def pays(transaction: Transaction, base_fee: int) -> bool:
    """Whether the transaction may run at this base fee (wei)."""
    return transaction.max_fee_per_gas >= base_fee or transaction.is_impersonated


def by_tip(item: PooledTransaction) -> tuple[int, int, Hash]:
    """A heap entry that brings up the lowest tip, and of those the newest."""
    return item.transaction.max_priority_fee_per_gas, -item.arrival, item.transaction.hash


def next_of(account: PoolAccount, nonce: int, base_fee: int) -> list[tuple[int, int, PooledTransaction]]:
    """The account's transaction with this nonce as a heap entry, if it can run and pays the base fee."""
    if not account.state_nonce <= nonce < account.next_nonce:
        return []
    item = account.by_nonce[nonce]
    transaction = item.transaction
    if not pays(transaction, base_fee):
        return []
    tip = min(transaction.max_priority_fee_per_gas, transaction.max_fee_per_gas - base_fee)
    return [(-tip, item.arrival, item)]
