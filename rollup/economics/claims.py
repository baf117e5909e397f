"""When to claim: claiming costs gas, waiting costs the use of the money. The rule of Baumol and of the order quantity.

Cost per month C(T) = c / T + r a T / 2: c one claim [OPEN], T months between claims, a accrual [OPEN per month], r
holding cost [per month]. r is a scenario (a discount rate), not a forecast of a price.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rollup.economics.errors import EconomicsError

Floats = NDArray[np.float64]
HOLDING_PER_YEAR: Final = 0.20  # a scenario


@dataclass(slots=True, frozen=True)
class ClaimRule:
    """The best interval [months] and threshold [OPEN], its cost [OPEN per month], and the part of the income lost."""

    interval: float
    threshold: float
    cost: float
    lost: float


def cost_rate(interval: float, claim: float, accrual: float, holding: float) -> float:
    """C(T) [OPEN per month] of claiming every `interval` months."""
    return claim / interval + holding * accrual * interval / 2


def best_rule(claim: float, accrual: float, holding: float) -> ClaimRule:
    """The cheapest rule: T* = sqrt(2c / ra), m* = a T* [OPEN]. Raises EconomicsError unless all three are above 0.

    >>> rule = best_rule(claim=0.01, accrual=2.0, holding=0.01)
    >>> round(rule.interval, 6), round(rule.threshold, 6)
    (1.0, 2.0)
    """
    if min(claim, accrual, holding) <= 0:
        raise EconomicsError("a claim's cost, the accrual and the holding cost are above 0")
    interval = sqrt(2 * claim / (holding * accrual))
    cost = sqrt(2 * claim * holding * accrual)
    return ClaimRule(interval, accrual * interval, cost, cost / accrual)


def accrual(queries: float, fee: float, platform: float, data: float, weight: float, units: float) -> float:
    """The earnings of a contributor [OPEN per month]: q (1 - pi) delta F w s, shares as fractions."""
    return queries * (1 - platform) * data * fee * weight * units


def worth_including(pending: Floats, per_datanet: float) -> NDArray[np.bool_]:
    """Which DataNets a claim should name: those whose pending amount is above the gas of naming them [OPEN]."""
    return pending > per_datanet


def simulate_threshold(
    threshold: float,
    claim: float,
    payment: float,
    payments_per_month: float,
    holding: float,
    *,
    months: int,
    steps_per_month: int,
    seeds: list[np.random.SeedSequence],
) -> tuple[Floats, Floats]:
    """Poisson payments of `payment` [OPEN], claimed whenever `threshold` [OPEN] is reached: the cost [OPEN per month]
    and the claims per month of each run; one seed a run."""
    steps = months * steps_per_month
    rate = payments_per_month / steps_per_month
    arrivals = np.stack([np.random.default_rng(seed).poisson(rate, steps) for seed in seeds])
    pending, held, claims = np.zeros(len(seeds)), np.zeros(len(seeds)), np.zeros(len(seeds))
    for step in range(steps):
        before = pending.copy()
        pending += arrivals[:, step] * payment
        held += (before + pending) / 2 / steps_per_month
        due = pending >= threshold
        claims += due
        pending[due] = 0.0
    return (claims * claim + holding * held) / months, claims / months
