"""Does my model pay? One model, its prices and its volumes: who gets what, what gas takes, from when on it pays."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from rollup.economics.breakeven import Costs, breakeven_fee, breakeven_queries, fee_for_gas_share, month, owner_net
from rollup.economics.errors import EconomicsError
from rollup.economics.fees import row_cost
from rollup.economics.ledger import DryLedger
from rollup.economics.measure import DEFAULT_BATCH, DEFAULT_TOKENS, measure
from rollup.economics.prices import Prices
from rollup.economics.profile import GasProfile
from rollup.economics.route import BATCH, NOTHING, Route, routes
from rollup.economics.shape import Shape
from rollup.economics.split import Shares
from rollup.economics.units import wei_of_usd

GAS_SHARE_BPS: Final = 500
MAX_QUERIES: Final = 10**12
DEFAULT_QUERIES: Final = (50, 1_000, 50_000)  # per month


@dataclass(slots=True, frozen=True)
class Model:
    """A model as the answer uses it: its name, its shape, the fee of one inference [wei] and the origin of that fee."""

    name: str
    shape: Shape
    fee: int
    fee_source: str
    is_fee_assumption: bool = False


@dataclass(slots=True, frozen=True)
class Wishes:
    """The owner's own numbers. Dollars per month and per query; `open_usd` is dollars per OPEN, a scenario."""

    hosting: Fraction = Fraction(2)
    per_query: Fraction = Fraction(0)
    income: Fraction = Fraction(0)
    open_usd: Fraction = Fraction(1, 5)
    claims: int = 1

    def __post_init__(self) -> None:
        if min(self.hosting, self.per_query, self.income) < 0 or self.claims < 0:
            raise EconomicsError("costs and incomes are at least 0")
        if self.open_usd <= 0:
            raise EconomicsError("the price of an OPEN is above 0 dollars")

    def costs(self, claim_gas: int) -> Costs:
        """The demand in wei, with the cost of the owner's claims in a month [wei per claim]."""
        hosting, per_query, income = (
            wei_of_usd(usd, self.open_usd) for usd in (self.hosting, self.per_query, self.income)
        )
        return Costs(hosting, income, self.claims * claim_gas, per_query)


@dataclass(slots=True, frozen=True)
class Month:
    """A month of `queries`: the shares [wei], and by route the gas of payers and attributor and the owner's net."""

    queries: int
    shares: Shares
    routes: tuple["RouteMonth", ...]

    @property
    def cheapest(self) -> "RouteMonth":
        """The route with the least gas in all."""
        return min(self.routes, key=lambda item: item.payer + item.attributor)

    def of(self, name: str) -> "RouteMonth":
        """The month by one route."""
        return next(item for item in self.routes if item.route.name == name)


@dataclass(slots=True, frozen=True)
class RouteMonth:
    """A month by one route: gas [wei], the owner's net [wei], F* [wei] and q*; None where there is none."""

    route: Route
    payer: int
    attributor: int
    owner_net: int
    breakeven_fee: int | None
    breakeven_queries: int | None

    @property
    def gas(self) -> int:
        """The gas that payers and attributor pay together [wei]."""
        return self.payer + self.attributor


@dataclass(slots=True, frozen=True)
class NetMap:
    """The owner's net of a month [wei] by one route: `net` has a row for each fee [wei] and a column for each
    number of queries per month."""

    route: str
    fees: tuple[int, ...]
    queries: tuple[int, ...]
    net: tuple[tuple[int, ...], ...]


@dataclass(slots=True, frozen=True)
class Answer:
    """Everything that one call of `openrollup economics` says."""

    model: Model
    prices: Prices
    wishes: Wishes
    costs: Costs
    profile: GasProfile
    routes: tuple[Route, ...]
    months: tuple[Month, ...]
    tokens: tuple[int, int]

    def net_map(self, cells: int) -> NetMap:
        """The owner's net around what was asked, by the first route: fees from a hundredth to a hundredfold."""
        route, fee = self.routes[0], self.model.fee
        most = max(10**5, *(10 * month.queries for month in self.months))
        queries = tuple(sorted({int(count) for count in np.geomspace(1, most, cells)}))
        fees = tuple(int(price) for price in np.geomspace(max(fee / 100, 1), fee * 100, cells))
        shape, costs = self.model.shape, self.costs
        net = tuple(tuple(owner_net(price, count, shape, route, costs) for count in queries) for price in fees)
        return NetMap(route.name, fees, queries, net)

    def fee_for_gas_share(self, route: Route) -> int:
        """The least fee [wei] of which gas is at most 5 % of the outlay."""
        return fee_for_gas_share(route.per_inference, GAS_SHARE_BPS)


def answer(
    model: Model,
    prices: Prices,
    queries: tuple[int, ...],
    *,
    wishes: Wishes | None = None,
    profile: GasProfile | None = None,
    tokens: tuple[int, int] = DEFAULT_TOKENS,
    batch: int = DEFAULT_BATCH,
) -> Answer:
    """Whether a model pays at some numbers of queries per month. Without a profile the gas is that of the precompile's
    own code on this model's shape.

    >>> model = Model("notes", Shape(), 125 * 10**14, "an example")
    >>> found = answer(model, Prices.preset("local"), (50, 50_000))
    >>> [month.queries for month in found.months]
    [50, 50000]
    """
    if not queries or min(queries) < 1 or max(queries) > MAX_QUERIES:
        raise EconomicsError(f"queries per month are 1 to {MAX_QUERIES:,}")
    wishes = wishes or Wishes()
    given = profile is not None
    profile = profile or GasProfile.dry(model.shape, tokens=tokens, batch=batch)
    entries = model.shape.model.entries
    # The owner's own credit is claimed without DataNets; the row names as many as the model has, so never less.
    costs = wishes.costs(row_cost(profile.row("claim", entries), prices).total)
    found = tuple(routes(profile, entries, prices))
    months = []
    for count in queries:
        single = [*found] if given else [*found, _once_a_month(model.shape, count, tokens, prices)]
        months.append(_month(model, count, single, costs))
    return Answer(model, prices, wishes, costs, profile, found, tuple(months), tokens)


def _month(model: Model, queries: int, ways: list[Route], costs: Costs) -> Month:
    return Month(
        queries,
        month(model.fee, queries, model.shape, ways[0]),
        tuple(_route_months(model, queries, ways, costs)),
    )


def _route_months(model: Model, queries: int, ways: list[Route], costs: Costs) -> Iterator[RouteMonth]:
    for way in ways:
        transactions = way.transactions(queries)
        yield RouteMonth(
            way,
            transactions * way.payer.total,
            transactions * way.attributor.total,
            owner_net(model.fee, queries, model.shape, way, costs),
            breakeven_fee(queries, model.shape, way, costs),
            breakeven_queries(model.fee, model.shape, way, costs),
        )


def _once_a_month(shape: Shape, queries: int, tokens: tuple[int, int], prices: Prices) -> Route:
    """All of a month's queries in batches as large as one record may be."""
    size = min(queries, 2**32 - 1)
    first, steady = measure(DryLedger(shape.platform_bps), [shape], tokens=tokens, batch=size, routes=[BATCH])
    source = "precompile's code on this model's shape"
    return Route(f"{BATCH} once a month", NOTHING, row_cost(steady, prices), steady.gas, first.gas, size, source)
