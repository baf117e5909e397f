"""The batcher's limits on what a block takes from the pool (miner_setMaxDASize)."""

from collections.abc import Iterator

from rollup.execution.block_builder import BlockBuilder
from rollup.execution.block_filling import TransactionSource
from rollup.protocol.fees import fjord_size_scaled
from rollup.protocol.transaction import Transaction


def within_da_limits(
    pending: Iterator[Transaction],
    builder: BlockBuilder,
    pool: TransactionSource,
    most_per_transaction: int | None,
    most_per_block: int | None,
) -> Iterator[Transaction]:
    """The pool's transactions that the limits allow; it defers the others.

    The limits are in bytes as a batch will have them, by Fjord's estimate (op-geth miner/worker.go). None: no limit.
    """
    left = most_per_block
    for transaction in pending:
        size = fjord_size_scaled(transaction.encode()) // 1_000_000
        too_big = most_per_transaction is not None and size > most_per_transaction
        if too_big or (left is not None and size > left):
            pool.defer(transaction)
            continue
        taken = len(builder.transactions)
        yield transaction
        if left is not None and len(builder.transactions) > taken:
            left -= size
