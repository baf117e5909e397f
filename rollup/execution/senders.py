"""Recovering a block's senders at once, before it is executed.

libsecp256k1 runs without the interpreter lock, so threads help where there are cores; handing over single
transactions costs more than it saves, slices of a block do not.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from rollup.cooperative import pause
from rollup.protocol.transaction import Transaction, TransactionError

_SLICE = 64  # transactions per task


def recover_senders(transactions: Sequence[Transaction]) -> None:
    """Recovers each sender and stores it in the transaction. An invalid signature is refused later, when it is
    executed.
    """
    slices = [transactions[start : start + _SLICE] for start in range(0, len(transactions), _SLICE)]
    if len(slices) < 2 or _cores() < 2:
        for part in slices:
            _recover(part)
            pause()
        return
    for _ in _threads().map(_recover, slices):
        pause()


def _recover(transactions: Sequence[Transaction]) -> None:
    for transaction in transactions:
        try:
            _ = transaction.sender  # the transaction remembers it
        except TransactionError:
            continue


def _cores() -> int:
    return os.cpu_count() or 1


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=min(_cores(), 8), thread_name_prefix="recover")
