"""The cost of a transaction in addition to its fee: execution, L1 data, operator; integers, floored as in the specs.

Sources: specs fjord, isthmus and jovian exec-engine.md; the formulas are those of rollup/protocol/fees.py.
"""

from dataclasses import dataclass
from fractions import Fraction

from rollup.economics.errors import EconomicsError
from rollup.economics.measure import GasRow
from rollup.economics.prices import Prices
from rollup.protocol.fees import operator_fee
from rollup.protocol.forks import Fork


@dataclass(slots=True, frozen=True)
class Cost:
    """Wei by what they are paid for."""

    execution: int
    l1: int
    operator: int

    @property
    def total(self) -> int:
        """The sum of execution, L1 and operator cost [wei]."""
        return self.execution + self.l1 + self.operator

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.execution + other.execution, self.l1 + other.l1, self.operator + other.operator)

    def times(self, count: int) -> "Cost":
        """The cost of `count` such transactions [wei]."""
        return Cost(count * self.execution, count * self.l1, count * self.operator)


def cost(gas: int, fjord_size_scaled: int, prices: Prices) -> Cost:
    """The cost [wei] of a transaction of `gas` [gas] and an estimated size [bytes * 1e6], from Fjord on."""
    if prices.fork < Fork.FJORD:
        raise EconomicsError("the chain's L1 data fee is that of a fork before Fjord, which is not modelled")
    l1 = prices.l1
    price = 16 * l1.base_fee_scalar * l1.base_fee + l1.blob_base_fee_scalar * l1.blob_base_fee
    data = fjord_size_scaled * price // 10**12
    return Cost(gas * prices.gas, data, operator_fee(gas, prices.fork, l1))


def row_cost(row: GasRow, prices: Prices) -> Cost:
    """The cost [wei] of one measured transaction at these prices."""
    return cost(row.gas, row.fjord_size_scaled, prices)


def outlay_shares(paid: Cost, fee: int) -> tuple[Fraction, Fraction, Fraction]:
    """The parts of an outlay [wei] that execution, L1 data and operator take: phi_E, phi_L and phi_O, exact."""
    outlay = (fee + paid.total) or 1
    return Fraction(paid.execution, outlay), Fraction(paid.l1, outlay), Fraction(paid.operator, outlay)


def gas_share(paid: int, fee: int) -> float:
    """The part of an outlay that gas eats: g / (F + g), both [wei]; 0 when nothing is paid."""
    return paid / (fee + paid) if fee + paid else 0.0
