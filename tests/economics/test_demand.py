"""V8 to V11 and V16: the draws have the distribution they should, and the market moves as its equations say."""

from dataclasses import replace

import numpy as np
import pytest

from rollup.economics.demand import (
    _queries,
    _State,
    lerner_price,
    living_models,
    queries_at,
    seeds_of,
    simulate,
    zipf_weights,
)
from rollup.economics.errors import EconomicsError
from rollup.economics.market import Market

# Nobody enters, leaves or joins: the draws alone.
STILL = Market(models=50, max_models=50, entry=0.0, exit=0.0, growth=0.0, churn=0.0, queries_per_month=20_000.0)


def test_v8_queries_are_poisson_by_total():
    found = simulate(STILL, 60, seeds_of(8, 0, range(20)))["queries"]
    expected = STILL.queries_per_month * (STILL.price / STILL.reference_price) ** STILL.elasticity
    z = (found - expected) / np.sqrt(expected)
    assert abs(z.mean()) * np.sqrt(z.size) < 5
    # The variance of a sample's mean square is 2 / n: five standard errors, so that no seed makes it flake.
    assert abs((z**2).mean() - 1) < 5 * np.sqrt(2 / z.size)
    assert np.abs(z).max() < 6


def test_v8_queries_are_poisson_by_model():
    """Mean and variance of every model within five standard errors: of 50 models no seed makes it flake."""
    draws = 2_000
    state = _State(np.full(draws, STILL.users), np.ones((draws, 50), dtype=bool), np.zeros((draws, 50), dtype=np.int64))
    found = _queries(STILL, state, [np.random.default_rng(seed) for seed in seeds_of(8, 0, range(draws))])
    total = STILL.queries_per_month * (STILL.price / STILL.reference_price) ** STILL.elasticity
    rates = total * zipf_weights(50, STILL.zipf)
    assert np.abs((found.mean(axis=0) - rates) / np.sqrt(rates / draws)).max() < 5
    assert np.abs((found.var(axis=0, ddof=1) - rates) / np.sqrt((2 * rates**2 + rates) / draws)).max() < 5


def test_v8_a_gamma_factor_makes_it_wider():
    wide = simulate(replace(STILL, dispersion=0.5), 40, seeds_of(8, 0, range(10)))["queries"]
    narrow = simulate(STILL, 40, seeds_of(8, 0, range(10)))["queries"]
    assert wide.var() > 10 * narrow.var()


def test_v9_zipf_shares_are_the_harmonic_numbers():
    weights = zipf_weights(1_000, 1.0)
    assert weights.sum() == pytest.approx(1)
    assert weights[9] == pytest.approx(1 / (10 * sum(1 / rank for rank in range(1, 1_001))))
    assert living_models(200_000, 50, 1_000, 1.0) == 534
    assert living_models(10_000, 50, 1_000, 1.0) == 26


def test_v10_the_lerner_price_is_the_best_on_a_grid():
    cost, elasticity = 0.01, -1.11
    best = lerner_price(cost, elasticity)
    assert best == pytest.approx(0.1009, abs=1e-4)
    prices = np.linspace(cost * 1.01, 1.0, 20_001)
    profits = (prices - cost) * prices**elasticity
    assert prices[profits.argmax()] == pytest.approx(best, abs=1e-4)
    with pytest.raises(EconomicsError, match="no price is best"):
        lerner_price(cost, -1.0)


def test_v11_elasticity_0_keeps_the_volume_and_minus_1_the_revenue():
    flat, unit = replace(STILL, elasticity=0.0), replace(STILL, elasticity=-1.0)
    for price in (0.001, 0.01, 0.2):
        assert queries_at(flat, price) == flat.queries_per_user
        assert price * queries_at(unit, price) == pytest.approx(unit.queries_per_user * unit.reference_price)


def test_v16_without_models_users_leave_and_without_users_models_do():
    lonely = Market(models=1, max_models=1, coverage_models=1e9, entry=0.0)
    users = simulate(lonely, 24, seeds_of(16, 0, range(5)))["users"]
    assert np.all(np.diff(users, axis=1) < 0)
    empty = Market(users=0.0, models=50, max_models=50)
    found = simulate(empty, 24, seeds_of(16, 0, range(5)))
    assert np.all(found["queries"] == 0)
    assert np.all(found["models"][:, -1] < 3)


def test_v16_growth_is_logistic_when_every_model_stays():
    market = Market(exit=0.0, entry=0.0, churn=0.0, models=400, coverage_models=1e-3, growth=0.5)
    users = simulate(market, 60, seeds_of(16, 0, range(1)))["users"][0]
    rate = market.growth * (1 - market.price / market.max_price)
    expected = [market.users]
    for _ in range(59):
        expected.append(expected[-1] + rate * expected[-1] * (1 - expected[-1] / market.max_users))
    assert users == pytest.approx(expected, rel=1e-9)
    assert users[-1] == pytest.approx(market.max_users, rel=1e-3)


def test_v16_below_the_critical_mass_it_dies_and_above_it_lives():
    small = simulate(Market(users=20.0, models=5), 48, seeds_of(16, 0, range(20)))
    large = simulate(Market(users=10_000.0, models=200, hosting=1.0), 48, seeds_of(16, 0, range(20)))
    assert (small["users"][:, -1] < 20).mean() > 0.9
    assert (large["users"][:, -1] > 10_000).mean() > 0.9


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"fee": -1.0}, "fee is negative"),
        ({"platform": 1.5}, "a share"),
        ({"models": 0}, "1 to 10,000 models"),
        ({"users": float("nan")}, "not a number"),
        ({"colour": 1}, "no parameter 'colour'"),
        ({"models": 1.5}, "whole number"),
    ],
)
def test_an_impossible_market_is_one_sentence(values, words):
    with pytest.raises(EconomicsError, match=words):
        Market().with_values(values)
