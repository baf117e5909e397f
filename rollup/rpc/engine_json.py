"""The Engine API's JSON: attributes in, payloads both ways (execution-apis src/engine; op-geth beacon/engine)."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Hash
from rollup.protocol.transaction import TransactionError, decode_transaction
from rollup.rpc.formats import hex_data, hex_quantity
from rollup.rpc.params import (
    Invalid,
    Parser,
    address,
    anything,
    boolean,
    data,
    hash32,
    number,
    quantity,
    quantity64,
    sized,
)


class UndecodableTransaction(ValueError):
    """A payload with bytes that are not a transaction: its status is INVALID."""


def attributes_from_json(source: Mapping[str, Any]) -> PayloadAttributes:
    """Payload attributes with OP's fields; raises Invalid naming the field. minBaseFee is a plain number."""
    # spec: holocene.attributes-encoding, deposit.authenticated
    withdrawals = source.get("withdrawals")
    if withdrawals:
        raise Invalid("withdrawals: an empty list is expected on an OP chain")
    return PayloadAttributes(
        timestamp=_required(source, "timestamp", quantity64),
        prev_randao=_required(source, "prevRandao", hash32),
        fee_recipient=_required(source, "suggestedFeeRecipient", address),
        parent_beacon_block_root=_optional(source, "parentBeaconBlockRoot", hash32),
        transactions=_transactions(source.get("transactions")),
        no_tx_pool=_optional(source, "noTxPool", boolean) or False,
        gas_limit=_optional(source, "gasLimit", quantity64) or 0,
        has_withdrawals=withdrawals is not None,
        eip1559_params=_optional(source, "eip1559Params", sized(8)),
        min_base_fee=_optional(source, "minBaseFee", _number64),
    )


def payload_from_json(
    source: Mapping[str, Any], beacon_root: Hash | None = None, requests: list[bytes] | None = None
) -> Block:
    """A payload as a block whose hash is the one it claims; raises Invalid, UndecodableTransaction.

    beacon_root from V3, requests from V4 (EIP-7685, always empty on an OP chain).
    """
    # spec: engine-api.bedrock-fields, engine-api.canyon-fields
    raws = _transactions(_required(source, "transactions", anything))
    try:
        transactions = [decode_transaction(raw) for raw in raws]
    except TransactionError as error:
        raise UndecodableTransaction(f"invalid transaction: {error}") from error
    withdrawals = source.get("withdrawals")
    if withdrawals:
        raise Invalid("withdrawals: an empty list is expected on an OP chain")
    root = _optional(source, "withdrawalsRoot", hash32)
    header = Header(
        parent_hash=_required(source, "parentHash", hash32),
        coinbase=_required(source, "feeRecipient", address),
        state_root=_required(source, "stateRoot", hash32),
        transactions_root=ordered_trie_root(raws),
        receipts_root=_required(source, "receiptsRoot", hash32),
        logs_bloom=_required(source, "logsBloom", sized(256)),
        number=_required(source, "blockNumber", quantity64),
        gas_limit=_required(source, "gasLimit", quantity64),
        gas_used=_required(source, "gasUsed", quantity64),
        timestamp=_required(source, "timestamp", quantity64),
        extra_data=_required(source, "extraData", data),
        prev_randao=_required(source, "prevRandao", hash32),
        base_fee_per_gas=_required(source, "baseFeePerGas", quantity),
        withdrawals_root=root if root is not None else (EMPTY_TRIE_ROOT if withdrawals is not None else None),
        blob_gas_used=_optional(source, "blobGasUsed", quantity64),
        excess_blob_gas=_optional(source, "excessBlobGas", quantity64),
        parent_beacon_block_root=beacon_root,
        requests_hash=None if requests is None else _requests_hash(requests),
    )
    return Block(header, transactions, _required(source, "blockHash", hash32))


def payload_to_json(block: Block) -> dict[str, Any]:
    """A block as an execution payload, with the fields its fork has."""
    # spec: engine-api.bedrock-fields, engine-api.canyon-fields, engine-api.ecotone-fields
    header = block.header
    result: dict[str, Any] = {
        "parentHash": hex_data(header.parent_hash),
        "feeRecipient": hex_data(header.coinbase),
        "stateRoot": hex_data(header.state_root),
        "receiptsRoot": hex_data(header.receipts_root),
        "logsBloom": hex_data(header.logs_bloom),
        "prevRandao": hex_data(header.prev_randao),
        "blockNumber": hex_quantity(header.number),
        "gasLimit": hex_quantity(header.gas_limit),
        "gasUsed": hex_quantity(header.gas_used),
        "timestamp": hex_quantity(header.timestamp),
        "extraData": hex_data(header.extra_data),
        "baseFeePerGas": hex_quantity(header.base_fee_per_gas or 0),
        "blockHash": hex_data(block.hash),
        "transactions": [hex_data(transaction.encode()) for transaction in block.transactions],
    }
    if header.withdrawals_root is not None:
        result["withdrawals"] = []
    if header.blob_gas_used is not None:
        result["blobGasUsed"] = hex_quantity(header.blob_gas_used)
        result["excessBlobGas"] = hex_quantity(header.excess_blob_gas or 0)
    if header.requests_hash is not None and header.withdrawals_root is not None:
        result["withdrawalsRoot"] = hex_data(header.withdrawals_root)
    return result


def _number64(value: Any) -> int:
    result = number(value)
    if result >= 2**64:
        raise Invalid("number > 64 bits")
    return result


def _requests_hash(requests: list[bytes]) -> Hash:
    return sha256(b"".join(sha256(item).digest() for item in requests)).digest()


def _transactions(value: Any) -> list[bytes]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid("transactions: a list is expected")
    return [_parsed("transactions", data, item) for item in value]


def _required(source: Mapping[str, Any], name: str, parser: Parser[Any]) -> Any:
    if source.get(name) is None:
        raise Invalid(f"missing required field '{name}'")
    return _parsed(name, parser, source[name])


def _optional(source: Mapping[str, Any], name: str, parser: Parser[Any]) -> Any:
    return None if source.get(name) is None else _parsed(name, parser, source[name])


def _parsed(name: str, parser: Parser[Any], value: Any) -> Any:
    try:
        return parser(value)
    except Invalid as error:
        raise Invalid(f"{name}: {error}") from error
