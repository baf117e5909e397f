"""The tables and their columns: name, type, unit and source.

Amounts are wei: 38-digit decimals in Parquet, digits in CSV, strings in JSON lines.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["number", "amount", "text", "flag"]
AMOUNT_DIGITS: Final = 38  # what a 128-bit decimal holds, and the most that DuckDB computes with exactly
OVERFLOW: Final = "overflow"


@dataclass(slots=True, frozen=True)
class Column:
    """A column. `unit` is empty for an id, a count, a hash or an address; `source` is a JSON-RPC method and field."""

    name: str
    kind: Kind
    unit: str
    source: str


@dataclass(slots=True, frozen=True)
class Table:
    """A table's columns in order. One with amounts has `overflow` as its last: JSON of what 38 digits do not hold."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)


def _table(name: str, *columns: Column) -> Table:
    if any(column.kind == "amount" for column in columns):
        columns = (*columns, Column(OVERFLOW, "text", "", "the columns whose value has more than 38 digits, as JSON"))
    return Table(name, columns)


def _from(method: str, *rows: tuple[str, Kind, str, str]) -> tuple[Column, ...]:
    """Columns of one method's answer: name, type, unit, field."""
    return tuple(Column(name, kind, unit, f"{method}: {field}") for name, kind, unit, field in rows)


_BLOCK: Final = "eth_getBlockByNumber"
_RECEIPT: Final = "eth_getBlockReceipts"
_INFERENCE: Final = "open_getInference"
_CONTRIBUTOR: Final = "open_listContributors"
_PLACE: Final = _from(
    _BLOCK,
    ("block_number", "number", "", "number"),
    ("transaction_index", "number", "", "transactions[].transactionIndex"),
    ("transaction_hash", "text", "", "transactions[].hash"),
)

TABLES: Final = {
    table.name: table
    for table in (
        _table(
            "blocks",
            *_from(
                _BLOCK,
                ("number", "number", "", "number"),
                ("hash", "text", "", "hash"),
                ("parent_hash", "text", "", "parentHash"),
                ("timestamp", "number", "unix seconds", "timestamp"),
                ("gas_used", "number", "gas", "gasUsed"),
                ("gas_limit", "number", "gas", "gasLimit"),
                ("base_fee", "amount", "wei per gas", "baseFeePerGas"),
                ("transactions", "number", "", "transactions, their number"),
                ("state_root", "text", "", "stateRoot"),
                ("l1_origin", "number", "", "transactions[0].input, the L1 attributes: number"),
            ),
        ),
        _table(
            "transactions",
            *_PLACE,
            *_from(
                _BLOCK,
                ("type", "number", "", "transactions[].type"),
                ("sender", "text", "", "transactions[].from"),
                ("recipient", "text", "", "transactions[].to"),
                ("value", "amount", "wei", "transactions[].value"),
                ("nonce", "number", "", "transactions[].nonce"),
                ("gas_limit", "number", "gas", "transactions[].gas"),
                ("max_fee_per_gas", "amount", "wei per gas", "transactions[].maxFeePerGas, or gasPrice"),
                ("max_priority_fee_per_gas", "amount", "wei per gas", "transactions[].maxPriorityFeePerGas"),
                ("input", "text", "", "transactions[].input"),
            ),
        ),
        _table(
            "receipts",
            *_PLACE,
            *_from(
                _RECEIPT,
                ("status", "number", "", "status"),
                ("gas_used", "number", "gas", "gasUsed"),
                ("cumulative_gas_used", "number", "gas", "cumulativeGasUsed"),
                ("contract_address", "text", "", "contractAddress"),
                ("logs", "number", "", "logs, their number"),
            ),
        ),
        _table(
            "logs",
            *_PLACE,
            *_from(
                _RECEIPT,
                ("log_index", "number", "", "logs[].logIndex"),
                ("address", "text", "", "logs[].address"),
                ("topic0", "text", "", "logs[].topics[0]"),
                ("topic1", "text", "", "logs[].topics[1]"),
                ("topic2", "text", "", "logs[].topics[2]"),
                ("topic3", "text", "", "logs[].topics[3]"),
                ("data", "text", "", "logs[].data"),
            ),
        ),
        _table(
            "fees",
            *_PLACE,
            *_from(
                _RECEIPT,
                ("gas_used", "number", "gas", "gasUsed"),
                ("gas_price", "amount", "wei per gas", "effectiveGasPrice"),
                ("execution", "amount", "wei", "gasUsed * effectiveGasPrice"),
                ("l1_data", "amount", "wei", "l1Fee"),
                ("operator_fee", "amount", "wei", "gasUsed and the block's L1 attributes: the operator fee"),
                ("total", "amount", "wei", "execution + l1_data + operator_fee"),
            ),
        ),
        _table(
            "inferences",
            *_PLACE,
            *_from(
                _INFERENCE,
                ("timestamp", "number", "unix seconds", "timestamp"),
                ("model_id", "number", "", "modelId"),
                ("inference_id", "number", "", "inferenceId"),
                ("count", "number", "", "count"),
                ("payer", "text", "", "payer"),
                ("fee", "amount", "wei", "fee"),
                ("is_self_paid", "flag", "", "isSelfPaid"),
                ("input_tokens", "number", "tokens", "inputTokens"),
                ("output_tokens", "number", "tokens", "outputTokens"),
                ("request_hash", "text", "", "requestHash"),
                ("response_hash", "text", "", "responseHash"),
                ("evidence", "text", "", "evidence"),
                ("gas_total", "amount", "wei", "gas.total"),
            ),
        ),
        _table(
            "credits",
            *_from(
                _INFERENCE,
                ("block_number", "number", "", "blockNumber"),
                ("transaction_hash", "text", "", "transactionHash"),
                ("model_id", "number", "", "modelId"),
                ("inference_id", "number", "", "inferenceId"),
                ("position", "number", "", "credits[], the place in the list"),
                ("role", "text", "", "credits[].role"),
                ("credited_model", "number", "", "credits[].modelId"),
                ("depth", "number", "", "credits[].depth"),
                ("account", "text", "", "credits[].account"),
                ("datanet_id", "number", "", "credits[].datanetId"),
                ("amount", "amount", "wei", "credits[].amount"),
            ),
        ),
        _table(
            "usage",
            *_from(
                _INFERENCE,
                ("day", "number", "unix seconds", "timestamp, down to midnight UTC"),
                ("model_id", "number", "", "modelId"),
                ("inferences", "number", "", "count, summed"),
                ("fees", "amount", "wei", "fee, summed"),
                ("gas", "amount", "wei", "gas.total, each transaction once"),
            ),
        ),
        _table(
            "batches",
            *_from(
                "L1 eth_getBlockByNumber",
                ("l1_block_number", "number", "", "number"),
                ("l1_block_hash", "text", "", "hash"),
                ("transaction_hash", "text", "", "transactions[].hash"),
                ("sender", "text", "", "transactions[].from"),
                ("calldata_bytes", "number", "bytes", "transactions[].input, its length"),
                ("blobs", "number", "", "transactions[].blobVersionedHashes, their number"),
            ),
            *_from(
                "L1 eth_getTransactionReceipt",
                ("gas_used", "number", "gas", "gasUsed"),
                ("cost", "amount", "wei of L1", "gasUsed * effectiveGasPrice + blobGasUsed * blobGasPrice"),
            ),
        ),
        _table(
            "contributors",
            *_from(
                _CONTRIBUTOR,
                ("datanet_id", "number", "", "datanetId, the parameter"),
                ("account", "text", "", "account"),
                ("contributions", "number", "", "contributions"),
                ("units", "amount", "units of the DataNet", "units"),
                ("direct", "amount", "wei", "direct"),
                ("settled", "amount", "wei", "settled"),
                ("credited", "amount", "wei", "credited"),
                ("pending", "amount", "wei", "pending"),
            ),
        ),
    )
}
SNAPSHOTS: Final = ("contributors",)  # of the head, not of a range of blocks
FROM_INDEX: Final = ("inferences", "credits", "usage", "contributors")  # of a node with open_
