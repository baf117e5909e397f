"""Which assumption matters: each parameter at its low and its high value alone, all others as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollup.economics.demand import seeds_of, simulate
from rollup.economics.market import Market


@dataclass(slots=True, frozen=True)
class Swing:
    """The mean of a column in the last month at a parameter's low and high value."""

    name: str
    low_value: float
    high_value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """How far the two are apart."""
        return abs(self.high - self.low)


def one_at_a_time(
    market: Market,
    ranges: Mapping[str, tuple[float, float]],
    column: str,
    *,
    months: int = 24,
    runs: int = 20,
    seed: int = 1,
) -> tuple[float, Sequence[Swing]]:
    """The column's mean as the market is, and each parameter's swing, the widest first; all on the same streams.

    >>> mean, swings = one_at_a_time(Market(), {"churn": (0.01, 0.1)}, "users", months=6, runs=2)
    >>> [swing.name for swing in swings]
    ['churn']
    """

    def last(changed: Market) -> float:
        return float(simulate(changed, months, seeds_of(seed, 0, range(runs)))[column][:, -1].mean())

    swings = [
        Swing(name, low, high, last(market.with_values({name: low})), last(market.with_values({name: high})))
        for name, (low, high) in ranges.items()
    ]
    return last(market), sorted(swings, key=lambda swing: -swing.width)
