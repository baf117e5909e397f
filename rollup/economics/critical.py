"""Critical mass: how many users and models a market needs so that it grows by itself.

Users grow where enough models live: alpha (1 - U / U_max) f(M) v(P) > chi. Models live where enough users pay: the
largest n with Q n^-s / H_n >= h / margin. Where the two lines cross first is an unstable fixed point: a market below it
shrinks, and a market above it grows. Around it chance decides, so that the simulation gives probabilities.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Final

import numpy as np

from rollup.economics.demand import queries_at, seeds_of, simulate
from rollup.economics.errors import EconomicsError
from rollup.economics.market import Market

_STEPS: Final = 400  # of the search for the first crossing, before bisection
_BISECTIONS: Final = 60
_YEAR: Final = 12  # months
_HOLDS: Final = 0.95  # of the users of a year before: a market that dies has lost much more


@dataclass(slots=True, frozen=True)
class TakeOff:
    """The share of runs (0 to 1) in which the market holds, by the users (rows) and the models (columns) of the first
    month, and the fixed point (users, models), None where users fall from everywhere, or from nowhere."""

    users: tuple[float, ...]
    models: tuple[int, ...]
    held: tuple[tuple[float, ...], ...]
    fixed_point: tuple[float, float] | None


def critical_models(market: Market, users: float) -> float | None:
    """The number of models with which so many users neither grow nor fall in a month; None if no number is enough."""
    joining = market.growth * (1 - users / market.max_users) * max(0.0, 1 - market.price / market.max_price)
    if joining <= market.churn:
        return None
    return -market.coverage_models * log(1 - market.churn / joining)


def viable_models(market: Market, users: float) -> int:
    """The most models of which each covers its hosting [OPEN per month] at the demand of so many users."""
    if market.margin <= 0:
        return 0
    queries = users * queries_at(market, market.price) if market.price else 0.0
    ranks = np.arange(1, market.max_models + 1, dtype=np.float64)
    weights = ranks**-market.zipf
    return int((queries * weights / np.cumsum(weights) * market.margin >= market.hosting).sum())


def fixed_point(market: Market) -> tuple[float, float] | None:
    """The users and models of the unstable fixed point. None if users fall from every
    start, or grow from the first one on.

    >>> users, models = fixed_point(Market(hosting=2.0))
    >>> users > 1 and models > 0
    True
    """
    tried = np.geomspace(1.0, market.max_users, _STEPS)
    first = next((number for number, users in enumerate(tried) if _grows(market, float(users))), None)
    if not first:
        return None
    low, high = float(tried[first - 1]), float(tried[first])
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if _grows(market, middle) else (middle, high)
    models = critical_models(market, high)
    assert models is not None, "users grow at the upper end"
    return high, models


def take_off(
    market: Market, users: Sequence[float], models: Sequence[int], *, months: int = 36, runs: int = 20, seed: int = 1
) -> TakeOff:
    """Simulates `months` months from each start: how often the market holds, that is, has at the end at least 95 % of
    the users of a year before (or of the start). All on the same streams.

    >>> take_off(Market(hosting=2.0), [10], [50], months=12, runs=2).held
    ((1.0,),)
    """
    if not users or not models:
        raise EconomicsError("at least one number of users and one number of models are expected")
    held = tuple(tuple(_holds(market, start, count, months, runs, seed) for count in models) for start in users)
    return TakeOff(tuple(users), tuple(models), held, fixed_point(market))


def _grows(market: Market, users: float) -> bool:
    needed = critical_models(market, users)
    return needed is not None and viable_models(market, users) >= needed


def _holds(market: Market, users: float, models: int, months: int, runs: int, seed: int) -> float:
    changed = replace(market, users=users, models=models, max_models=max(market.max_models, models))
    found = simulate(changed, months, seeds_of(seed, 0, range(runs)))["users"]
    return float((found[:, -1] >= _HOLDS * found[:, max(months - 1 - _YEAR, 0)]).mean())
