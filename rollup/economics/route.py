"""The ways to pay for an inference: what each costs, and who pays that."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rollup.economics.fees import Cost, row_cost
from rollup.economics.measure import FIRST, STEADY
from rollup.economics.prices import Prices
from rollup.economics.profile import GasProfile
from rollup.economics.units import ceil_div

NOTHING: Final = Cost(0, 0, 0)
SINGLE: Final = ("infer", "inferCompact", "inferAttested")
JOB: Final = "request+settle"
BATCH: Final = "inferBatch"


@dataclass(slots=True, frozen=True)
class Route:
    """One way to pay. `payer` and `attributor` are what a transaction (or pair) costs each of them [wei], `gas` and
    `first` its gas in the steady state and for the first use of a model, `count` its inferences."""

    name: str
    payer: Cost
    attributor: Cost
    gas: int
    first: int
    count: int
    source: str

    @property
    def cost(self) -> Cost:
        """The cost of a transaction to payer and attributor together [wei]."""
        return self.payer + self.attributor

    @property
    def per_inference(self) -> int:
        """The cost of one inference in a full transaction to payer and attributor together [wei], rounded up."""
        return ceil_div(self.cost.total, self.count)

    @property
    def pays(self) -> str:
        """The payer of the gas: "payer", "attributor" or "both"."""
        if not self.attributor.total:
            return "payer"
        return "attributor" if not self.payer.total else "both"

    def transactions(self, queries: int) -> int:
        """How many transactions that many queries take."""
        return ceil_div(queries, self.count)


def routes(profile: GasProfile, entries: int, prices: Prices) -> Iterator[Route]:
    """Every route of a model with `entries` DataNets, at these prices. EconomicsError without a row for it."""
    for name in SINGLE:
        row = profile.row(name, entries)
        first = profile.row(name, entries, FIRST).gas
        yield Route(name, row_cost(row, prices), NOTHING, row.gas, first, 1, profile.source)
    asked, settled = profile.row("request", entries), profile.row("settle", entries)
    first = profile.row("request", entries, FIRST).gas + profile.row("settle", entries, FIRST).gas
    costs = row_cost(asked, prices), row_cost(settled, prices)
    yield Route(JOB, *costs, asked.gas + settled.gas, first, 1, profile.source)
    yield batch_route(profile, entries, prices)


def batch_route(profile: GasProfile, entries: int, prices: Prices) -> Route:
    """The batches of a profile."""
    row = profile.row(BATCH, entries, STEADY)
    first = profile.row(BATCH, entries, FIRST).gas
    return Route(f"{BATCH} of {row.count:,}", NOTHING, row_cost(row, prices), row.gas, first, row.count, profile.source)
