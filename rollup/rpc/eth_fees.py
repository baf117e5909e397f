"""eth_: fees, of the next block and of a range of past ones."""

from typing import Any

from rollup.cooperative import in_turns
from rollup.rpc.errors import RpcError
from rollup.rpc.formats import hex_quantity
from rollup.rpc.limits import MAX_FEE_HISTORY
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import BlockId, Optional, block_id, count64, percentiles
from rollup.rpc.queries import Queries


class EthFees:
    """Fees, in wei."""

    def __init__(self, queries: Queries) -> None:
        self._backend = queries.backend
        self._chain = queries.chain
        self._fees = queries.fees

    @rpc("eth_gasPrice")
    def gas_price(self) -> str:
        """Base fee and tip: enough for the next block, and for a call in the head (which checks its own base fee)."""
        return hex_quantity(self._fees.gas_price())

    @rpc("eth_maxPriorityFeePerGas")
    def max_priority_fee_per_gas(self) -> str:
        """A tip that gets a transaction in: at least 1,000,000 wei; more on L1 by the head's median, on L2 after a full
        block (as op-geth).
        """
        return hex_quantity(self._fees.suggested_tip())

    @rpc("eth_baseFee")
    def base_fee(self) -> str:
        """The base fee per gas of the next block, in wei."""
        return hex_quantity(self._fees.next_base_fee())

    @rpc("eth_blobBaseFee")
    def blob_base_fee(self) -> str | None:
        """Wei per unit of blob gas in the next block: `0x1` on L2, `null` on an L1 before Cancun, as in geth."""
        fee = self._fees.next_blob_base_fee()
        return None if fee is None else hex_quantity(fee)

    @takes_long
    @rpc("eth_feeHistory", count64, block_id, Optional(percentiles))
    def fee_history(self, count: int, newest: BlockId, percentiles: list[float] | None) -> dict[str, Any]:
        """Base fees, fill ratios and tips of at most 1,024 blocks. A deposit pays a tip of 0."""
        head = self._chain.head.number
        if isinstance(newest, int) and newest > head:
            raise RpcError(f"request beyond head block: requested {newest}, head {head}")
        last = self._backend.require_block(newest)
        if count == 0:
            return {"oldestBlock": "0x0", "gasUsedRatio": None}
        count = min(count, MAX_FEE_HISTORY, last.number + 1)
        numbers = in_turns(range(last.number - count + 1, last.number + 1))
        blocks = [self._backend.require_block(number) for number in numbers]
        base_fees = [block.header.base_fee_per_gas or 0 for block in blocks]
        blob_fees = [self._fees.blob_base_fee(block) for block in blocks]
        result: dict[str, Any] = {
            "oldestBlock": hex_quantity(last.number - count + 1),
            "baseFeePerGas": [hex_quantity(fee) for fee in [*base_fees, self._fees.base_fee_after(last)]],
            "gasUsedRatio": [block.header.gas_used / block.header.gas_limit for block in blocks],
            "baseFeePerBlobGas": [hex_quantity(fee) for fee in [*blob_fees, self._fees.blob_base_fee_after(last)]],
            "blobGasUsedRatio": [self._fees.blob_gas_ratio(block) for block in blocks],
        }
        if percentiles:
            result["reward"] = [
                [hex_quantity(tip) for tip in self._fees.rewards(block, percentiles)] for block in in_turns(blocks)
            ]
        return result
