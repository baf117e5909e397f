"""The transactions that this process has checked, by their bytes: each is decoded and its sender recovered once.

The same bytes come several times: from a user, from L1 data to the derivation of each chain, and to the batcher. What
they decode to and who signed them are functions of the bytes alone, so both chains may share the result. Execution is
not shared. A shared transaction is never changed.
"""

from rollup.protocol.recent import Recent
from rollup.protocol.transaction import Transaction, decode_transaction

_MOST = 65_536
_HEAVIEST = 24 * 1024 * 1024  # bytes, encoded

_known: Recent[Transaction] = Recent(_MOST, lambda transaction: len(transaction.encode()), _HEAVIEST)


def remember_transaction(transaction: Transaction) -> None:
    """Shares a decoded transaction whose sender was recovered from its signature; an impersonated one is not shared."""
    if not transaction.is_impersonated:
        _known.put(transaction.encode(), transaction)


def known_or_decoded(raw: bytes) -> Transaction:
    """The transaction of EIP-2718 bytes, with its sender where it is known; raises TransactionError as
    decode_transaction does."""
    return _known.get(raw) or decode_transaction(raw)


def forget_transactions() -> None:
    """Empties the cache, so that a measurement includes decoding and recovery."""
    _known.clear()
