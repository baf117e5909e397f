"""From which fee, and from how many queries a month, a model pays for its owner: exact, to the wei.

Equation: Pi = q [(1 - pi) omega F - kappa - g_a] - h - I - n_c c, where q is queries per month, F the fee, pi the
platform's share, omega the owner's, kappa the compute per query, g_a the gas that the attributor pays, h the hosting,
I an income that the owner wants, n_c c the gas of claims.
"""

from dataclasses import dataclass
from typing import Final

from rollup.economics.route import Route
from rollup.economics.shape import Shape
from rollup.economics.split import Shares, split
from rollup.economics.units import ALL_BPS, ceil_div

_MAX_FEE: Final = 2**128 - 1  # wei: the precompile's bound
_MAX_QUERIES: Final = 2**64 - 1


@dataclass(slots=True, frozen=True)
class Costs:
    """The owner's own costs in wei: per month and per query. `claims` is the gas of a month's claims."""

    hosting: int = 0
    income: int = 0
    claims: int = 0
    per_query: int = 0

    @property
    def fixed(self) -> int:
        """The owner's cost of a month without any query [wei]."""
        return self.hosting + self.income + self.claims


def month(fee: int, queries: int, shape: Shape, route: Route) -> Shares:
    """Who gets what [wei] of `queries` fees [wei per query], in the transactions that the route makes of them."""
    full, rest = divmod(queries, route.count)
    total = split(fee * route.count, shape).times(full)
    return total + split(fee * rest, shape) if rest else total


def owner_net(fee: int, queries: int, shape: Shape, route: Route, costs: Costs) -> int:
    """The amount that the owner has left after a month [wei]; negative for a loss."""
    gas = route.transactions(queries) * route.attributor.total
    return month(fee, queries, shape, route).owner - gas - queries * costs.per_query - costs.fixed


def breakeven_fee(queries: int, shape: Shape, route: Route, costs: Costs) -> int | None:
    """F*: the least fee [wei] with which a month of `queries` costs the owner nothing; None if there is none."""
    if owner_net(_MAX_FEE // max(queries, 1), queries, shape, route, costs) < 0:
        return None
    low, high = -1, _MAX_FEE // max(queries, 1)
    while high - low > 1:
        middle = (low + high) // 2
        if owner_net(middle, queries, shape, route, costs) >= 0:
            high = middle
        else:
            low = middle
    return high


def breakeven_queries(fee: int, shape: Shape, route: Route, costs: Costs) -> int | None:
    """q*: the least number of queries per month that costs the owner nothing at this fee [wei]; None if no number
    does. With batches, the attributor pays for each one begun: the number is the least within the first that do."""
    if costs.fixed <= 0:
        return 0
    size = route.count
    margin = owner_net(fee, size, shape, route, costs) + costs.fixed
    if margin <= 0:
        return None
    transactions = ceil_div(costs.fixed, margin)
    low, high = (transactions - 1) * size, transactions * size
    if high > _MAX_QUERIES:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if owner_net(fee, middle, shape, route, costs) >= 0:
            high = middle
        else:
            low = middle
    return high


def fee_for_gas_share(per_inference: int, share_bps: int) -> int:
    """F_tau: the least fee [wei] of which gas [wei per inference] is at most `share_bps` basis points of the outlay."""
    if not 0 < share_bps < ALL_BPS:
        raise ValueError("a share between 0 and 10,000 basis points is expected")
    return ceil_div(per_inference * (ALL_BPS - share_bps), share_bps)
