"""A transaction worked out by another process: fields, hash, sender and compressed size, as `marshal` carries them.

Decoding, recovering and compressing are most of what a transaction costs before its block. They need no state, so a
front process (rollup/rpc/front) does them and the node takes the result. Bytes that are not a valid signed transaction
are not prepared: the node reads them itself, so that its refusals have one source.
"""

from typing import Any

from rollup.protocol.fees import ALWAYS_MINIMUM_SIZE, fjord_size_scaled, remember_size
from rollup.protocol.transaction import (
    BLOB,
    DEPOSIT,
    Authorization,
    Transaction,
    TransactionError,
    decode_transaction,
)

Prepared = tuple[Any, ...]


def prepare(raw: bytes) -> Prepared | None:
    """Decodes EIP-2718 bytes and recovers the sender.

    None for bytes that are not a transaction, for an invalid signature, for deposits and for blob transactions, which
    may come with their blobs.
    """
    try:
        transaction = decode_transaction(raw)
        if transaction.tx_type in (DEPOSIT, BLOB):
            return None
        sender = transaction.sender
    except TransactionError:
        return None
    authorizations = [
        (item.chain_id, item.address, item.nonce, item.y_parity, item.r, item.s)
        for item in transaction.authorization_list
    ]
    return (
        transaction.tx_type,
        transaction.nonce,
        transaction.gas_limit,
        transaction.to,
        transaction.value,
        transaction.data,
        transaction.chain_id,
        transaction.max_fee_per_gas,
        transaction.max_priority_fee_per_gas,
        transaction.access_list,
        authorizations,
        transaction.v,
        transaction.r,
        transaction.s,
        sender,
        transaction.hash,
        fjord_size_scaled(raw) if len(raw) > ALWAYS_MINIMUM_SIZE else None,
    )


def restore(raw: bytes, prepared: Prepared) -> Transaction:
    """The transaction of these bytes, from what `prepare` returned for them; nothing is checked again."""
    tx_type, nonce, gas_limit, to, value, data, chain_id, cap, tip, access_list, *rest = prepared
    authorizations, v, r, s, sender, tx_hash, size = rest
    transaction = Transaction(
        tx_type,
        nonce,
        gas_limit,
        to,
        value,
        data,
        chain_id,
        cap,
        tip,
        access_list,
        v=v,
        r=r,
        s=s,
        _sender=sender,
        _raw=raw,
        _hash=tx_hash,
    )
    if authorizations:
        transaction.authorization_list = tuple(Authorization(*item) for item in authorizations)
    if size is not None:
        remember_size(raw, size)
    return transaction
