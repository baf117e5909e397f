"""The use that a chain has seen: sums, rates and the Zipf exponent of its models."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.economics.demand import zipf_weights
from rollup.economics.errors import EconomicsError
from rollup.economics.market import Market
from rollup.economics.observed import Seen, summary, zipf_exponent
from rollup.economics.units import MONTH_SECONDS


def seen(model, payer, time, count=1, fee=100, transaction=None):
    return Seen(
        model, payer, count, fee * count, 60_000 + time, 7, time, time, transaction or f"0x{model}{payer}{time}"
    )


def test_rates_are_those_of_the_time_between_the_first_and_the_last():
    found = summary([seen(1, "a", 0), seen(1, "b", MONTH_SECONDS // 2, count=3), seen(2, "a", MONTH_SECONDS // 4)])
    assert (found.inferences, found.payers, found.seconds) == (5, 2, MONTH_SECONDS // 2)
    assert found.per_month == pytest.approx(10)
    assert [(use.model, use.inferences, use.records, use.payers) for use in found.models] == [
        (1, 4, 2, 2),
        (2, 1, 1, 1),
    ]
    assert found.models[0].gas == (60_000, 60_000 + MONTH_SECONDS // 2, 60_000 + MONTH_SECONDS // 2)
    assert found.fees == sum(use.fees for use in found.models) == 500


def test_a_transaction_with_two_records_costs_its_gas_once():
    assert summary([seen(1, "a", 0, transaction="0x1"), seen(2, "a", 9, transaction="0x1")]).costs == 7


def test_observed_use_becomes_a_market():
    found = summary([seen(model, "a", time, fee=10**16) for model in (1, 2) for time in (0, 60)])
    market = Market().with_values(found.market())
    assert market.fee == 0.01
    assert market.users * market.queries_per_user == pytest.approx(found.per_month)
    assert found.zipf is None


@pytest.mark.parametrize("items", [[], [seen(1, "a", 5)], [seen(1, "a", 5), seen(1, "b", 5)]])
def test_a_single_moment_has_no_rate(items):
    with pytest.raises(EconomicsError, match="no rate can be computed"):
        summary(items)


@given(st.floats(0.0, 3.0), st.integers(3, 200))
def test_the_exponent_of_exact_zipf_counts_is_found(exponent, models):
    assert zipf_exponent(zipf_weights(models, exponent)) == pytest.approx(exponent, abs=1e-3)


def test_the_exponent_of_drawn_counts_is_near():
    counts = np.random.default_rng(5).multinomial(50_000, zipf_weights(100, 1.1))
    assert zipf_exponent(counts.tolist()) == pytest.approx(1.1, abs=0.03)
