"""V6 and V7: the best interval is the best, against brute force, a simulation, and the precompile's own code."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution_precompile import ADDRESS_BYTES
from attribution_precompile.dict_host import DictHost
from openrollup import Chain
from rollup.economics import calls
from rollup.economics.claims import accrual, best_rule, cost_rate, simulate_threshold, worth_including
from rollup.economics.errors import EconomicsError
from rollup.economics.ledger import DryLedger, account_of
from rollup.economics.profile import GasProfile
from rollup.economics.shape import Level
from rollup.economics.units import GWEI, WEI
from rollup.protocol.accounts import USERS
from rollup.protocol.call import Call

positive = st.floats(1e-6, 1e3)
DAY = 86_400  # seconds


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
        ledger.send(owner, calls.contribute(datanet, [(int.from_bytes(person.address, "big"), 1, number)]))
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


@pytest.mark.slow
def test_v7_a_year_of_fifty_contributors_on_a_chain_is_the_rules():
    """A chain whose blocks are days: an inference per day, and every account that has reached the rule's threshold
    claims.
    """
    fee, days, units = 10**18, 365, range(1, 51)
    people = [account_of(b"contributor %d" % number) for number in units]
    with Chain(l1_block_time=DAY, l2_block_time=DAY, da="none", proposer=False) as chain:
        day = Day(chain)
        day.call(USERS[0], calls.create_datanet())
        for number, person in zip(units, people, strict=True):
            row = (int.from_bytes(person.address, "big"), number, number)
            day.call(USERS[0], calls.contribute(1, [row]))
            day.send(USERS[1], Call(person.address, 10**18))
        day.call(USERS[0], calls.register_model(Level(), [1], 0, USERS[0], 0))
        day.end()
        incomes = [accrual(30, 1.0, 0.05, 0.70, 1.0, number / sum(units)) for number in units]  # per month of 30 days
        claim = GasProfile.packaged().row("claim", 1)
        cost = chain.l2.base_fee * claim.gas / WEI
        holding = 2 * cost / (incomes[0] * 3**2)  # the contributor with the least claims every three months
        rules = [best_rule(cost, income, holding) for income in incomes]
        paid, claims = [0] * len(people), [[] for _ in people]
        for today in range(1, days + 1):
            day.call(USERS[2 + today % 8], calls.infer(1, (1, 1)), fee)
            claiming = [n for n, person in enumerate(people) if day.claimable(person) >= rules[n].threshold * WEI]
            sent = {number: day.call(people[number], calls.claim([1], people[number])) for number in claiming}
            day.end()
            for number, tx_hash in sent.items():
                receipt = chain.call("eth_getTransactionReceipt", tx_hash)
                paid[number] += int(receipt["logs"][-1]["data"][2:66], 16)
                claims[number].append((today, int(receipt["gasUsed"], 16)))
            for number, person in enumerate(people):
                exact = today * fee * 95 // 100 * 70 // 100 * units[number] // sum(units)
                # Each day and each claim rounds by less than a wei, and a claim leaves its rest to all.
                assert abs(exact - paid[number] - day.claimable(person)) <= today + sum(map(len, claims))
        assert chain.audit()["isConserved"]
    for rule, claimed in zip(rules, claims, strict=True):
        on, gas = zip(*claimed, strict=True)
        assert set(gas[1:]) == {claim.gas}
        # In whole days, and a claim is in the block of the day after: never early, two days late at most.
        assert 0 <= np.diff(on).mean() - 30 * rule.interval <= 2


class Day:
    """Transactions of one day of a chain whose blocks are days."""

    def __init__(self, chain):
        self.chain, self.nonces = chain, Counter()

    def call(self, account, data, value=0):
        return self.send(account, Call(ADDRESS_BYTES, value, data, 1_000_000))

    def send(self, account, call):
        signed = call.signed(account.private_key, self.nonces[account.address], 901, 4 * GWEI, 1)
        self.nonces[account.address] += 1
        self.chain.node.l2.pool.add(signed.encode())
        return "0x" + signed.hash.hex()

    def end(self):
        self.chain.l2.build()
        assert not sum(self.chain.node.l2.pool.counts())

    def claimable(self, account):
        data = calls.call("claimable", int.from_bytes(account.address, "big"), 64, 1, 1)
        query = {"to": "0x" + ADDRESS_BYTES.hex(), "data": "0x" + data.hex()}
        return int(self.chain.call("eth_call", query, "latest"), 16)


def test_accrual_and_what_a_claim_should_name():
    assert accrual(50, 0.05, 0.10, 0.60, 1.0, 0.01) == pytest.approx(0.0135)
    assert worth_including(np.array([0.1, 0.3]), 0.2).tolist() == [False, True]
    with pytest.raises(EconomicsError, match="above 0"):
        best_rule(0, 1, 1)
