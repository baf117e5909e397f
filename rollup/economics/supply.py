"""The supply and its unlock schedule, and whether use of the chain could hold what is unlocked. No price is computed.

Amounts in million OPEN, months since 8 September 2025. Source of the schedule: community pages, fitted to the 290.7
million of month 8. That the second tranche begins after month 12 is a convention of such schedules, and a parameter.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rollup.economics.errors import EconomicsError

SOURCE: Final = "community pages on the token's unlocks, fitted to 290.7M in month 8"
TOTAL: Final = 1_000  # million OPEN


@dataclass(slots=True, frozen=True)
class Tranche:
    """An amount [million OPEN] unlocked in equal parts over `months`, after a cliff."""

    amount: Fraction
    months: int
    cliff: int = 0

    def unlocked(self, month: int) -> Fraction:
        """The amount unlocked by the end of this month [million OPEN], exact."""
        return self.amount * min(max(month - self.cliff, 0), self.months) / self.months


@dataclass(slots=True, frozen=True)
class Schedule:
    """The supply that circulates from the start [million OPEN], and the tranches that are unlocked later."""

    initial: Fraction = Fraction(2155, 10)
    tranches: tuple[Tranche, ...] = (
        Tranche(Fraction(4516, 10), 48),
        Tranche(Fraction(3329, 10), 36, cliff=12),
    )

    def circulating(self, month: int) -> Fraction:
        """C(m) [million OPEN], exact."""
        if month < 0:
            raise EconomicsError("months are counted from 0")
        return self.initial + sum((tranche.unlocked(month) for tranche in self.tranches), Fraction(0))

    def unlock(self, month: int) -> Fraction:
        """The amount that month `month` adds to the supply [million OPEN]; months from 1."""
        return self.circulating(month) - self.circulating(month - 1)


@dataclass(slots=True, frozen=True)
class Absorption:
    """Assumptions: `holding` months that money for fees is held, `kept` part of unlocks not sold, `payout_sold` part of
    attribution payouts sold, `bought` part of fees whose money was bought in the month, `platform` share of fees."""

    holding: float = 1.0
    kept: float = 0.5
    payout_sold: float = 0.5
    bought: float = 1.0
    platform: float = 0.05

    def needed_growth(self, unlock: float) -> float:
        """The growth of a month's fees [million OPEN] with which balances held for use take up the unlock: the
        exchange identity, H (V_t - V_(t-1)) >= (1 - theta) U."""
        return (1 - self.kept) * unlock / self.holding

    def terms(self, unlock: float, volume: float) -> tuple[float, float, float]:
        """Unlocks sold, payouts sold, money bought for fees [million OPEN each]: three flows, never a price."""
        return (
            (1 - self.kept) * unlock,
            self.payout_sold * (1 - self.platform) * volume,
            self.bought * volume,
        )


def path(schedule: Schedule, months: int) -> NDArray[np.float64]:
    """C(0) to C(months) as floats [million OPEN]."""
    return np.array([float(schedule.circulating(month)) for month in range(months + 1)])
