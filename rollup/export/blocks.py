"""Blocks, transactions, receipts, logs and fees of a range, from the standard methods of any L2 node."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rollup.economics.prices import fork_of_attributes, prices_of_block
from rollup.export.errors import ChainMoved
from rollup.export.rpc import NodeRpc
from rollup.export.schema import TABLES, Row, number
from rollup.protocol.fees import operator_fee
from rollup.protocol.l1_attributes import L1Attributes, L1AttributesError

_BATCH: Final = 50
_DEPOSIT: Final = 0x7E


@dataclass(slots=True, frozen=True)
class Read:
    """A block with complete transactions, and its receipts, as JSON-RPC returns them."""

    block: dict[str, Any]
    receipts: list[dict[str, Any]]


def read_blocks(rpc: NodeRpc, first: int, last: int) -> list[Read]:
    """The blocks `first` to `last` with their receipts. ChainMoved unless each is the child of the one before.

    >>> head = chain.l2.build()
    >>> [read.block["number"] for read in read_blocks(chain.rpc, 0, 1)]
    ['0x0', '0x1']
    """
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
    """The rows of one table of blocks: `blocks`, `transactions`, `receipts`, `logs` or `fees`.

    >>> head = chain.l2.build()
    >>> reads = read_blocks(chain.rpc, 0, 1)
    >>> [row["number"] for row in rows_of("blocks", reads)]
    [0, 1]
    """
    for read in reads:
        yield from _ROWS[table](read)


def _blocks(read: Read) -> Iterator[Row]:
    block = read.block
    yield TABLES["blocks"].row(block, transactions=len(block["transactions"]), l1_origin=origin_of(block))


def origin_of(block: dict[str, Any]) -> int | None:
    """The number of the L1 block that an L2 block stands on; None for one without L1 attributes."""
    transactions = block["transactions"]
    if not transactions:
        return None
    try:
        return L1Attributes.decode(bytes.fromhex(transactions[0]["input"][2:])).number
    except L1AttributesError:
        return None


def _transactions(read: Read) -> Iterator[Row]:
    for transaction in read.block["transactions"]:
        cap = transaction.get("maxFeePerGas", transaction.get("gasPrice"))
        yield TABLES["transactions"].row(
            transaction,
            max_fee_per_gas=number(cap),
            max_priority_fee_per_gas=number(transaction.get("maxPriorityFeePerGas", cap)),
        )


def _receipts(read: Read) -> Iterator[Row]:
    for receipt in read.receipts:
        yield TABLES["receipts"].row(receipt, logs=len(receipt["logs"]))


def _logs(read: Read) -> Iterator[Row]:
    for receipt in read.receipts:
        for log in receipt["logs"]:
            topics = {f"topic{place}": topic for place, topic in enumerate(log["topics"])}
            yield TABLES["logs"].row(log, **topics)


def _fees(read: Read) -> Iterator[Row]:
    """The fees that each sender paid in addition to the value. A deposit pays on L1 and has no row."""
    if len(read.receipts) == 0:
        return
    fork, prices = fork_of_attributes(read.block), prices_of_block(read.block)
    for transaction, receipt in zip(read.block["transactions"], read.receipts, strict=True):
        if number(transaction["type"]) == _DEPOSIT:
            continue
        gas = int(receipt["gasUsed"], 16)
        execution = gas * int(receipt["effectiveGasPrice"], 16)
        data = number(receipt.get("l1Fee")) or 0
        operator = operator_fee(gas, fork, prices.l1)
        total = execution + data + operator
        yield TABLES["fees"].row(receipt, execution=execution, l1_data=data, operator_fee=operator, total=total)


_ROWS: Final[dict[str, Callable[[Read], Iterator[Row]]]] = {
    "blocks": _blocks,
    "transactions": _transactions,
    "receipts": _receipts,
    "logs": _logs,
    "fees": _fees,
}
