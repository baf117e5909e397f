"""Blocks, transactions, receipts and logs as JSON (execution-apis; op-geth internal/ethapi, core/types/receipt.go)."""

from typing import Any

from rollup.cooperative import in_turns
from rollup.execution.config import L1Config, L2Config
from rollup.protocol.blob_schedule import blob_base_fee_under
from rollup.protocol.block import Block
from rollup.protocol.fees import (
    GAS_PER_BLOB,
    da_footprint,
    l1_cost,
    l1_gas_used,
)
from rollup.protocol.forks import Fork
from rollup.protocol.header import Header
from rollup.protocol.l1_attributes import L1Attributes
from rollup.protocol.l2_blocks import NotAnL2Block, l1_attributes_of
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY, SET_CODE, Transaction


def hex_data(value: bytes) -> str:
    """Bytes as 0x string."""
    return "0x" + value.hex()


def hex_quantity(value: int) -> str:
    """A number as 0x quantity."""
    return hex(value)


def header_json(header: Header, block_hash: bytes) -> dict[str, Any]:
    """A header object."""
    result: dict[str, Any] = {
        "hash": hex_data(block_hash),
        "parentHash": hex_data(header.parent_hash),
        "sha3Uncles": hex_data(header.uncles_hash),
        "miner": hex_data(header.coinbase),
        "stateRoot": hex_data(header.state_root),
        "transactionsRoot": hex_data(header.transactions_root),
        "receiptsRoot": hex_data(header.receipts_root),
        "logsBloom": hex_data(header.logs_bloom),
        "difficulty": hex_quantity(header.difficulty),
        "number": hex_quantity(header.number),
        "gasLimit": hex_quantity(header.gas_limit),
        "gasUsed": hex_quantity(header.gas_used),
        "timestamp": hex_quantity(header.timestamp),
        "extraData": hex_data(header.extra_data),
        "mixHash": hex_data(header.prev_randao),
        "nonce": hex_data(header.nonce),
    }
    for name, value in (
        ("baseFeePerGas", header.base_fee_per_gas),
        ("withdrawalsRoot", header.withdrawals_root),
        ("blobGasUsed", header.blob_gas_used),
        ("excessBlobGas", header.excess_blob_gas),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root),
        ("requestsHash", header.requests_hash),
    ):
        if value is not None:
            result[name] = hex_quantity(value) if isinstance(value, int) else hex_data(value)
    return result


def bare_block_json(block: Block) -> dict[str, Any]:
    """A block object without the transactions."""
    result = header_json(block.header, block.hash)
    result["size"] = hex_quantity(block.size)
    result["uncles"] = []
    if block.header.withdrawals_root is not None:
        result["withdrawals"] = []
    return result


def block_json(block: Block, receipts: list[Receipt], *, full: bool) -> dict[str, Any]:
    """A block object, with whole transactions or their hashes."""
    result = bare_block_json(block)
    if full:
        result["transactions"] = [
            transaction_json(transaction, block, index, receipts[index] if index < len(receipts) else None)
            for index, transaction in enumerate(in_turns(block.transactions))
        ]
    else:
        result["transactions"] = [hex_data(transaction.hash) for transaction in block.transactions]
    return result


def transaction_json(
    transaction: Transaction, block: Block | None = None, index: int = 0, receipt: Receipt | None = None
) -> dict[str, Any]:
    """A transaction object; without a block it is a pending one. A deposit's nonce comes from its receipt."""
    result: dict[str, Any] = {
        "blockHash": None if block is None else hex_data(block.hash),
        "blockNumber": None if block is None else hex_quantity(block.number),
        "blockTimestamp": None if block is None else hex_quantity(block.timestamp),
        "transactionIndex": None if block is None else hex_quantity(index),
        "hash": hex_data(transaction.hash),
        "type": hex_quantity(transaction.tx_type),
        "from": hex_data(transaction.sender),
        "to": None if transaction.to is None else hex_data(transaction.to),
        "value": hex_quantity(transaction.value),
        "gas": hex_quantity(transaction.gas_limit),
        "input": hex_data(transaction.data),
    }
    if transaction.is_deposit:
        return result | _deposit_fields(transaction, receipt)
    base_fee = None if block is None else block.header.base_fee_per_gas
    price = transaction.max_fee_per_gas if base_fee is None else transaction.effective_gas_price(base_fee)
    result |= {
        "nonce": hex_quantity(transaction.nonce),
        "gasPrice": hex_quantity(price),
        "v": hex_quantity(transaction.v),
        "r": hex_quantity(transaction.r),
        "s": hex_quantity(transaction.s),
    }
    if transaction.chain_id is not None:
        result["chainId"] = hex_quantity(transaction.chain_id)
    if transaction.tx_type == LEGACY:
        return result
    result["yParity"] = hex_quantity(transaction.v)
    result["accessList"] = [
        {"address": hex_data(address), "storageKeys": [hex_data(key) for key in keys]}
        for address, keys in transaction.access_list
    ]
    if transaction.tx_type in (DYNAMIC_FEE, BLOB, SET_CODE):
        result["maxFeePerGas"] = hex_quantity(transaction.max_fee_per_gas)
        result["maxPriorityFeePerGas"] = hex_quantity(transaction.max_priority_fee_per_gas)
    elif transaction.tx_type == ACCESS_LIST:
        result["gasPrice"] = hex_quantity(transaction.max_fee_per_gas)
    if transaction.tx_type == BLOB:
        result["maxFeePerBlobGas"] = hex_quantity(transaction.max_fee_per_blob_gas)
        result["blobVersionedHashes"] = [hex_data(item) for item in transaction.blob_versioned_hashes]
    if transaction.tx_type == SET_CODE:
        result["authorizationList"] = [
            {
                "chainId": hex_quantity(item.chain_id),
                "address": hex_data(item.address),
                "nonce": hex_quantity(item.nonce),
                "yParity": hex_quantity(item.y_parity),
                "r": hex_quantity(item.r),
                "s": hex_quantity(item.s),
            }
            for item in transaction.authorization_list
        ]
    return result


_PLACE = ("blockHash", "blockNumber", "blockTimestamp", "transactionIndex", "from")


def signable_json(transaction: Transaction) -> dict[str, Any]:
    """A transaction by itself, signed or not (geth's types.Transaction): without its place, and without gasPrice if it
    has a fee cap.

    viem takes what it finds here for the next request, where both together are refused.
    """
    result = {name: value for name, value in transaction_json(transaction).items() if name not in _PLACE}
    if transaction.tx_type not in (LEGACY, ACCESS_LIST):
        result["gasPrice"] = None
    return result


def _deposit_fields(transaction: Transaction, receipt: Receipt | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "nonce": hex_quantity(receipt.deposit_nonce or 0 if receipt is not None else 0),
        "gasPrice": "0x0",
        "sourceHash": hex_data(transaction.source_hash or bytes(32)),
        "mint": hex_quantity(transaction.mint or 0),  # op-geth reads an empty mint as zero, and says it
        "v": "0x0",
        "r": "0x0",
        "s": "0x0",
    }
    if transaction.is_system:
        result["isSystemTx"] = True
    if receipt is not None and receipt.deposit_receipt_version is not None:
        result["depositReceiptVersion"] = hex_quantity(receipt.deposit_receipt_version)
    return result


def log_json(
    log: Log, log_index: int, transaction_hash: bytes, transaction_index: int, block: Block, *, removed: bool = False
) -> dict[str, Any]:
    """A log object."""
    return {
        "address": hex_data(log.address),
        "topics": [hex_data(topic) for topic in log.topics],
        "data": hex_data(log.data),
        "blockNumber": hex_quantity(block.number),
        "blockHash": hex_data(block.hash),
        "blockTimestamp": hex_quantity(block.timestamp),
        "transactionHash": hex_data(transaction_hash),
        "transactionIndex": hex_quantity(transaction_index),
        "logIndex": hex_quantity(log_index),
        "removed": removed,
    }


def receipts_json(config: Any, block: Block, receipts: list[Receipt]) -> list[dict[str, Any]]:
    """All receipts of a block."""
    attributes = _attributes(config, block)
    return [
        _receipt_json(config, block, attributes, index, transaction, receipt)
        for index, (transaction, receipt) in enumerate(in_turns(zip(block.transactions, receipts, strict=True)))
    ]


def receipt_json(config: Any, block: Block, index: int, receipt: Receipt) -> dict[str, Any]:
    """One receipt of a block; a block of thousands is not rendered for one of them."""
    return _receipt_json(config, block, _attributes(config, block), index, block.transactions[index], receipt)


def _receipt_json(
    config: Any,
    block: Block,
    attributes: L1Attributes | None,
    index: int,
    transaction: Transaction,
    receipt: Receipt,
) -> dict[str, Any]:
    tx_hash = transaction.hash
    logs = enumerate(receipt.logs, receipt.first_log)
    result: dict[str, Any] = {
        "transactionHash": hex_data(tx_hash),
        "transactionIndex": hex_quantity(index),
        "blockHash": hex_data(block.hash),
        "blockNumber": hex_quantity(block.number),
        "from": hex_data(transaction.sender),
        "to": None if transaction.to is None else hex_data(transaction.to),
        "cumulativeGasUsed": hex_quantity(receipt.cumulative_gas_used),
        "gasUsed": hex_quantity(receipt.gas_used),
        "contractAddress": None if receipt.contract_address is None else hex_data(receipt.contract_address),
        "logs": [log_json(log, number, tx_hash, index, block) for number, log in logs],
        "logsBloom": hex_data(receipt.bloom),
        "type": hex_quantity(receipt.tx_type),
        "status": hex_quantity(receipt.status),
        "effectiveGasPrice": hex_quantity(receipt.effective_gas_price),
    }
    if transaction.is_deposit:
        if receipt.deposit_nonce is not None:
            result["depositNonce"] = hex_quantity(receipt.deposit_nonce)
        if receipt.deposit_receipt_version is not None:
            result["depositReceiptVersion"] = hex_quantity(receipt.deposit_receipt_version)
        return result
    if transaction.tx_type == BLOB and isinstance(config, L1Config):
        fork, excess = config.fork_at(block.timestamp), block.header.excess_blob_gas or 0
        result["blobGasUsed"] = hex_quantity(GAS_PER_BLOB * len(transaction.blob_versioned_hashes))
        result["blobGasPrice"] = hex_quantity(blob_base_fee_under(fork, excess))
    if attributes is not None and isinstance(config, L2Config):
        result |= _l1_fields(config.fork_at(block.timestamp), attributes, transaction)
    return result


def _l1_fields(fork: Fork, attributes: L1Attributes, transaction: Transaction) -> dict[str, Any]:
    """The receipt fields about the price of the transaction's data on L1 (op-geth: Receipts.DeriveFields)."""
    parameters = attributes.fee_parameters()
    raw = transaction.encode()
    result: dict[str, Any] = {
        "l1GasPrice": hex_quantity(attributes.base_fee),
        "l1GasUsed": hex_quantity(l1_gas_used(raw, fork, parameters)),
        "l1Fee": hex_quantity(l1_cost(raw, fork, parameters)),
    }
    if fork < Fork.ECOTONE or parameters.is_before_ecotone_values:
        result["l1FeeScalar"] = _decimal(attributes.scalar)
        return result
    result["l1BaseFeeScalar"] = hex_quantity(attributes.base_fee_scalar)
    result["l1BlobBaseFee"] = hex_quantity(attributes.blob_base_fee)
    result["l1BlobBaseFeeScalar"] = hex_quantity(attributes.blob_base_fee_scalar)
    if fork >= Fork.ISTHMUS and (attributes.operator_fee_scalar or attributes.operator_fee_constant):
        result["operatorFeeScalar"] = hex_quantity(attributes.operator_fee_scalar)
        result["operatorFeeConstant"] = hex_quantity(attributes.operator_fee_constant)
    if fork >= Fork.JOVIAN:
        scalar = attributes.da_footprint_gas_scalar
        result["daFootprintGasScalar"] = hex_quantity(scalar)
        result["blobGasUsed"] = hex_quantity(da_footprint(transaction, scalar))
    return result


def _attributes(config: Any, block: Block) -> L1Attributes | None:
    if not isinstance(config, L2Config):
        return None
    try:
        return l1_attributes_of(block)
    except NotAnL2Block:
        return None


def _decimal(scalar: int) -> str:
    """A scalar of 1e6 as a decimal number, "0.684"."""
    whole, part = divmod(scalar, 1_000_000)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")
