"""A scenario as plain values, checked: what a sweep's YAML file says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rollup.economics.chain_run import CHAIN, parameters
from rollup.economics.errors import EconomicsError
from rollup.economics.experiment import Experiment, Task, grid
from rollup.economics.market import Market

MARKET: Final = "market"
MAX_POINTS: Final = 100_000


@dataclass(slots=True, frozen=True)
class Scenario:
    """`kind` is market (vectorised) or chain (a node in the loop); `sweep` maps parameters to their values."""

    kind: str = MARKET
    months: int = 36
    runs: int = 20
    seed: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sweep: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def points(self) -> list[dict[str, Any]]:
        """Every point of the grid; EconomicsError for more than 100,000."""
        size = 1
        for values in self.sweep.values():
            size *= len(values)
        if not 0 < size <= MAX_POINTS:
            raise EconomicsError(f"a sweep has 1 to {MAX_POINTS:,} points, not {size:,}")
        return grid(**self.sweep)

    def experiment(self, *others: "Scenario") -> Experiment:
        """A market's experiment, together with other scenarios' markets on the same random streams."""
        markets = {
            str(number): Market().with_values(dict(item.parameters)) for number, item in enumerate((self, *others))
        }
        return Experiment(markets, self.points(), self.months, self.runs, self.seed)

    def tasks(self) -> list[Task]:
        """All tasks; EconomicsError for a parameter that there is not."""
        if self.kind == MARKET:
            return list(self.experiment().tasks())
        return [
            Task(
                CHAIN, 0, subset, first, 1, self.months, self.seed,
                tuple(parameters({**self.parameters, **values}).items()), tuple(values.items()),
            )
            for subset, values in enumerate(self.points())
            for first in range(self.runs)
        ]  # fmt: skip
