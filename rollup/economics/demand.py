"""Demand over many models, and the growth of both sides: a step `state -> state` on arrays (run, model).

Queries of model m in a month: Poisson(Lambda w_m (P / P_0)^epsilon), w_m by Zipf over the models alive. Users grow with
the coverage that models give, models with the profit that users bring. One random stream per run: results depend
neither on how runs are put together nor on how many processes there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rollup.economics.errors import EconomicsError
from rollup.economics.market import MAX_MONTHS, Market

Floats = NDArray[np.float64]
UNITS: Final[Mapping[str, str]] = {
    "users": "users",
    "models": "models",
    "queries": "per month",
    "fees": "OPEN per month",
    "gas": "OPEN per month",
    "owner_profit": "OPEN per month",
    "median_queries": "per month and model",
    "paying_models": "models",
}
COLUMNS: Final = tuple(UNITS)


@dataclass(slots=True)
class _State:
    users: Floats  # (run,)
    alive: NDArray[np.bool_]  # (run, model)
    losing: NDArray[np.int64]  # (run, model)


def zipf_weights(count: int, exponent: float) -> Floats:
    """The parts of a market that its models get, by Zipf's law: w_m = m^-s / H_(M,s).

    >>> zipf_weights(3, 1.0).round(3).tolist()
    [0.545, 0.273, 0.182]
    """
    weights = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    return np.asarray(weights / weights.sum())


def living_models(queries: float, needed: float, count: int, exponent: float) -> int:
    """How many of `count` models get at least `needed` of the market's `queries` per month.

    >>> living_models(queries=1_000, needed=200, count=3, exponent=1.0)
    2
    """
    return int((queries * zipf_weights(count, exponent) >= needed).sum())


def lerner_price(cost: float, elasticity: float) -> float:
    """The price [OPEN] with the most profit at a constant elasticity below -1, for `cost` [OPEN per query].

    >>> lerner_price(cost=0.02, elasticity=-2.0)
    0.04
    """
    if elasticity >= -1:
        raise EconomicsError("with an elasticity of -1 or above no price is best: a dearer one always earns more")
    return cost * elasticity / (1 + elasticity)


def queries_at(market: Market, price: float) -> float:
    """The expected queries per user and month at a price [OPEN]."""
    return float(market.queries_per_user * (price / market.reference_price) ** market.elasticity)


def seeds_of(seed: int, subset: int, runs: range) -> list[np.random.SeedSequence]:
    """The random stream of each run: of (seed, subset, run) alone, so that A and B of a comparison share it."""
    return [np.random.SeedSequence(seed, spawn_key=(subset, run)) for run in runs]


def simulate(market: Market, months: int, seeds: list[np.random.SeedSequence]) -> Mapping[str, Floats]:
    """`months` months of each run: by column an array (run, month). Amounts in OPEN per month.

    >>> from rollup.economics.experiment import seeds_of
    >>> simulate(Market(), 12, seeds_of(1, 0, range(3)))["users"].shape
    (3, 12)
    """
    if not 0 < months <= MAX_MONTHS:
        raise EconomicsError(f"a simulation has 1 to {MAX_MONTHS} months")
    state = _State(
        np.full(len(seeds), market.users),
        np.tile(np.arange(market.max_models) < market.models, (len(seeds), 1)),
        np.zeros((len(seeds), market.max_models), dtype=np.int64),
    )
    found = {name: np.zeros((len(seeds), months)) for name in COLUMNS}
    for month in range(months):
        streams = [_stream(seed, month) for seed in seeds]
        # Drawn first, so that they are the same for two markets whatever the queries of each draw.
        chances = np.stack([rng.random(market.max_models) for rng in streams])
        queries = _queries(market, state, streams)
        _record(market, state, queries, {name: column[:, month] for name, column in found.items()})
        _step(market, state, queries, chances, streams)
    return found


def _stream(seed: np.random.SeedSequence, month: int) -> np.random.Generator:
    """The random numbers of one month of one run. Each month begins anew: two markets on one seed that drew more or
    fewer numbers in a month have the same ones again in the next."""
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, month)))


def _queries(market: Market, state: _State, streams: list[np.random.Generator]) -> Floats:
    """The queries of each model in a month, (run, model)."""
    by_rank = np.arange(1, market.max_models + 1, dtype=np.float64) ** -market.zipf
    ranks = np.maximum(np.cumsum(state.alive, axis=1) - 1, 0)
    weights = np.where(state.alive, by_rank[ranks], 0.0)
    sums = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
    if market.queries_per_month:
        total = np.full(len(streams), market.queries_per_month * _price_factor(market))
    else:
        total = state.users * queries_at(market, market.price) if market.price else state.users * 0.0
    rates = total[:, None] * weights
    if market.dispersion:
        shape = 1 / market.dispersion
        rates = rates * np.stack([rng.gamma(shape, market.dispersion, market.max_models) for rng in streams])
    return np.stack([rng.poisson(row) for rng, row in zip(streams, rates, strict=True)]).astype(np.float64)


def _price_factor(market: Market) -> float:
    return float((market.price / market.reference_price) ** market.elasticity)


def _record(market: Market, state: _State, queries: Floats, row: Mapping[str, Floats]) -> None:
    alive = state.alive.sum(axis=1)
    profit = np.where(state.alive, queries * market.margin - market.hosting, 0.0)
    row["users"][:] = state.users
    row["models"][:] = alive
    row["queries"][:] = queries.sum(axis=1)
    row["fees"][:] = row["queries"] * market.fee
    row["gas"][:] = row["queries"] * market.gas
    row["owner_profit"][:] = profit.sum(axis=1)
    row["paying_models"][:] = ((profit >= 0) & state.alive).sum(axis=1)
    row["median_queries"][:] = _medians(queries, state.alive, alive)


def _medians(queries: Floats, alive: NDArray[np.bool_], counts: NDArray[np.int64]) -> Floats:
    """The median over the living models of each run; 0 where none lives."""
    ordered = np.sort(np.where(alive, queries, np.inf), axis=1)
    middle = np.stack([np.maximum(counts - 1, 0) // 2, np.minimum(counts // 2, ordered.shape[1] - 1)], axis=1)
    pair = np.take_along_axis(ordered, middle, axis=1)
    return np.where(counts > 0, pair.mean(axis=1), 0.0)


def _step(market: Market, state: _State, queries: Floats, chances: Floats, streams: list[np.random.Generator]) -> None:
    alive = state.alive.sum(axis=1)
    coverage = 1 - np.exp(-alive / market.coverage_models)
    value = max(0.0, 1 - market.price / market.max_price)
    joining = market.growth * state.users * (1 - state.users / market.max_users) * coverage * value
    state.users = np.maximum(state.users + joining - market.churn * state.users, 0.0)
    profit = queries * market.margin - market.hosting
    state.losing = np.where(state.alive & (profit < 0), state.losing + 1, 0)
    leaving = state.alive & (state.losing >= market.patience) & (chances < market.exit)
    gains = np.where(state.alive, np.maximum(profit, 0.0), 0.0).sum(axis=1)
    mean_gain = np.divide(gains, alive, out=np.zeros_like(gains), where=alive > 0)
    rates = market.entry * mean_gain / max(market.hosting, 1.0)
    entering = np.array([rng.poisson(rate) for rng, rate in zip(streams, rates, strict=True)])
    state.alive = state.alive & ~leaving
    vacant = ~state.alive
    state.alive = state.alive | (vacant & (np.cumsum(vacant, axis=1) <= entering[:, None]))
    state.losing[vacant] = 0
