"""Critical mass: the fixed point is one, the lines are those of the equations, simulations fall and rise around it."""

from dataclasses import replace
from math import exp

import pytest
from click.testing import CliRunner

from rollup.cli import main
from rollup.economics.critical import critical_models, fixed_point, take_off, viable_models
from rollup.economics.demand import queries_at
from rollup.economics.errors import EconomicsError
from rollup.economics.market import Market

MARKET = Market(hosting=2.0)  # with the default of 10 OPEN no number of users is enough


def test_with_the_critical_number_of_models_as_many_users_join_as_leave():
    for users in (100.0, 5_000.0, 10_000.0):
        models = critical_models(MARKET, users)
        coverage = 1 - exp(-models / MARKET.coverage_models)
        value = 1 - MARKET.price / MARKET.max_price
        joining = MARKET.growth * users * (1 - users / MARKET.max_users) * coverage * value
        assert joining == pytest.approx(MARKET.churn * users)


def test_the_last_viable_model_covers_its_hosting_and_one_more_does_not():
    users = 9_000.0
    count = viable_models(MARKET, users)
    assert 0 < count < MARKET.max_models
    queries = users * queries_at(MARKET, MARKET.price)

    def net(models):
        harmonic = sum(1 / rank for rank in range(1, models + 1))
        return queries / models / harmonic * MARKET.margin - MARKET.hosting

    assert net(count) >= 0 > net(count + 1)


def test_below_the_fixed_point_users_fall_and_above_it_they_grow():
    users, models = fixed_point(MARKET)
    assert models == pytest.approx(critical_models(MARKET, users))
    assert viable_models(MARKET, users) >= models > viable_models(MARKET, users * 0.9)
    found = take_off(MARKET, (users / 4, users), (int(models), 4 * int(models)), months=24, runs=5)
    assert found.fixed_point == (users, models)
    assert found.held[0][0] == 0.0
    assert found.held[1][1] >= 0.9
    for row in found.held:  # more models never make fewer markets hold
        assert list(row) == sorted(row)


def test_a_market_that_nobody_leaves_has_no_critical_mass_and_neither_has_one_that_nobody_joins():
    assert fixed_point(replace(MARKET, churn=0.0, hosting=0.0)) is None
    assert fixed_point(Market()) is fixed_point(replace(MARKET, growth=0.01)) is None
    assert fixed_point(replace(MARKET, cost_per_query=1.0, churn=0.2)) is None
    assert critical_models(replace(MARKET, churn=0.0), 1.0) == 0.0


def test_dearer_hosting_raises_the_critical_mass():
    cheap, dear = (fixed_point(replace(MARKET, hosting=hosting)) for hosting in (1.0, 3.0))
    assert cheap[0] < dear[0]


def test_no_start_is_refused():
    with pytest.raises(EconomicsError, match="at least one number"):
        take_off(MARKET, (), (1,))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "market.yaml"
    path.write_text("months: 6\nruns: 4\nparameters: {max_models: 60, models: 10, hosting: 2}\n")
    return str(path)


def test_the_command_prints_the_starts_and_the_critical_mass(file):
    result = CliRunner().invoke(main, ["economics", "take-off", file, "--users", "100,9000", "--models", "2,40"])
    assert result.exit_code == 0, result.output
    assert "critical mass: " in result.stdout
    assert "2 models" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--users", "0"], "at least one user"),
        (["--models", "10001"], "1 to 10,000 models"),
        (["--users", "20001"], "more than max_users"),
        (["--users", ",".join(["9"] * 101)], "1 to 100 starts"),
    ],
)
def test_a_wrong_start_is_one_sentence(file, arguments, words):
    result = CliRunner().invoke(main, ["economics", "take-off", file, *arguments])
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
