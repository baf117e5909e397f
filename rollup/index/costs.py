"""The cost of a transaction to its sender in addition to its value, in wei of OPEN: execution, L1 data, operator."""

from dataclasses import dataclass

from rollup.execution.config import L2Config
from rollup.protocol.block import Block
from rollup.protocol.fees import L1FeeParameters, l1_cost, operator_fee
from rollup.protocol.l2_blocks import NotAnL2Block, l1_attributes_of
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import Transaction


@dataclass(slots=True, frozen=True)
class Cost:
    """Costs by kind, in wei; gas in units."""

    gas_used: int
    execution: int
    l1: int
    operator: int


class BlockCosts:
    """The costs of one block's transactions. The block's L1 attributes are read once, at the first use."""

    def __init__(self, config: L2Config, block: Block) -> None:
        self._config = config
        self._block = block
        self._fork = config.fork_at(block.timestamp)
        self._parameters: L1FeeParameters | None = None

    def of(self, transaction: Transaction, receipt: Receipt) -> Cost:
        """The cost of one transaction. A deposit paid on L1."""
        gas = receipt.gas_used
        if transaction.is_deposit:
            return Cost(gas, 0, 0, 0)
        if self._parameters is None:
            self._parameters = fee_parameters(self._block)
        has_l1_fee = self._config.variant.has_l1_fee
        return Cost(
            gas,
            gas * receipt.effective_gas_price,
            l1_cost(transaction.encode(), self._fork, self._parameters) if has_l1_fee else 0,
            operator_fee(gas, self._fork, self._parameters),
        )


def fee_parameters(block: Block) -> L1FeeParameters:
    """The fee parameters in the block's L1 attributes deposit; all 0 in a block without one."""
    try:
        return l1_attributes_of(block).fee_parameters()
    except NotAnL2Block:
        return L1FeeParameters()
