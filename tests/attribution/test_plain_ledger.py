"""A6, at random: transfers, inferences, changes of units and claims in one transaction, against a plain ledger.

The ledger below has the money rules of docs/attribution.md in fractions: no accumulators, no words, no scaling. It
does not know where the fraction of a wei goes, so a pool's shares are compared to within a wei or two per step, and
everything else exactly.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attribution_precompile import ADDRESS, explain
from attribution_precompile.audit import owed_scaled

from . import bytecode, calls
from .harness import MODES, TREASURY, Evm
from .scene import PAYER

ROBOT, FRIEND, TUNER, ALICE, BOB = 0xB0B0, 0xF1E, 0x717, 0xA11, 0xB22
PEOPLE = (ROBOT, FRIEND, TUNER, ALICE, BOB, TREASURY)
MEMBERS = {1: (ROBOT, ALICE, BOB), 2: (ALICE,)}
UNITS = {(datanet, who): 3 + place for datanet, members in MEMBERS.items() for place, who in enumerate(members)}
H = bytes(32)
BPS = 500
FORTUNE = 10**24


@dataclass
class Model:
    owner: int
    split: tuple[int, int, int]
    weights: dict[int, int]
    base: int = 0


MODELS = {
    1: Model(ROBOT, (3_000, 0, 7_000), {1: 3, 2: 1}),
    2: Model(TUNER, (2_000, 1_000, 7_000), {2: 1}, base=1),
}


@dataclass
class PlainLedger:
    """Who has how much, in wei and fractions of it."""

    owed: defaultdict[int, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    pooled: defaultdict[tuple[int, int], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    units: dict[tuple[int, int], int] = field(default_factory=dict)

    def infer(self, model_id: int, fee: int) -> None:
        cut = fee * BPS // 10_000
        self.owed[TREASURY] += cut
        self.share(MODELS[model_id], fee - cut)

    def infer_directly(self, model_id: int, fee: int, influence: dict[tuple[int, int], int]) -> None:
        """An inference with an influence vector: (DataNet, member or 0 for its pool) with their weights."""
        cut = fee * BPS // 10_000
        self.owed[TREASURY] += cut
        model = MODELS[model_id]
        net = fee - cut
        owner_cut = net * model.split[0] // 10_000
        self.owed[model.owner] += owner_cut
        left = data = net - owner_cut
        *others, last = sorted(influence)
        for key in others:
            amount = data * influence[key] // sum(influence.values())
            left -= amount
            self.direct(key, amount, model.owner)
        self.direct(last, left, model.owner)

    def direct(self, key: tuple[int, int], amount: int, owner: int) -> None:
        datanet, who = key
        if who:
            self.owed[who] += amount
        else:
            self.pool(datanet, amount, owner)

    def share(self, model: Model, net: int) -> None:
        owner_cut, lineage_cut = (net * bps // 10_000 for bps in model.split[:2])
        self.owed[model.owner] += owner_cut
        left = data = net - owner_cut - lineage_cut
        total = sum(model.weights.values())
        *others, last = model.weights
        for datanet in others:
            amount = data * model.weights[datanet] // total
            left -= amount
            self.pool(datanet, amount, model.owner)
        self.pool(last, left, model.owner)
        if lineage_cut:
            self.share(MODELS[model.base], lineage_cut)

    def pool(self, datanet: int, amount: int, owner: int) -> None:
        units = {who: count for (where, who), count in self.units.items() if where == datanet and count}
        if not units:
            self.owed[owner] += amount
        for who, count in units.items():
            self.pooled[datanet, who] += Fraction(amount * count, sum(units.values()))

    def settle(self, datanet: int, who: int) -> None:
        self.owed[who] += self.pooled.pop((datanet, who), Fraction(0))

    def total(self, who: int) -> Fraction:
        return self.owed[who] + sum(self.pooled[datanet, who] for datanet in MEMBERS)


Step = tuple[str, object, int]
fees = st.one_of(st.integers(1, 5_000), st.integers(1, 10**20))
entries = st.sampled_from([(1, 0), (1, ROBOT), (1, ALICE), (1, BOB), (2, 0), (2, ALICE)])
vectors = st.dictionaries(entries, st.one_of(st.integers(1, 9), st.integers(1, 2**32 - 1)), min_size=1)
step = st.one_of(
    st.tuples(st.just("batch"), vectors, fees),
    st.tuples(st.just("infer"), st.integers(1, 2), fees),
    st.tuples(st.just("infer"), st.integers(1, 2), fees),
    st.tuples(st.just("units"), st.sampled_from([(1, ROBOT), (1, ALICE), (1, BOB), (2, ALICE)]), st.integers(0, 9)),
    st.tuples(st.just("harvest"), st.sampled_from([(1, ROBOT), (1, ALICE), (2, ALICE)]), st.just(0)),
    st.tuples(st.just("claim"), st.just(0), st.just(0)),
    st.tuples(st.just("transfer"), st.just(0), st.integers(0, 10**6)),
)


@cache
def world(mode: str) -> Evm:
    evm = Evm(mode, BPS)
    for account in (ROBOT, PAYER):
        evm.fund(account, FORTUNE)
    for datanet, members in MEMBERS.items():
        assert evm.call(calls.call("createDatanet", H), caller=ROBOT).success
        rows = [(calls.hexed(who), UNITS[datanet, who], bytes([place]) * 32) for place, who in enumerate(members)]
        assert evm.call(calls.call("contribute", datanet, rows), caller=ROBOT).success
    for model in MODELS.values():
        weights = list(model.weights.items())
        params = calls.model_params(weights, split=model.split, base=model.base, price=(1, 0, 0))
        assert evm.call(calls.call("registerModel", params), caller=model.owner).success
    return evm


def play(
    ledger: PlainLedger, steps: list[tuple[str, object, int]]
) -> tuple[list[tuple[int, int, bytes]], int, Fraction]:
    """The script of calls for the steps the ledger takes; wei sent to the friend, and claimed for them."""
    script: list[tuple[int, int, bytes]] = []
    sent, claimed = 0, Fraction(0)
    for kind, what, number in steps:
        if kind == "infer":
            assert isinstance(what, int)
            ledger.infer(what, number)
            script.append((ADDRESS, number, calls.call("infer", what, 0, 0, H, H)))
        elif kind == "batch":
            assert isinstance(what, dict)
            given = {key: weight for key, weight in what.items() if not key[1] or ledger.units[key]} or {(1, 0): 1}
            ledger.infer_directly(1, number, given)
            words = [calls.influence_word(datanet, given[datanet, who], who) for datanet, who in sorted(given)]
            script.append((ADDRESS, number, calls.call("inferBatch", 1, 1, 0, 0, H, words)))
        elif kind == "transfer":
            sent += number
            script.append((FRIEND, number, b""))
        elif kind == "claim":
            # Less might be less than a wei, and nothing to claim.
            if ledger.owed[ROBOT] + ledger.pooled[1, ROBOT] > 100:
                ledger.settle(1, ROBOT)
                claimed += ledger.owed.pop(ROBOT)
                script.append((ADDRESS, 0, calls.call("claim", [1, 2], calls.hexed(FRIEND))))
        else:
            assert isinstance(what, tuple)
            datanet, who = what
            ledger.settle(datanet, who)
            if kind == "units":
                ledger.units[datanet, who] = number
                script.append((ADDRESS, 0, calls.call("setUnits", datanet, calls.hexed(who), number)))
            else:
                script.append((ADDRESS, 0, calls.call("harvest", [datanet], calls.hexed(who))))
    return script, sent, claimed


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(step, min_size=1, max_size=20))
def test_a06_one_transaction_against_a_plain_ledger(mode: str, steps: list[Step]) -> None:
    evm, ledger = world(mode).copy(), PlainLedger(units=dict(UNITS))
    script, sent, claimed = play(ledger, steps)
    evm.deploy(ROBOT, bytecode.script(script))
    result = evm.call(b"", caller=PAYER, to=ROBOT, gas=30_000_000)
    assert result.success, explain(result.output)
    dust = 2 * len(steps) + 1
    paid_out = evm.balance(FRIEND) - sent
    assert abs(paid_out - claimed) <= dust
    fees = sum(number for kind, _, number in steps if kind in ("infer", "batch"))
    assert evm.balance(ROBOT) == FORTUNE - fees - sent
    assert evm.balance(ADDRESS) == fees - paid_out
    assert owed_scaled(evm.storage, PEOPLE) == evm.balance(ADDRESS) << 64
    for who in PEOPLE:
        answer = evm.call(calls.call("claimable", calls.hexed(who), [1, 2]), caller=1).output
        assert abs(calls.result("claimable", answer) - ledger.total(who)) <= dust, who
    for who in (TREASURY, TUNER):
        # Members of nothing: to the wei.
        answer = evm.call(calls.call("claimable", calls.hexed(who), []), caller=1).output
        assert calls.result("claimable", answer) == ledger.total(who)
