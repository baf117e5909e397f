"""V3, V4, V5 and V19: shares sum to what was paid, and break-even is where the owner's net turns, to the wei."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attribution_precompile.dict_host import DictHost
from attribution_precompile.layout import CREDITS, mapping_slot
from rollup.economics import calls
from rollup.economics.breakeven import (
    Costs,
    breakeven_fee,
    breakeven_queries,
    fee_for_gas_share,
    month,
    owner_net,
)
from rollup.economics.builder import Model, Wishes, answer
from rollup.economics.errors import EconomicsError
from rollup.economics.fees import Cost, cost, gas_share, outlay_shares
from rollup.economics.ledger import DryLedger
from rollup.economics.measure import build_scene
from rollup.economics.prices import PRESETS, Prices
from rollup.economics.profile import GasProfile
from rollup.economics.route import Route, routes
from rollup.economics.shape import Level, Shape
from rollup.economics.split import all_credits, datanet_parts, split
from rollup.economics.units import usd_of_wei, wei_of_usd

# A busy machine makes data slowly: that does not make the test fail.
patient = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def levels(draw, is_last, most):
    owner = draw(st.integers(0, 10_000))
    lineage = 0 if is_last else draw(st.integers(0, 10_000 - owner))
    weights = draw(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=most).filter(any))
    return Level(owner, lineage, 10_000 - owner - lineage, tuple(weights))


@st.composite
def shapes(draw, most=3):
    depth = draw(st.integers(1, 5))
    return Shape(tuple(draw(levels(place == depth - 1, most)) for place in range(depth)), draw(st.integers(0, 3_000)))


@patient
@given(st.integers(0, 2**128 - 1), shapes(32))
def test_v4_all_credits_sum_to_the_fee(fee, shape):
    credits = all_credits(fee, shape)
    assert sum(credits) == fee
    assert min(credits) >= 0
    parts = split(fee, shape)
    assert parts.platform + parts.owner + parts.lineage + parts.data == fee
    assert sum(datanet_parts(parts.data, shape.model)) == parts.data


def test_v4_the_split_is_the_precompiles_own():
    shape = Shape((Level(1_111, 2_222, 6_667, (3, 5, 7)), Level(2_500, 0, 7_500, (1, 1))), 437)
    ledger = DryLedger(shape.platform_bps)
    scene = build_scene(ledger, shape, "split")
    fee = 10**12 + 7
    host: DictHost = ledger._host
    slot = mapping_slot(int.from_bytes(scene.owner.address, "big"), CREDITS)
    ledger.send(scene.payer, calls.infer(scene.model, (1, 1)), fee)
    credits = all_credits(fee, shape)
    # The owner is that of the ancestor too: its credits are the second, and the one after three DataNets.
    assert host.storage[slot] == credits[1] + credits[5]
    assert credits[1] == split(fee, shape).owner


@st.composite
def cases(draw):
    wei = st.integers(0, 10**18)
    count = draw(st.sampled_from([1, 7, 50]))
    route = Route(
        "any",
        Cost(draw(wei), draw(wei), draw(wei)),
        Cost(draw(st.integers(0, 10**15)), 0, 0),
        1,
        1,
        count,
        "",
    )
    costs = Costs(draw(st.integers(0, 10**21)), draw(wei), draw(wei), draw(st.integers(0, 10**15)))
    return draw(shapes()), route, costs, draw(st.integers(1, 10**6))


@patient
@given(cases())
def test_v5_at_the_break_even_fee_the_owner_loses_nothing_and_a_wei_below_it_does(case):
    shape, route, costs, queries = case
    fee = breakeven_fee(queries, shape, route, costs)
    if fee is None:
        assert shape.model.owner_bps < 10_000  # only an owner without a share, or one of dust, can have none
        return
    assert owner_net(fee, queries, shape, route, costs) >= 0
    assert fee == 0 or owner_net(fee - 1, queries, shape, route, costs) < 0


@patient
@given(cases(), st.integers(0, 10**18))
def test_v5_at_the_break_even_volume_the_owner_loses_nothing_and_with_a_query_less_does(case, fee):
    shape, route, costs, _ = case
    queries = breakeven_queries(fee, shape, route, costs)
    if queries is None:
        assert owner_net(fee, route.count * 10**6, shape, route, costs) < 0
        return
    assert owner_net(fee, queries, shape, route, costs) >= 0
    assert queries == 0 or owner_net(fee, queries - 1, shape, route, costs) < 0


@patient
@given(cases(), st.integers(0, 10**18), st.integers(1, 10**18))
def test_v19_a_higher_cost_never_raises_the_owners_net(case, fee, more):
    shape, route, costs, queries = case
    net = owner_net(fee, queries, shape, route, costs)
    dearer = Route("any", route.payer, route.attributor + Cost(more, 0, 0), 1, 1, route.count, "")
    assert owner_net(fee, queries, shape, dearer, costs) < net
    for name in ("hosting", "income", "claims", "per_query"):
        values = {field: getattr(costs, field) for field in ("hosting", "income", "claims", "per_query")}
        assert owner_net(fee, queries, shape, route, Costs(**values | {name: values[name] + more})) < net


@patient
@given(st.integers(0, 10**20), st.integers(1, 9_999))
def test_the_fee_for_a_gas_share_is_the_least_one(gas, share):
    fee = fee_for_gas_share(gas, share)
    assert gas * 10_000 <= share * (fee + gas)
    assert fee == 0 or gas * 10_000 > share * (fee - 1 + gas)


@given(st.integers(0, 10**24), st.integers(0, 10**22), st.integers(0, 10**22), st.integers(0, 10**22))
def test_v3_the_parts_of_the_outlay_sum_to_the_share_of_gas(fee, execution, data, operator):
    parts = outlay_shares(Cost(execution, data, operator), fee)
    whole = execution + data + operator
    assert sum(parts) == (Fraction(whole, fee + whole) if fee + whole else 0)
    assert float(sum(parts)) == gas_share(whole, fee)


@pytest.mark.parametrize("name", PRESETS)
def test_v3_execution_data_and_operator_are_the_whole_cost(name):
    for route in routes(GasProfile.packaged(), 4, Prices.preset(name)):
        whole = route.cost
        assert whole.execution + whole.l1 + whole.operator == whole.total
        assert route.payer.total + route.attributor.total == whole.total


def test_v3_the_operator_fee_follows_the_fork():
    from dataclasses import replace

    from rollup.protocol.forks import Fork

    base = Prices.preset("local")
    prices = replace(base, l1=replace(base.l1, operator_fee_scalar=7, operator_fee_constant=11))
    assert cost(1_000, 10**8, prices).operator == 1_000 * 7 * 100 + 11
    assert cost(1_000, 10**8, replace(prices, fork=Fork.ISTHMUS)).operator == 1_000 * 7 // 10**6 + 11
    with pytest.raises(EconomicsError, match="before Fjord"):
        cost(1_000, 10**8, replace(prices, fork=Fork.BEDROCK))


def test_a_month_in_batches_is_split_batch_by_batch():
    shape = Shape()
    route = Route("batch", Cost(0, 0, 0), Cost(1, 0, 0), 1, 1, 50, "")
    assert month(13, 120, shape, route) == split(650, shape) + split(650, shape) + split(260, shape)
    assert owner_net(13, 120, shape, route, Costs()) == month(13, 120, shape, route).owner - 3


def test_the_hand_worked_table_of_fifty_queries():
    """0.0125 OPEN a query, 5 % platform, 30 % owner: 0.625 OPEN of fees, 0.178125 for the owner."""
    found = answer(Model("m", Shape(), 125 * 10**14, ""), Prices.preset("local"), (50, 50_000))
    fifty, many = found.months
    assert fifty.shares.fee == 625 * 10**15
    assert fifty.shares.owner == 178_125 * 10**12
    assert fifty.shares.platform == 31_250 * 10**12
    assert many.shares.owner == 178_125 * 10**15
    assert many.cheapest.route.name == "inferBatch once a month"
    assert many.cheapest.route.gas < 65_000  # fifty thousand queries in one transaction


def test_dollars_become_wei_rounded_up():
    assert wei_of_usd(Fraction(2), Fraction(1, 5)) == 10 * 10**18
    assert wei_of_usd(Fraction(1, 3), Fraction(1)) == (10**18 + 2) // 3
    assert usd_of_wei(10**18, Fraction(1, 5)) == Fraction(1, 5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Level(5_000, 0, 6_000), "an impossible split"),
        (lambda: Shape((Level(0, 1_000, 9_000),)), "no base model"),
        (lambda: Shape(platform_bps=3_001), "the platform's share"),
        (lambda: Level(weights=()), "1 to 32 DataNets"),
        (lambda: Level(weights=(0,)), "not all 0"),
        (lambda: Wishes(hosting=Fraction(-1)), "at least 0"),
        (lambda: Wishes(open_usd=Fraction(0)), "above 0 dollars"),
        (lambda: Prices.preset("cheap"), "no prices are called 'cheap'"),
        (lambda: Prices("x", -1, Prices.preset("local").l1, ""), "is negative"),
        (lambda: answer(Model("m", Shape(), 1, ""), Prices.preset("local"), (0,)), "queries per month"),
    ],
)
def test_an_impossible_input_is_one_sentence(make, words):
    with pytest.raises(EconomicsError, match=words):
        make()


def test_the_blob_scalar_does_not_hold_fifteen_thousand_open_per_ether():
    prices = Prices.preset("local")
    assert prices.scalars_with(15_000) is None
    assert prices.scalars_with(5_000) == (1_368 * 5_000, 810_949 * 5_000)
