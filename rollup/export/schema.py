"""The tables and their columns. Each column is declared once: its name, type, unit and the source of its value.

Amounts are wei: 38-digit decimals in Parquet, digits in CSV, strings in JSON lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final, Literal, NamedTuple

Kind = Literal["number", "amount", "text", "flag"]
Row = dict[str, Any]
AMOUNT_DIGITS: Final = 38  # of a 128-bit decimal; DuckDB computes exactly with at most as many
OVERFLOW: Final = "overflow"
_LIMITS: Final = {"amount": 10**AMOUNT_DIGITS, "number": 2**63}


@dataclass(slots=True, frozen=True)
class Column:
    """A column of a table.

    `unit` is empty for an id, a count, a hash or an address; `source` names a JSON-RPC method and a field. A row takes
    the value from `field` of its object number `part`; a column without `field` is computed.
    """

    name: str
    kind: Kind
    unit: str
    source: str
    part: int = 0
    field: str = ""

    def described(self) -> dict[str, str]:
        """The manifest's entry for the column."""
        return {"name": self.name, "kind": self.kind, "unit": self.unit, "source": self.source}


@dataclass(frozen=True)
class Table:
    """A table's columns in order. A table with amounts ends with `overflow`: amounts of more than 38 digits, as JSON.

    >>> from rollup.export import TABLES
    >>> TABLES["contributors"].names[:2], TABLES["contributors"].limits[0] == (0, 2**63)
    (('datanet_id', 'account'), True)
    >>> TABLES["receipts"].row({"status": "0x1"}, logs=2)["status"]
    1
    """

    name: str
    columns: tuple[Column, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def limits(self) -> tuple[tuple[int, int], ...]:
        """The places of the columns that hold numbers, and the least number that does not fit each."""
        return tuple(
            (place, _LIMITS[column.kind]) for place, column in enumerate(self.columns) if column.kind in _LIMITS
        )

    @cached_property
    def _read(self) -> tuple[tuple[str, int, str, bool], ...]:
        return tuple(
            (column.name, column.part, column.field, column.kind in _LIMITS) for column in self.columns if column.field
        )

    def row(self, *objects: Mapping[str, Any], **computed: Any) -> Row:
        """A row from JSON objects of a node, one for each part of the table, and the computed columns by name."""
        for name, part, field, is_quantity in self._read:
            value = objects[part].get(field)
            computed[name] = number(value) if is_quantity else value
        return computed


def number(quantity: str | None) -> int | None:
    """A 0x quantity as a number."""
    return None if quantity is None else int(quantity, 16)


class _Spec(NamedTuple):
    name: str
    kind: Kind
    unit: str
    field: str
    rule: str  # how the column is computed; empty when it is a field


def _spec(kind: Kind, name: str, field: str = "", *, unit: str = "", rule: str = "") -> _Spec:
    """A column whose JSON field is its name in camel case, unless `field` or `rule` says otherwise."""
    first, *others = name.split("_")
    return _Spec(name, kind, unit, "" if rule else field or first + "".join(map(str.capitalize, others)), rule)


_text, _flag = partial(_spec, "text"), partial(_spec, "flag")
_number, _gas = partial(_spec, "number"), partial(_spec, "number", unit="gas")
_seconds = partial(_spec, "number", unit="unix seconds")
_wei, _wei_per_gas = partial(_spec, "amount", unit="wei"), partial(_spec, "amount", unit="wei per gas")


class _Part(NamedTuple):
    """Columns that one object of a node's answer fills; `within` is the object's place in the answer."""

    method: str
    within: str
    specs: tuple[_Spec, ...]


def _part(method: str, within: str, *specs: _Spec) -> _Part:
    return _Part(method, within, specs)


def _table(name: str, *parts: _Part) -> Table:
    columns = [
        Column(
            spec.name,
            spec.kind,
            spec.unit,
            f"{part.method}: {spec.rule or part.within + spec.field}",
            which,
            spec.field,
        )
        for which, part in enumerate(parts)
        for spec in part.specs
    ]
    if any(column.kind == "amount" for column in columns):
        columns.append(Column(OVERFLOW, "text", "", "the columns whose value has more than 38 digits, as JSON"))
    return Table(name, tuple(columns))


_BLOCK: Final = "eth_getBlockByNumber"
_RECEIPT: Final = "eth_getBlockReceipts"
_INFERENCE: Final = "open_getInference"
_PLACE: Final = (_number("block_number"), _number("transaction_index"))
_HASH: Final = _text("transaction_hash")

TABLES: Final = {
    table.name: table
    for table in (
        _table(
            "blocks",
            _part(
                _BLOCK,
                "",
                _number("number"),
                _text("hash"),
                _text("parent_hash"),
                _seconds("timestamp"),
                _gas("gas_used"),
                _gas("gas_limit"),
                _wei_per_gas("base_fee", "baseFeePerGas"),
                _number("transactions", rule="transactions, their number"),
                _text("state_root"),
                _number("l1_origin", rule="transactions[0].input, the L1 attributes: number"),
            ),
        ),
        _table(
            "transactions",
            _part(
                _BLOCK,
                "transactions[].",
                *_PLACE,
                _text("transaction_hash", "hash"),
                _number("type"),
                _text("sender", "from"),
                _text("recipient", "to"),
                _wei("value"),
                _number("nonce"),
                _gas("gas_limit", "gas"),
                _wei_per_gas("max_fee_per_gas", rule="transactions[].maxFeePerGas, or gasPrice"),
                _wei_per_gas("max_priority_fee_per_gas", rule="transactions[].maxPriorityFeePerGas, or gasPrice"),
                _text("input"),
            ),
        ),
        _table(
            "receipts",
            _part(
                _RECEIPT,
                "",
                *_PLACE,
                _HASH,
                _number("status"),
                _gas("gas_used"),
                _gas("cumulative_gas_used"),
                _text("contract_address"),
                _number("logs", rule="logs, their number"),
            ),
        ),
        _table(
            "logs",
            _part(
                _RECEIPT,
                "logs[].",
                *_PLACE,
                _HASH,
                _number("log_index"),
                _text("address"),
                *(_text(f"topic{place}", rule=f"logs[].topics[{place}]") for place in range(4)),
                _text("data"),
            ),
        ),
        _table(
            "fees",
            _part(
                _RECEIPT,
                "",
                *_PLACE,
                _HASH,
                _gas("gas_used"),
                _wei_per_gas("gas_price", "effectiveGasPrice"),
                _wei("execution", rule="gasUsed * effectiveGasPrice"),
                _wei("l1_data", rule="l1Fee"),
                _wei("operator_fee", rule="gasUsed and the block's L1 attributes: the operator fee"),
                _wei("total", rule="execution + l1_data + operator_fee"),
            ),
        ),
        _table(
            "inferences",
            _part(
                _INFERENCE,
                "",
                *_PLACE,
                _HASH,
                _seconds("timestamp"),
                _number("model_id"),
                _number("inference_id"),
                _number("count"),
                _text("payer"),
                _wei("fee"),
                _flag("is_self_paid"),
                _number("input_tokens", unit="tokens"),
                _number("output_tokens", unit="tokens"),
                _text("request_hash"),
                _text("response_hash"),
                _text("evidence"),
                _wei("gas_total", rule="gas.total"),
            ),
        ),
        _table(
            "credits",
            _part(
                _INFERENCE,
                "",
                _number("block_number"),
                _HASH,
                _number("model_id"),
                _number("inference_id"),
                _number("position", rule="credits[], the place in the list"),
            ),
            _part(
                _INFERENCE,
                "credits[].",
                _text("role"),
                _number("credited_model", "modelId"),
                _number("depth"),
                _text("account"),
                _number("datanet_id"),
                _wei("amount"),
            ),
        ),
        _table(
            "usage",
            _part(
                _INFERENCE,
                "",
                _seconds("day", rule="timestamp, down to midnight UTC"),
                _number("model_id", rule="modelId"),
                _number("inferences", rule="count, summed"),
                _wei("fees", rule="fee, summed"),
                _wei("gas", rule="gas.total, each transaction once"),
            ),
        ),
        _table(
            "batches",
            _part(
                "L1 eth_getBlockByNumber",
                "",
                _number("l1_block_number", "number"),
                _text("l1_block_hash", "hash"),
            ),
            _part(
                "L1 eth_getBlockByNumber",
                "transactions[].",
                _text("transaction_hash", "hash"),
                _text("sender", "from"),
                _number("calldata_bytes", unit="bytes", rule="transactions[].input, its length"),
                _number("blobs", rule="transactions[].blobVersionedHashes, their number"),
            ),
            _part(
                "L1 eth_getTransactionReceipt",
                "",
                _gas("gas_used"),
                _wei("cost", unit="wei of L1", rule="gasUsed * effectiveGasPrice + blobGasUsed * blobGasPrice"),
            ),
        ),
        _table(
            "contributors",
            _part(
                "open_listContributors",
                "",
                _number("datanet_id", rule="datanetId, the parameter"),
                _text("account"),
                _number("contributions"),
                _wei("units", unit="units of the DataNet"),
                *map(_wei, ("direct", "settled", "credited", "pending")),
            ),
        ),
    )
}
SNAPSHOTS: Final = ("contributors",)  # of the head, not of a range of blocks
FROM_INDEX: Final = ("inferences", "credits", "usage", "contributors")  # of a node with open_
