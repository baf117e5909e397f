"""Every number of an answer with its unit and its source, one per row, as --json and --csv show them."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from typing import Final

from rollup.economics.builder import GAS_SHARE_BPS, Answer, Month, RouteMonth
from rollup.economics.fees import gas_share, outlay_shares
from rollup.economics.route import Route
from rollup.economics.units import open_text

SPLIT_SOURCE: Final = "docs/attribution.md, An inference, step by step"
FEE_SOURCE: Final = "specs fjord, isthmus, jovian exec-engine"


@dataclass(slots=True, frozen=True)
class Fact:
    """One number: the table it is of, queries per month and route where it depends on them, its value and unit, where
    it comes from, and whether that is an assumption."""

    table: str
    queries: str
    route: str
    quantity: str
    value: str
    unit: str
    source: str
    assumption: bool = False


def facts(answer: Answer) -> list[Fact]:
    """All numbers of an answer, the inputs first.

    >>> from rollup.economics import Model, Prices, Shape, answer
    >>> found = answer(Model("notes", Shape(), 125 * 10**14, "an example"), Prices.preset("local"), (50,))
    >>> facts(found)[0].table
    'inputs'
    """
    return [
        *_inputs(answer),
        *(fact for route in answer.routes for fact in _route_facts(answer, route)),
        *(fact for month in answer.months for fact in _month_facts(answer, month)),
    ]


def csv_text(rows: Iterable[Fact]) -> str:
    """The facts as CSV with a header.

    >>> csv_text([Fact("inputs", "", "", "fee", "1", "OPEN", "an example", False)]).splitlines()[1]
    'inputs,,,fee,1,OPEN,an example,False'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Fact))
    writer.writerows(astuple(row) for row in rows)
    return text.getvalue()


def _inputs(answer: Answer) -> Iterator[Fact]:
    prices, wishes, shape = answer.prices, answer.wishes, answer.model.shape

    def fact(quantity: str, value: object, unit: str, source: str, assumption: bool = False) -> Fact:
        return Fact("inputs", "", "", quantity, str(value), unit, source, assumption)

    yield fact("fee", answer.model.fee, "wei per query", answer.model.fee_source, answer.model.is_fee_assumption)
    yield fact("platform share", shape.platform_bps, "basis points of the fee", "the chain's platform setting")
    for name, value in (
        ("owner share", shape.model.owner_bps),
        ("lineage share", shape.model.lineage_bps),
        ("data share", shape.model.data_bps),
    ):
        yield fact(name, value, "basis points of the rest", "the model's split")
    yield fact("DataNets", shape.model.entries, "count", "the model")
    yield fact("gas price", prices.gas, "wei per gas", prices.source, prices.is_assumption)
    yield fact("L1 base fee", prices.l1.base_fee, "wei per gas", prices.source, prices.is_assumption)
    yield fact("L1 blob base fee", prices.l1.blob_base_fee, "wei per gas", prices.source, prices.is_assumption)
    scalars = "op-deployer, state/deploy_config.go" if prices.is_assumption else prices.source
    yield fact("base fee scalar", prices.l1.base_fee_scalar, "1e-6", scalars)
    yield fact("blob base fee scalar", prices.l1.blob_base_fee_scalar, "1e-6", scalars)
    yield fact("operator fee scalar", prices.l1.operator_fee_scalar, "by fork", prices.source, prices.is_assumption)
    yield fact("operator fee constant", prices.l1.operator_fee_constant, "wei", prices.source, prices.is_assumption)
    yield fact("OPEN in dollars", float(wishes.open_usd), "$ per OPEN", "scenario, not a forecast", True)
    yield fact("hosting", float(wishes.hosting), "$ per month", "the owner's own number", True)
    yield fact("compute", float(wishes.per_query), "$ per query", "the owner's own number", True)
    yield fact("income wanted", float(wishes.income), "$ per month", "the owner's own number", True)
    yield fact("claims", wishes.claims, "per month", "the owner's own number", True)
    yield fact("tokens in", answer.tokens[0], "per query", "assumption or --tokens", True)
    yield fact("tokens out", answer.tokens[1], "per query", "assumption or --tokens", True)


def _route_facts(answer: Answer, route: Route) -> Iterator[Fact]:
    cost = route.cost
    priced = f"{route.source}; priced by {answer.prices.source} ({FEE_SOURCE})"
    fee = route.count * answer.model.fee
    share = gas_share(cost.total, fee)
    execution, data, operator = outlay_shares(cost, fee)
    for quantity, value, unit, source in (
        ("gas", route.gas, "gas per transaction", route.source),
        ("gas, first use", route.first, "gas per transaction", route.source),
        ("inferences", route.count, "per transaction", route.source),
        ("execution", cost.execution, "wei per transaction", priced),
        ("L1 data", cost.l1, "wei per transaction", priced),
        ("operator fee", cost.operator, "wei per transaction", priced),
        ("share of the outlay", f"{share:.9f}", "1", priced),
        ("execution, of the outlay", f"{float(execution):.9f}", "1", priced),
        ("L1 data, of the outlay", f"{float(data):.9f}", "1", priced),
        ("operator fee, of the outlay", f"{float(operator):.9f}", "1", priced),
        (f"fee for gas of {GAS_SHARE_BPS / 100:g} %", answer.fee_for_gas_share(route), "wei per query", priced),
    ):
        yield Fact("routes", "", route.name, quantity, str(value), unit, source, answer.prices.is_assumption)


def _month_facts(answer: Answer, month: Month) -> Iterator[Fact]:
    shares, queries = month.shares, str(month.queries)
    for quantity, value in (
        ("fees", shares.fee),
        ("platform", shares.platform),
        ("owner", shares.owner),
        ("lineage", shares.lineage),
        ("contributors", shares.data),
    ):
        yield Fact("month", queries, "", quantity, str(value), "wei per month", SPLIT_SOURCE, False)
    for item in month.routes:
        yield from _route_month_facts(answer, queries, item)


def _route_month_facts(answer: Answer, queries: str, item: RouteMonth) -> Iterator[Fact]:
    source = f"{item.route.source}; {SPLIT_SOURCE}; the owner's own costs"
    for quantity, value, unit in (
        ("gas of payers", item.payer, "wei per month"),
        ("gas of the attributor", item.attributor, "wei per month"),
        ("owner's net", item.owner_net, "wei per month"),
        ("break-even fee", item.breakeven_fee, "wei per query"),
        ("break-even queries", item.breakeven_queries, "per month"),
    ):
        text = "none" if value is None else str(value)
        yield Fact("break-even", queries, item.route.name, quantity, text, unit, source, True)


def conclusion(answer: Answer) -> str:
    """The answer in one sentence, for the smallest number of queries.

    >>> from rollup.economics import Model, Prices, Shape, answer
    >>> conclusion(answer(Model("notes", Shape(), 125 * 10**14, "an example"), Prices.preset("local"), (50,)))
    'At 0.0125 OPEN per query and 50 queries per month the model ...
    """
    month = min(answer.months, key=lambda item: item.queries)
    best = max(month.routes, key=lambda item: item.owner_net)
    single, cheapest = month.of("infer"), month.cheapest
    net = best.owner_net
    state = f"is left with {_short(net)} OPEN" if net >= 0 else f"loses {_short(-net)} OPEN"
    verdict = "pays" if net >= 0 else "does not pay"
    return (
        f"At {open_text(answer.model.fee)} OPEN per query and {month.queries:,} queries per month the model {verdict}: "
        f"its owner gets {_short(month.shares.owner)} OPEN and {state} after costs; {_from(answer, best)}; "
        f"gas takes {_percent(single.gas, month.shares.fee)} of what users pay by infer, and "
        f"{_percent(cheapest.gas, month.shares.fee)} by the cheapest route, {cheapest.route.name}."
    )


def _from(answer: Answer, best: RouteMonth) -> str:
    if best.breakeven_queries is None:
        by_queries = "no number of queries pays at this fee"
    else:
        by_queries = f"it pays from {best.breakeven_queries:,} queries per month at this fee"
    if best.breakeven_fee is None:
        return f"{by_queries}, and no fee pays at this volume"
    return f"{by_queries}, or from {_short(best.breakeven_fee)} OPEN per query at this volume"


def _short(wei: int) -> str:
    """Four significant digits are enough for a sentence."""
    value = wei / 10**18
    return f"{value:,.0f}" if value >= 10_000 else f"{value:.4g}"


def _percent(gas: int, fee: int) -> str:
    return f"{100 * gas_share(gas, fee):.2g} %"
