"""The stored form of blocks and receipts: RLP, together with values that are expensive to recompute."""

from rollup.cooperative import in_turns
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.known_transactions import known_or_decoded
from rollup.protocol.primitives import Hash, from_int_bytes, rlp_decode, rlp_encode, rlp_int, rlp_list_of
from rollup.protocol.receipt import Log, Receipt, number_logs
from rollup.protocol.transaction import decode_transaction

_NO_ITEMS = rlp_list_of(b"")


def encode_body(block: Block) -> bytes:
    """The transactions with their senders (recovering them costs more than keeping them)."""
    return rlp_encode([[transaction.encode(), transaction.sender] for transaction in in_turns(block.transactions)])


def decode_body(data: bytes, header: Header, block_hash: Hash) -> Block:
    """The reverse of encode_body, with the header that belongs to it."""
    transactions = []
    for raw, sender in rlp_decode(data):
        transaction = known_or_decoded(raw)
        if transaction._sender != sender:
            if transaction._sender is not None:  # this block's is impersonated, and somebody has sent its bytes
                transaction = decode_transaction(raw)
            transaction._sender = sender
        transactions.append(transaction)
    return Block(header, transactions, block_hash)


def encode_receipts(receipts: list[Receipt]) -> bytes:
    """Receipts with all their fields but the bloom, encoded for the store."""
    return rlp_list_of(
        b"".join(
            [
                rlp_list_of(
                    b"".join(
                        (
                            rlp_int(receipt.tx_type),
                            rlp_int(receipt.status),
                            rlp_int(receipt.cumulative_gas_used),
                            rlp_int(receipt.gas_used),
                            receipt.logs_rlp(is_last=True),
                            rlp_encode(receipt.contract_address or b""),
                            _optional(receipt.deposit_nonce),
                            _optional(receipt.deposit_receipt_version),
                            rlp_int(receipt.effective_gas_price),
                        )
                    )
                )
                for receipt in in_turns(receipts)
            ]
        )
    )


def decode_receipts(data: bytes) -> list[Receipt]:
    """The reverse of encode_receipts."""
    receipts = [
        Receipt(
            tx_type=from_int_bytes(tx_type),
            status=from_int_bytes(status),
            cumulative_gas_used=from_int_bytes(cumulative),
            gas_used=from_int_bytes(gas_used),
            logs=[Log(address, tuple(topics), log_data) for address, topics, log_data in logs],
            contract_address=contract or None,
            deposit_nonce=from_int_bytes(nonce[0]) if nonce else None,
            deposit_receipt_version=from_int_bytes(version[0]) if version else None,
            effective_gas_price=from_int_bytes(price),
        )
        for tx_type, status, cumulative, gas_used, logs, contract, nonce, version, price in rlp_decode(data)
    ]
    number_logs(receipts)
    return receipts


def _optional(value: int | None) -> bytes:
    return _NO_ITEMS if value is None else rlp_list_of(rlp_int(value))
