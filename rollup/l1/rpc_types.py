"""Blocks, transactions and receipts from the JSON of any Ethereum node (execution-apis, eth namespace).

Every value that can be recomputed is checked: hashes and roots are computed again from the parts. A contradiction or an
unknown kind raises MalformedResponse, which names the field.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rollup.l1.kzg import BLOB_SIZE, COMMITMENT_SIZE, PROOF_SIZE
from rollup.l1.sidecar import BlobSidecar, wrap_cells
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.primitives import Address, Hash, rlp_encode, to_int_bytes
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import (
    ACCESS_LIST,
    BLOB,
    DEPOSIT,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    AccessList,
    Authorization,
    Transaction,
    deposit_transaction,
)

_KNOWN_TYPES = (LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE, DEPOSIT)
_FIXED_PRICE_TYPES = (LEGACY, ACCESS_LIST)
# A block object's keys (execution-apis, Block), with those that nodes add or have added to it.
_BLOCK_KEYS = {
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
    "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot",
    "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash",
    "hash", "size", "totalDifficulty", "transactions", "uncles", "withdrawals", "author",
}  # fmt: skip


class MalformedResponse(ValueError):
    """An answer that breaks the method's specification or contradicts itself. The message names the field."""


class UnknownHeaderField(MalformedResponse):
    """A block whose hash covers a field that this program does not know. Repeating the request does not help."""


def quantity(value: Any, name: str) -> int:
    """A 0x quantity; raises MalformedResponse."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise MalformedResponse(f"{name}: a 0x quantity is expected, got {_shown(value)}")
    try:
        return int(value[2:], 16)
    except ValueError as error:
        raise MalformedResponse(f"{name}: not a 0x quantity: {_shown(value)}") from error


def data(value: Any, name: str, size: int | None = None) -> bytes:
    """0x bytes, of a given size if one is given. Raises MalformedResponse."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise MalformedResponse(f"{name}: 0x bytes are expected, got {_shown(value)}")
    try:
        decoded = bytes.fromhex(value[2:])
    except ValueError as error:
        raise MalformedResponse(f"{name}: not hexadecimal: {_shown(value)}") from error
    if size is not None and len(decoded) != size:
        raise MalformedResponse(f"{name}: {len(decoded)} bytes, {size} expected")
    return decoded


def header_from_json(value: Any) -> Header:
    """The header of a block object, its hash recomputed and compared; raises MalformedResponse."""
    block = _object(value, "block")
    header = Header(
        parent_hash=_data(block, "parentHash", 32),
        uncles_hash=_data(block, "sha3Uncles", 32),
        coinbase=_data(block, "miner", 20),
        state_root=_data(block, "stateRoot", 32),
        transactions_root=_data(block, "transactionsRoot", 32),
        receipts_root=_data(block, "receiptsRoot", 32),
        logs_bloom=_data(block, "logsBloom", 256),
        difficulty=_quantity(block, "difficulty"),
        number=_quantity(block, "number"),
        gas_limit=_quantity(block, "gasLimit"),
        gas_used=_quantity(block, "gasUsed"),
        timestamp=_quantity(block, "timestamp"),
        extra_data=_data(block, "extraData"),
        prev_randao=_data(block, "mixHash", 32),
        nonce=_data(block, "nonce", 8),
        base_fee_per_gas=_optional_quantity(block, "baseFeePerGas"),
        withdrawals_root=_optional_data(block, "withdrawalsRoot", 32),
        blob_gas_used=_optional_quantity(block, "blobGasUsed"),
        excess_blob_gas=_optional_quantity(block, "excessBlobGas"),
        parent_beacon_block_root=_optional_data(block, "parentBeaconBlockRoot", 32),
        requests_hash=_optional_data(block, "requestsHash", 32),
    )
    announced = _data(block, "hash", 32)
    computed = header.hash
    if computed != announced:
        unknown = sorted(key for key in block.keys() - _BLOCK_KEYS if isinstance(block[key], str))
        if unknown:
            raise UnknownHeaderField(
                f"block {header.number} has the field {unknown[0]}, which is not known here (a newer fork of L1?), "
                "and its hash cannot be computed without it"
            )
        raise MalformedResponse(
            f"block {header.number}: the fields hash to 0x{computed.hex()}, the node says 0x{announced.hex()}"
        )
    return header


def block_from_json(value: Any) -> Block:
    """A block with full transactions; header hash, transactions and withdrawals roots are checked."""
    header = header_from_json(value)
    items = value.get("transactions")
    if not isinstance(items, list):
        raise MalformedResponse("transactions: a list is expected")
    transactions = [transaction_from_json(item) for item in items]
    root = ordered_trie_root([transaction.encode() for transaction in transactions])
    if root != header.transactions_root and _root_with_sidecars(items, transactions) != header.transactions_root:
        raise MalformedResponse(
            f"block {header.number}: transactions root is 0x{root.hex()}, "
            f"the header says 0x{header.transactions_root.hex()}"
        )
    return Block(header, transactions)


def check_withdrawals(value: Mapping[str, Any], header: Header) -> None:
    """Checks an L1 block's withdrawals against the header's root (EIP-4895). Raises MalformedResponse."""
    items = value.get("withdrawals")
    if header.withdrawals_root is None:
        if items:
            raise MalformedResponse("withdrawals: none are expected before Shanghai")
        return
    if not isinstance(items, list):
        raise MalformedResponse("withdrawals: a list is expected")
    if ordered_trie_root([_encode_withdrawal(item) for item in items]) != header.withdrawals_root:
        raise MalformedResponse(f"block {header.number}: the withdrawals do not have the header's root")


def transaction_from_json(value: Any) -> Transaction:
    """A transaction of any type we know; raises MalformedResponse, for an unknown type naming it."""
    item = _object(value, "transaction")
    tx_type = quantity(item.get("type", "0x0"), "type")
    if tx_type not in _KNOWN_TYPES:
        raise MalformedResponse(f"type: a transaction of type {tx_type:#x} is not known to this node")
    if tx_type == DEPOSIT:
        return _deposit_from_json(item)
    price, tip = _prices(item, tx_type)
    return Transaction(
        tx_type,
        _quantity(item, "nonce"),
        _quantity(item, "gas"),
        _optional_data(item, "to", 20),
        _quantity(item, "value"),
        _data(item, "input"),
        _chain_id(item, tx_type),
        price,
        tip,
        _access_list(item.get("accessList")) if tx_type != LEGACY else (),
        _quantity(item, "maxFeePerBlobGas") if tx_type == BLOB else 0,
        _hashes(item.get("blobVersionedHashes"), "blobVersionedHashes") if tx_type == BLOB else (),
        _authorizations(item.get("authorizationList")) if tx_type == SET_CODE else (),
        _signature_v(item, tx_type),
        _quantity(item, "r"),
        _quantity(item, "s"),
    )


def receipt_from_json(value: Any) -> Receipt:
    """One receipt; raises MalformedResponse, also for a receipt from before Byzantium (a root, no status)."""
    item = _object(value, "receipt")
    if item.get("status") is None:
        raise MalformedResponse("status: missing; receipts from before Byzantium are not supported")
    logs = item.get("logs")
    if not isinstance(logs, list):
        raise MalformedResponse("logs: a list is expected")
    return Receipt(
        tx_type=quantity(item.get("type", "0x0"), "type"),
        status=_quantity(item, "status"),
        cumulative_gas_used=_quantity(item, "cumulativeGasUsed"),
        gas_used=_quantity(item, "gasUsed"),
        logs=[_log_from_json(log) for log in logs],
        contract_address=_optional_data(item, "contractAddress", 20),
        deposit_nonce=_optional_quantity(item, "depositNonce"),
        deposit_receipt_version=_optional_quantity(item, "depositReceiptVersion"),
        effective_gas_price=_optional_quantity(item, "effectiveGasPrice") or 0,
    )


def receipts_from_json(value: Any, header: Header, count: int) -> list[Receipt]:
    """The receipts of a block in order, checked against its receipts root; raises MalformedResponse.

    count: how many transactions the block has.
    """
    if not isinstance(value, list):
        raise MalformedResponse("receipts: a list is expected")
    receipts = [receipt_from_json(item) for item in value]
    if len(receipts) != count:
        raise MalformedResponse(f"block {header.number}: {len(receipts)} receipts for {count} transactions")
    root = ordered_trie_root([receipt.encode() for receipt in receipts])
    if root != header.receipts_root:
        raise MalformedResponse(
            f"block {header.number}: receipts root is 0x{root.hex()}, the header says 0x{header.receipts_root.hex()}"
        )
    before = 0
    for index, receipt in enumerate(receipts):  # the root does not cover gasUsed
        if receipt.gas_used != receipt.cumulative_gas_used - before:
            raise MalformedResponse(f"receipt {index}: gasUsed is not the step of cumulativeGasUsed")
        before = receipt.cumulative_gas_used
    return receipts


def _root_with_sidecars(items: Sequence[Any], transactions: Sequence[Transaction]) -> Hash | None:
    """The root as anvil 1.7 makes it: over blob transactions in network form, whose sidecars it shows in its JSON."""
    if not any(isinstance(item, Mapping) and "blobs" in item for item in items):
        return None
    return ordered_trie_root(
        [
            _network_form(item, transaction) if "blobs" in item else transaction.encode()
            for item, transaction in zip(items, transactions, strict=True)
        ]
    )


def _network_form(item: Mapping[str, Any], transaction: Transaction) -> bytes:
    blobs, commitments = _list_of(item, "blobs", BLOB_SIZE), _list_of(item, "commitments", COMMITMENT_SIZE)
    if "cellProofs" in item:
        return wrap_cells(transaction, blobs, commitments, _list_of(item, "cellProofs", PROOF_SIZE))
    return BlobSidecar(blobs, commitments, _list_of(item, "proofs", PROOF_SIZE)).wrap(transaction)


def _deposit_from_json(item: Mapping[str, Any]) -> Transaction:
    return deposit_transaction(
        source_hash=_data(item, "sourceHash", 32),
        sender=_data(item, "from", 20),
        to=_optional_data(item, "to", 20),
        mint=_optional_quantity(item, "mint"),
        value=_quantity(item, "value"),
        gas_limit=_quantity(item, "gas"),
        is_system=bool(item.get("isSystemTx")),
        data=_data(item, "input"),
    )


def _prices(item: Mapping[str, Any], tx_type: int) -> tuple[int, int]:
    """Fee cap and tip in wei per unit of gas."""
    if tx_type in _FIXED_PRICE_TYPES:
        price = _quantity(item, "gasPrice")
        return price, price
    return _quantity(item, "maxFeePerGas"), _quantity(item, "maxPriorityFeePerGas")


def _chain_id(item: Mapping[str, Any], tx_type: int) -> int | None:
    if tx_type != LEGACY:
        return _quantity(item, "chainId")
    v = _quantity(item, "v")
    return (v - 35) // 2 if v >= 35 else None  # EIP-155; nodes differ on chainId of legacy transactions


def _signature_v(item: Mapping[str, Any], tx_type: int) -> int:
    if tx_type != LEGACY and item.get("yParity") is not None:
        return _quantity(item, "yParity")
    return _quantity(item, "v")


def _access_list(value: Any) -> AccessList:
    return tuple(
        (_data(entry, "address", 20), _hashes(entry.get("storageKeys"), "storageKeys"))
        for entry in _objects(value or [], "accessList")
    )


def _authorizations(value: Any) -> tuple[Authorization, ...]:
    return tuple(
        Authorization(
            _quantity(entry, "chainId"),
            _data(entry, "address", 20),
            _quantity(entry, "nonce"),
            _quantity(entry, "yParity" if entry.get("yParity") is not None else "v"),
            _quantity(entry, "r"),
            _quantity(entry, "s"),
        )
        for entry in _objects(value, "authorizationList")
    )


def _log_from_json(value: Any) -> Log:
    item = _object(value, "log")
    if item.get("removed"):
        raise MalformedResponse("removed: a receipt holds no removed log")
    return Log(_data(item, "address", 20), _hashes(item.get("topics"), "topics"), _data(item, "data"))


def _encode_withdrawal(value: Any) -> bytes:
    item = _object(value, "withdrawal")
    return rlp_encode(
        [
            to_int_bytes(_quantity(item, "index")),
            to_int_bytes(_quantity(item, "validatorIndex")),
            _data(item, "address", 20),
            to_int_bytes(_quantity(item, "amount")),
        ]
    )


def _hashes(value: Any, name: str) -> tuple[Hash, ...]:
    return _list_of({name: value}, name, 32)


def _list_of(item: Mapping[str, Any], name: str, size: int) -> tuple[bytes, ...]:
    values = item.get(name)
    if not isinstance(values, list):
        raise MalformedResponse(f"{name}: a list is expected")
    return tuple(data(value, name, size) for value in values)


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MalformedResponse(f"{name}: an object is expected, got {_shown(value)}")
    return value


def _objects(value: Any, name: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list):
        raise MalformedResponse(f"{name}: a list is expected")
    return [_object(item, name) for item in value]


def _quantity(item: Mapping[str, Any], name: str) -> int:
    return quantity(item.get(name), name)


def _data(item: Mapping[str, Any], name: str, size: int | None = None) -> bytes:
    return data(item.get(name), name, size)


def _optional_quantity(item: Mapping[str, Any], name: str) -> int | None:
    value = item.get(name)
    return None if value is None else quantity(value, name)


def _optional_data(item: Mapping[str, Any], name: str, size: int) -> Address | Hash | None:
    value = item.get(name)
    return None if value is None else data(value, name, size)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
