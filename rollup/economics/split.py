"""Who gets what of a fee: the arithmetic of docs/attribution.md ("An inference, step by step"), to the wei."""

from dataclasses import dataclass

from rollup.economics.shape import Level, Shape
from rollup.economics.units import ALL_BPS


@dataclass(slots=True, frozen=True)
class Shares:
    """A fee's parts in wei; they sum to the fee. `lineage` is all that the ancestors' owners and DataNets get."""

    fee: int
    platform: int
    owner: int
    lineage: int
    data: int

    def __add__(self, other: "Shares") -> "Shares":
        return Shares(
            self.fee + other.fee,
            self.platform + other.platform,
            self.owner + other.owner,
            self.lineage + other.lineage,
            self.data + other.data,
        )

    def times(self, count: int) -> "Shares":
        """The parts of `count` equal fees [wei]."""
        return Shares(*(count * part for part in (self.fee, self.platform, self.owner, self.lineage, self.data)))


def split(fee: int, shape: Shape) -> Shares:
    """The parts [wei] of one fee [wei]. Every DataNet is taken to have units; one without passes its part to the
    owner."""
    platform = fee * shape.platform_bps // ALL_BPS
    net = fee - platform
    model = shape.model
    owner = net * model.owner_bps // ALL_BPS
    lineage = net * model.lineage_bps // ALL_BPS
    return Shares(fee, platform, owner, lineage, net - owner - lineage)


def datanet_parts(data: int, level: Level) -> tuple[int, ...]:
    """Each DataNet's part of a model's data share [wei], by weight. The last one also gets the rounding remainder."""
    total = sum(level.weights)
    parts = [data * weight // total for weight in level.weights[:-1]]
    return (*parts, data - sum(parts))


def all_credits(fee: int, shape: Shape) -> list[int]:
    """Every single credit of one fee [wei], down the lineage, in the precompile's order."""
    credits = [split(fee, shape).platform]
    amount = fee - credits[0]
    for level in shape.levels:
        owner = amount * level.owner_bps // ALL_BPS
        lineage = amount * level.lineage_bps // ALL_BPS
        credits += [owner, *datanet_parts(amount - owner - lineage, level)]
        amount = lineage
    return credits
