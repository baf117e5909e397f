"""The batcher's transactions on L1, between the L1 origins of a range of L2 blocks."""

from collections.abc import Iterator
from typing import Any, Final

from rollup.export.rpc import NodeRpc
from rollup.export.schema import TABLES, Row

_BATCH: Final = 50


def batch_rows(l1: NodeRpc, inbox: str, first: int, last: int) -> Iterator[Row]:
    """The table `batches`: transactions to the inbox in the L1 blocks after `first`, up to `last`."""
    for start in range(first + 1, last + 1, _BATCH):
        numbers = [[hex(item), True] for item in range(start, min(start + _BATCH, last + 1))]
        for block in l1.batch("eth_getBlockByNumber", numbers):
            sent = [item for item in block["transactions"] if (item["to"] or "").lower() == inbox.lower()]
            receipts = l1.batch("eth_getTransactionReceipt", [[item["hash"]] for item in sent])
            for transaction, receipt in zip(sent, receipts, strict=True):
                yield _row(block, transaction, receipt)


def _row(block: dict[str, Any], transaction: dict[str, Any], receipt: dict[str, Any]) -> Row:
    gas = int(receipt["gasUsed"], 16)
    blob_gas, blob_price = (int(receipt.get(name, "0x0"), 16) for name in ("blobGasUsed", "blobGasPrice"))
    return TABLES["batches"].row(
        block,
        transaction,
        receipt,
        calldata_bytes=len(transaction["input"]) // 2 - 1,
        blobs=len(transaction.get("blobVersionedHashes", ())),
        cost=gas * int(receipt["effectiveGasPrice"], 16) + blob_gas * blob_price,
    )
