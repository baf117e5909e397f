"""The tables and their columns. Amounts are wei: 38-digit decimals in Parquet, digits in CSV and JSON."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["number", "amount", "text", "flag"]
AMOUNT_DIGITS: Final = 38  # what a 128-bit decimal holds, and the most that DuckDB computes with exactly
OVERFLOW: Final = "overflow"


@dataclass(slots=True, frozen=True)
class Table:
    """A table's columns in order. One with amounts has `overflow` as its last: JSON of what 38 digits do not hold."""

    name: str
    columns: tuple[tuple[str, Kind], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(name for name, _ in self.columns)


def _table(name: str, **columns: Kind) -> Table:
    found = tuple(columns.items())
    if "amount" in columns.values():
        found = (*found, (OVERFLOW, "text"))
    return Table(name, found)


_PLACE: Final[dict[str, Kind]] = {"block_number": "number", "transaction_index": "number", "transaction_hash": "text"}

TABLES: Final = {
    table.name: table
    for table in (
        _table(
            "blocks",
            number="number",
            hash="text",
            parent_hash="text",
            timestamp="number",
            gas_used="number",
            gas_limit="number",
            base_fee="amount",
            transactions="number",
            state_root="text",
            l1_origin="number",
        ),
        _table(
            "transactions",
            **_PLACE,
            type="number",
            sender="text",
            recipient="text",
            value="amount",
            nonce="number",
            gas_limit="number",
            max_fee_per_gas="amount",
            max_priority_fee_per_gas="amount",
            input="text",
        ),
        _table(
            "receipts",
            **_PLACE,
            status="number",
            gas_used="number",
            cumulative_gas_used="number",
            contract_address="text",
            logs="number",
        ),
        _table(
            "logs",
            **_PLACE,
            log_index="number",
            address="text",
            topic0="text",
            topic1="text",
            topic2="text",
            topic3="text",
            data="text",
        ),
        _table(
            "fees",
            **_PLACE,
            gas_used="number",
            gas_price="amount",
            execution="amount",
            l1_data="amount",
            operator_fee="amount",
            total="amount",
        ),
        _table(
            "inferences",
            **_PLACE,
            timestamp="number",
            model_id="number",
            inference_id="number",
            count="number",
            payer="text",
            fee="amount",
            is_self_paid="flag",
            input_tokens="number",
            output_tokens="number",
            request_hash="text",
            response_hash="text",
            evidence="text",
            gas_total="amount",
        ),
        _table(
            "credits",
            block_number="number",
            transaction_hash="text",
            model_id="number",
            inference_id="number",
            position="number",
            role="text",
            credited_model="number",
            depth="number",
            account="text",
            datanet_id="number",
            amount="amount",
        ),
        _table("usage", day="number", model_id="number", inferences="number", fees="amount", gas="amount"),
        _table(
            "batches",
            l1_block_number="number",
            l1_block_hash="text",
            transaction_hash="text",
            sender="text",
            calldata_bytes="number",
            blobs="number",
            gas_used="number",
            cost="amount",
        ),
        _table(
            "contributors",
            datanet_id="number",
            account="text",
            contributions="number",
            units="amount",
            direct="amount",
            settled="amount",
            credited="amount",
            pending="amount",
        ),
    )
}
SNAPSHOTS: Final = ("contributors",)  # of the head, not of a range of blocks
FROM_INDEX: Final = ("inferences", "credits", "usage", "contributors")  # of a node with open_
