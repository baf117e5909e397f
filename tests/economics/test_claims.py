"""V6 and V7: the best interval is the best, against brute force, a simulation, and the precompile's own code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution_precompile.dict_host import DictHost
from rollup.economics import calls
from rollup.economics.claims import accrual, best_rule, cost_rate, simulate_threshold, worth_including
from rollup.economics.errors import EconomicsError
from rollup.economics.ledger import DryLedger
from rollup.economics.shape import Level

positive = st.floats(1e-6, 1e3)


@given(positive, positive, st.floats(1e-4, 1.0))
def test_v6_no_other_interval_costs_less(claim, income, holding):
    rule = best_rule(claim, income, holding)
    least = min(cost_rate(rule.interval * factor, claim, income, holding) for factor in np.linspace(0.2, 5, 97))
    assert rule.cost <= least * (1 + 1e-12)
    assert rule.cost == pytest.approx(cost_rate(rule.interval, claim, income, holding), rel=1e-9)
    assert rule.threshold == pytest.approx(income * rule.interval)


def test_v6_a_simulated_threshold_policy_costs_what_the_rule_says():
    claim, payment, per_month, holding = 0.05, 0.001, 400.0, 0.02
    rule = best_rule(claim, payment * per_month, holding)
    seeds = [np.random.SeedSequence(6, spawn_key=(run,)) for run in range(60)]
    costs, claims = simulate_threshold(
        rule.threshold, claim, payment, per_month, holding, months=120, steps_per_month=120, seeds=seeds
    )
    error = costs.std(ddof=1) / np.sqrt(costs.size)
    # A claim comes with the payment that passes the threshold, on average half a step's income late.
    late = payment * per_month / 120
    expected = cost_rate((rule.threshold + late) / (payment * per_month), claim, payment * per_month, holding)
    assert abs(costs.mean() - expected) < 3 * error + 0.01 * expected
    assert claims.mean() == pytest.approx(1 / rule.interval, rel=0.05)


def test_v6_a_threshold_twice_or_half_the_best_costs_more():
    claim, payment, per_month, holding = 0.05, 0.001, 400.0, 0.02
    best = best_rule(claim, payment * per_month, holding).threshold
    seeds = [np.random.SeedSequence(6, spawn_key=(run,)) for run in range(20)]
    costs = [
        simulate_threshold(
            best * factor, claim, payment, per_month, holding, months=120, steps_per_month=60, seeds=seeds
        )[0].mean()
        for factor in (0.5, 1.0, 2.0)
    ]
    assert costs[1] < min(costs[0], costs[2])


def test_v7_a_year_of_fifty_contributors_on_the_precompile_is_the_models():
    """Daily payments, claims at a threshold: the precompile's pools and credits against plain integers."""
    ledger, count, days, fee, threshold = DryLedger(500), 50, 365, 10**15 + 13, 3 * 10**14
    owner, payer = ledger.account("owner"), ledger.account("payer")
    people = [ledger.account(f"contributor {number}") for number in range(count)]
    datanet = ledger.send(owner, calls.create_datanet()).created
    for number, person in enumerate(people):
        ledger.send(owner, calls.contribute(datanet, person, number))
    model = ledger.send(owner, calls.register_model(Level(), [datanet], 0, owner, 0)).created
    host: DictHost = ledger._host
    accrued, claimed, claims = [0] * count, [0] * count, [0] * count
    remainder = acc = 0
    for day in range(days):
        ledger.send(payer, calls.infer(model, (1, 1)), fee)
        net = fee - fee * 500 // 10_000
        data = net - net * 3_000 // 10_000
        more, remainder = divmod((data << 64) + remainder, count)
        acc += more
        host.timestamp += 86_400
        for number, person in enumerate(people):
            if (acc - accrued[number]) >> 64 >= threshold * (1 + number % 3):
                before = host.balances[int.from_bytes(person.address, "big")]
                ledger.send(person, calls.claim([datanet], person))
                paid = host.balances[int.from_bytes(person.address, "big")] - before
                assert paid == (acc - accrued[number]) >> 64
                remainder += (acc - accrued[number]) & ((1 << 64) - 1)
                accrued[number], claimed[number], claims[number] = acc, claimed[number] + paid, claims[number] + 1
        assert day < days
    assert claims[0] > claims[1] > claims[2] > 0
    assert sum(claimed) <= days * fee


def test_accrual_and_what_a_claim_should_name():
    assert accrual(50, 0.05, 0.10, 0.60, 1.0, 0.01) == pytest.approx(0.0135)
    assert worth_including(np.array([0.1, 0.3]), 0.2).tolist() == [False, True]
    with pytest.raises(EconomicsError, match="above 0"):
        best_rule(0, 1, 1)
