"""The shape of a model: all that decides what an inference costs in gas and how its fee is split."""

from dataclasses import dataclass
from typing import Final

from rollup.economics.errors import EconomicsError
from rollup.economics.units import ALL_BPS

MAX_ENTRIES: Final = 32
MAX_ANCESTORS: Final = 4
DEFAULT_PLATFORM_BPS: Final = 500  # of the local chain's genesis
MAX_PLATFORM_BPS: Final = 3_000


@dataclass(slots=True, frozen=True)
class Level:
    """One model of a lineage: its split in basis points of what reaches it, and its DataNets' default weights."""

    owner_bps: int = 3_000
    lineage_bps: int = 0
    data_bps: int = 7_000
    weights: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        shares = (self.owner_bps, self.lineage_bps, self.data_bps)
        if min(shares) < 0 or sum(shares) != ALL_BPS:
            raise EconomicsError(
                f"an impossible split: owner {self.owner_bps}, lineage {self.lineage_bps} and data {self.data_bps} "
                f"basis points sum to {sum(shares):,}, not to {ALL_BPS:,}"
            )
        if not 0 < len(self.weights) <= MAX_ENTRIES:
            raise EconomicsError(f"a model has 1 to {MAX_ENTRIES} DataNets, not {len(self.weights)}")
        if min(self.weights) < 0 or not any(self.weights):
            raise EconomicsError("the weights of a model's DataNets are at least 0, and not all 0")

    @property
    def entries(self) -> int:
        """How many DataNets."""
        return len(self.weights)


@dataclass(slots=True, frozen=True)
class Shape:
    """A model (the first level), its ancestors, and the platform's share of every fee in basis points."""

    levels: tuple[Level, ...] = (Level(),)
    platform_bps: int = DEFAULT_PLATFORM_BPS

    def __post_init__(self) -> None:
        if not 0 < len(self.levels) <= 1 + MAX_ANCESTORS:
            raise EconomicsError(f"a model has at most {MAX_ANCESTORS} ancestors, not {len(self.levels) - 1}")
        if self.levels[-1].lineage_bps:
            raise EconomicsError("an impossible split: a share for the lineage, but no base model")
        if not 0 <= self.platform_bps <= MAX_PLATFORM_BPS:
            raise EconomicsError(f"the platform's share is 0 to {MAX_PLATFORM_BPS} basis points")

    @property
    def model(self) -> Level:
        """The model itself."""
        return self.levels[0]
