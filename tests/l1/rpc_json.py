"""A block as geth's JSON-RPC shows it: what a fake L1 node in these tests answers with."""

from typing import Any

from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY, SET_CODE, Transaction


def h(data: bytes) -> str:
    return "0x" + data.hex()


def header_json(header: Header) -> dict[str, Any]:
    result: dict[str, Any] = {
        "hash": h(header.hash),
        "parentHash": h(header.parent_hash),
        "sha3Uncles": h(header.uncles_hash),
        "miner": h(header.coinbase),
        "stateRoot": h(header.state_root),
        "transactionsRoot": h(header.transactions_root),
        "receiptsRoot": h(header.receipts_root),
        "logsBloom": h(header.logs_bloom),
        "difficulty": hex(header.difficulty),
        "number": hex(header.number),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": h(header.extra_data),
        "mixHash": h(header.prev_randao),
        "nonce": h(header.nonce),
    }
    optional = {
        "baseFeePerGas": header.base_fee_per_gas,
        "withdrawalsRoot": header.withdrawals_root,
        "blobGasUsed": header.blob_gas_used,
        "excessBlobGas": header.excess_blob_gas,
        "parentBeaconBlockRoot": header.parent_beacon_block_root,
        "requestsHash": header.requests_hash,
    }
    for key, value in optional.items():
        if value is not None:
            result[key] = h(value) if isinstance(value, bytes) else hex(value)
    return result


def transaction_json(tx: Transaction) -> dict[str, Any]:
    result: dict[str, Any] = {
        "type": hex(tx.tx_type),
        "hash": h(tx.hash),
        "from": h(tx.sender),
        "nonce": hex(tx.nonce),
        "gas": hex(tx.gas_limit),
        "to": h(tx.to) if tx.to is not None else None,
        "value": hex(tx.value),
        "input": h(tx.data),
        "v": hex(tx.v),
        "r": hex(tx.r),
        "s": hex(tx.s),
        "gasPrice": hex(tx.max_fee_per_gas),
    }
    if tx.tx_type == LEGACY:
        return result
    result |= {
        "chainId": hex(tx.chain_id or 0),
        "yParity": hex(tx.v),
        "accessList": [{"address": h(a), "storageKeys": [h(k) for k in keys]} for a, keys in tx.access_list],
    }
    if tx.tx_type in (DYNAMIC_FEE, BLOB, SET_CODE):
        result["maxFeePerGas"] = hex(tx.max_fee_per_gas)
        result["maxPriorityFeePerGas"] = hex(tx.max_priority_fee_per_gas)
    if tx.tx_type == BLOB:
        result["maxFeePerBlobGas"] = hex(tx.max_fee_per_blob_gas)
        result["blobVersionedHashes"] = [h(item) for item in tx.blob_versioned_hashes]
    if tx.tx_type == SET_CODE:
        result["authorizationList"] = [
            {
                "chainId": hex(a.chain_id),
                "address": h(a.address),
                "nonce": hex(a.nonce),
                "yParity": hex(a.y_parity),
                "r": hex(a.r),
                "s": hex(a.s),
            }
            for a in tx.authorization_list
        ]
    assert tx.tx_type in (ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE)
    return result


def block_json(block: Block, full: bool) -> dict[str, Any]:
    shown = [transaction_json(tx) if full else h(tx.hash) for tx in block.transactions]
    result = header_json(block.header) | {"transactions": shown, "uncles": []}
    if block.header.withdrawals_root is not None:
        result["withdrawals"] = []
    return result


def receipts_json(block: Block, receipts: list[Receipt]) -> list[dict[str, Any]]:
    return [
        {
            "type": hex(receipt.tx_type),
            "status": hex(receipt.status),
            "cumulativeGasUsed": hex(receipt.cumulative_gas_used),
            "gasUsed": hex(receipt.gas_used),
            "logsBloom": h(receipt.bloom),
            "logs": [
                {"address": h(log.address), "topics": [h(topic) for topic in log.topics], "data": h(log.data)}
                for log in receipt.logs
            ],
            "transactionHash": h(tx.hash),
            "blockHash": h(block.hash),
            "blockNumber": hex(block.number),
            "contractAddress": h(receipt.contract_address) if receipt.contract_address is not None else None,
            "effectiveGasPrice": hex(tx.effective_gas_price(block.header.base_fee_per_gas or 0)),
        }
        for tx, receipt in zip(block.transactions, receipts, strict=True)
    ]
