"""Blocks, transactions, receipts, logs and fees of a range, from the standard methods of any L2 node."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rollup.economics.prices import fork_of_attributes, prices_of_block
from rollup.export.errors import ChainMoved
from rollup.export.rpc import NodeRpc
from rollup.protocol.fees import operator_fee
from rollup.protocol.l1_attributes import L1Attributes, L1AttributesError

Row = dict[str, Any]
_BATCH: Final = 50
_DEPOSIT: Final = 0x7E
_TOPICS: Final = 4


@dataclass(slots=True, frozen=True)
class Read:
    """A block with whole transactions, and its receipts, as JSON-RPC gives them."""

    block: dict[str, Any]
    receipts: list[dict[str, Any]]


def read_blocks(rpc: NodeRpc, first: int, last: int) -> list[Read]:
    """The blocks `first` to `last`; ChainMoved unless each is the child of the one before."""
    found: list[Read] = []
    for start in range(first, last + 1, _BATCH):
        numbers = [hex(number) for number in range(start, min(start + _BATCH, last + 1))]
        blocks = rpc.batch("eth_getBlockByNumber", [[number, True] for number in numbers])
        if None in blocks:
            raise ChainMoved
        receipts = rpc.batch("eth_getBlockReceipts", [[block["hash"]] for block in blocks])
        for block, of_block in zip(blocks, receipts, strict=True):
            if of_block is None or (found and block["parentHash"] != found[-1].block["hash"]):
                raise ChainMoved
            found.append(Read(block, of_block))
    return found


def rows_of(table: str, reads: Sequence[Read]) -> Iterator[Row]:
    """The rows of one of the tables of this module."""
    for read in reads:
        if table == "blocks":
            yield _block(read)
            continue
        for transaction, receipt in zip(read.block["transactions"], read.receipts, strict=True):
            place = {
                "block_number": number(read.block["number"]),
                "transaction_index": number(transaction["transactionIndex"]),
                "transaction_hash": transaction["hash"],
            }
            if table == "logs":
                yield from (place | _log(log) for log in receipt["logs"])
            elif table == "fees":
                yield from _fees(place, read.block, transaction, receipt)
            else:
                yield place | (_transaction(transaction) if table == "transactions" else _receipt(receipt))


def number(quantity: str | None) -> int | None:
    """A 0x quantity as a number."""
    return None if quantity is None else int(quantity, 16)


def _block(read: Read) -> Row:
    block = read.block
    origin = origin_of(block)
    return {
        "number": number(block["number"]),
        "hash": block["hash"],
        "parent_hash": block["parentHash"],
        "timestamp": number(block["timestamp"]),
        "gas_used": number(block["gasUsed"]),
        "gas_limit": number(block["gasLimit"]),
        "base_fee": number(block.get("baseFeePerGas")),
        "transactions": len(block["transactions"]),
        "state_root": block["stateRoot"],
        "l1_origin": origin,
    }


def origin_of(block: dict[str, Any]) -> int | None:
    """The number of the L1 block that an L2 block stands on; None for one without L1 attributes."""
    transactions = block["transactions"]
    if not transactions:
        return None
    try:
        return L1Attributes.decode(bytes.fromhex(transactions[0]["input"][2:])).number
    except L1AttributesError:
        return None


def _transaction(transaction: dict[str, Any]) -> Row:
    cap = transaction.get("maxFeePerGas", transaction.get("gasPrice"))
    return {
        "type": number(transaction["type"]),
        "sender": transaction["from"],
        "recipient": transaction["to"],
        "value": number(transaction["value"]),
        "nonce": number(transaction["nonce"]),
        "gas_limit": number(transaction["gas"]),
        "max_fee_per_gas": number(cap),
        "max_priority_fee_per_gas": number(transaction.get("maxPriorityFeePerGas", cap)),
        "input": transaction["input"],
    }


def _receipt(receipt: dict[str, Any]) -> Row:
    return {
        "status": number(receipt["status"]),
        "gas_used": number(receipt["gasUsed"]),
        "cumulative_gas_used": number(receipt["cumulativeGasUsed"]),
        "contract_address": receipt["contractAddress"],
        "logs": len(receipt["logs"]),
    }


def _log(log: dict[str, Any]) -> Row:
    topics = log["topics"] + [None] * (_TOPICS - len(log["topics"]))
    return {
        "log_index": number(log["logIndex"]),
        "address": log["address"],
        **{f"topic{place}": topic for place, topic in enumerate(topics)},
        "data": log["data"],
    }


def _fees(place: Row, block: dict[str, Any], transaction: dict[str, Any], receipt: dict[str, Any]) -> Iterator[Row]:
    """What the sender paid beside the value; a deposit paid on L1 and has no row."""
    if number(transaction["type"]) == _DEPOSIT:
        return
    gas, price = int(receipt["gasUsed"], 16), int(receipt["effectiveGasPrice"], 16)
    data = number(receipt.get("l1Fee")) or 0
    operator = operator_fee(gas, fork_of_attributes(block), prices_of_block(block).l1)
    yield place | {
        "gas_used": gas,
        "gas_price": price,
        "execution": gas * price,
        "l1_data": data,
        "operator_fee": operator,
        "total": gas * price + data + operator,
    }
