"""Deposits: source hashes, and the L2 transaction of an L1 log (specs protocol/deposits.md)."""

from collections.abc import Sequence

from rollup.protocol.primitives import Address, Hash, keccak256
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import Transaction, deposit_transaction

TRANSACTION_DEPOSITED = keccak256(b"TransactionDeposited(address,address,uint256,bytes)")
USER_DEPOSIT, L1_ATTRIBUTES, UPGRADE = 0, 1, 2  # source hash domains
_ALIAS_OFFSET = 0x1111000000000000000000000000000000001111


class DepositError(ValueError):
    """A TransactionDeposited log of an unknown form. It exists only if the contract is broken."""


def user_deposit_source_hash(l1_block_hash: Hash, log_index: int) -> Hash:
    """The source hash of a user deposit; log_index counts through the L1 block."""
    # spec: deposit.source-hash
    return source_hash(USER_DEPOSIT, keccak256(l1_block_hash + log_index.to_bytes(32, "big")))


def l1_attributes_source_hash(l1_block_hash: Hash, sequence_number: int) -> Hash:
    """The source hash of an L1 attributes deposit."""
    # spec: deposit.source-hash
    return source_hash(L1_ATTRIBUTES, keccak256(l1_block_hash + sequence_number.to_bytes(32, "big")))


def upgrade_source_hash(intent: str) -> Hash:
    """The source hash of a network upgrade transaction, by its intent."""
    return source_hash(UPGRADE, keccak256(intent.encode()))


def apply_alias(address: Address) -> Address:
    """The L2 address of an L1 contract (protocol/deposits.md, "Address Aliasing")."""
    # spec: deposit.alias
    return ((int.from_bytes(address, "big") + _ALIAS_OFFSET) % 2**160).to_bytes(20, "big")


def undo_alias(address: Address) -> Address:
    """The reverse of apply_alias."""
    return ((int.from_bytes(address, "big") - _ALIAS_OFFSET) % 2**160).to_bytes(20, "big")


def decode_deposit_log(log: Log, l1_block_hash: Hash, log_index: int) -> Transaction:
    """The deposit of a TransactionDeposited log, version 0; raises DepositError."""
    # spec: deposit.log
    if len(log.topics) != 4 or log.topics[0] != TRANSACTION_DEPOSITED:
        raise DepositError("not a TransactionDeposited log")
    _, sender, to, version = log.topics
    if any(sender[:12]) or any(to[:12]):
        raise DepositError("a deposit's address topic has more than 20 bytes")
    if any(version):
        raise DepositError(f"deposit version {int.from_bytes(version, 'big')} is not supported")
    opaque = _opaque_data(log.data)
    if len(opaque) < 73:
        raise DepositError(f"a deposit's opaque data has {len(opaque)} bytes, 73 at least are expected")
    is_creation = opaque[72]
    if is_creation > 1:
        raise DepositError(f"isCreation is {is_creation}")
    return deposit_transaction(
        source_hash=user_deposit_source_hash(l1_block_hash, log_index),
        sender=sender[12:],
        to=None if is_creation else to[12:],
        mint=int.from_bytes(opaque[:32], "big") or None,
        value=int.from_bytes(opaque[32:64], "big"),
        gas_limit=int.from_bytes(opaque[64:72], "big"),
        is_system=False,
        data=opaque[73:],
    )


def user_deposits(receipts: Sequence[Receipt], l1_block_hash: Hash, portal: Address) -> list[Transaction]:
    """The deposits of an L1 block in log order; raises DepositError."""
    # spec: deposit.included
    found, log_index = [], 0
    for receipt in receipts:
        for log in receipt.logs:
            is_deposit = log.address == portal and bool(log.topics) and log.topics[0] == TRANSACTION_DEPOSITED
            if receipt.status == 1 and is_deposit:
                found.append(decode_deposit_log(log, l1_block_hash, log_index))
            log_index += 1
    return found


def source_hash(domain: int, identifier: Hash) -> Hash:
    """The source hash of a domain's deposit (protocol/deposits.md, "Source hash computation")."""
    # spec: deposit.source-hash
    return keccak256(domain.to_bytes(32, "big") + identifier)


def _opaque_data(data: bytes) -> bytes:
    """The one `bytes` of the log's data, as solc encodes it."""
    if len(data) < 64 or len(data) % 32:
        raise DepositError(f"a deposit log's data has {len(data)} bytes")
    if int.from_bytes(data[:32], "big") != 32:
        raise DepositError("a deposit log's data does not begin with offset 32")
    length = int.from_bytes(data[32:64], "big")
    if length > len(data) - 64 or (length + 31) // 32 * 32 != len(data) - 64:
        raise DepositError(f"a deposit log says {length} bytes of opaque data and has {len(data) - 64}")
    if any(data[64 + length :]):
        raise DepositError("a deposit log's opaque data is not padded with zeros")
    return data[64 : 64 + length]
