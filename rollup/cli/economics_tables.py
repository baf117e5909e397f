"""An answer of the economics on the terminal: five tables, the assumptions, one sentence."""

from typing import Final

from rich.console import Console
from rich.markup import escape

from rollup.cli.columns import print_columns
from rollup.economics.builder import Answer, Month
from rollup.economics.facts import FEE_SOURCE, SPLIT_SOURCE, conclusion
from rollup.economics.fees import Cost, gas_share
from rollup.economics.prices import PRESETS, Prices
from rollup.economics.route import Route, routes
from rollup.economics.units import open_float, usd_of_wei, usd_text

_DIGITS: Final = 6


def show_answer(console: Console, answer: Answer) -> None:
    """Prints everything."""
    shape = answer.model.shape
    split = shape.model
    console.print(f"[bold]Does it pay?[/] {escape(answer.model.name)}", highlight=False)
    console.print(
        f"  {_open(answer.model.fee)} OPEN per query ({answer.model.fee_source}); the platform takes "
        f"{shape.platform_bps / 100:g} %, of the rest owner {split.owner_bps / 100:g} %, "
        f"lineage {split.lineage_bps / 100:g} %, contributors {split.data_bps / 100:g} %\n",
        markup=False,
    )
    _months(console, answer)
    _routes(console, answer)
    _scenarios(console, answer)
    for month in answer.months:
        _breakeven(console, answer, month)
    _assumptions(console, answer)
    console.print(f"\n[bold]{conclusion(answer)}[/]")


def _months(console: Console, answer: Answer) -> None:
    _title(console, "Who gets what in a month, in OPEN", f"exact; {SPLIT_SOURCE}")
    rows = []
    for month in answer.months:
        shares = month.shares
        dollars = usd_text(usd_of_wei(shares.owner, answer.wishes.open_usd))
        parts = (shares.fee, shares.platform, shares.owner, shares.lineage, shares.data)
        rows.append([f"{month.queries:,}", *map(_open, parts), f"{dollars}*"])
    header = ("queries", "fees", "platform", "owner", "lineage", "contributors", "owner, in $")
    print_columns(console, rows, header=header, right=range(len(header)))
    console.print()


def _routes(console: Console, answer: Answer) -> None:
    mark = "*" if answer.prices.is_assumption else ""
    _title(
        console,
        "Gas per inference by route, in OPEN",
        f"gas: {answer.profile.source}; prices: {answer.prices.source}{mark}; formula: {FEE_SOURCE}",
    )
    rows = []
    for route in answer.routes:
        per = _per_inference(route)
        share = gas_share(route.cost.total, route.count * answer.model.fee)
        rows.append(
            [
                route.name,
                f"{route.gas:,}",
                f"{route.first:,}",
                *(f"{part:.3g}" for part in per),
                f"{100 * share:.3g} %",
                f"{open_float(answer.fee_for_gas_share(route)):.3g}",
            ]
        )
    priced = ("L2 gas", "L1 data", "operator", "all", "share", "5 % fee")
    header = ("route", "gas", "first use", *(name + mark for name in priced))
    print_columns(console, rows, header=header, right=range(1, len(header)))
    console.print(
        "  gas: per transaction. share: of fee and gas together. 5 % fee: the fee of which gas takes 5 %.\n",
        markup=False,
    )


def _per_inference(route: Route) -> tuple[float, ...]:
    whole: Cost = route.cost
    parts = (whole.execution, whole.l1, whole.operator, whole.total)
    return tuple(open_float(part) / route.count for part in parts)


def _scenarios(console: Console, answer: Answer) -> None:
    _title(console, "Gas as a share of the outlay, by prices", "the same gas at other prices; scenarios, no forecast")
    known: dict[str, Prices] = {**PRESETS}
    if answer.prices.name not in known or answer.prices is not known[answer.prices.name]:
        known = {f"{answer.prices.name}, as above": answer.prices, **known}
    rows, sources = [], []
    for name, prices in known.items():
        mark = "*" if prices.is_assumption else ""
        found = routes(answer.profile, answer.model.shape.model.entries, prices)
        shares = [gas_share(route.cost.total, route.count * answer.model.fee) for route in found]
        rows.append([name + mark, *(f"{100 * share:.3g} %" for share in shares)])
        sources.append(f"  {name}{mark}: {prices.source}")
    header = ("prices", *(route.name for route in answer.routes))
    print_columns(console, rows, header=header, right=range(1, len(header)))
    console.print("\n".join(sources), end="\n\n", markup=False, highlight=False)


def _breakeven(console: Console, answer: Answer, month: Month) -> None:
    wishes = answer.wishes
    _title(
        console,
        f"From when it pays, at {month.queries:,} queries per month",
        f"costs: hosting {usd_text(wishes.hosting)}*, compute {usd_text(wishes.per_query)}* per query, "
        f"income wanted {usd_text(wishes.income)}*, {wishes.claims} claim; at {usd_text(wishes.open_usd)}* per OPEN; "
        "gas and net in OPEN per month",
    )
    rows = []
    for item in month.routes:
        fee, queries = item.breakeven_fee, item.breakeven_queries
        rows.append(
            [
                item.route.name,
                _open(item.payer),
                _open(item.attributor),
                _open(item.owner_net),
                "none" if fee is None else _open(fee),
                "none" if fee is None else usd_text(usd_of_wei(fee, wishes.open_usd)),
                "none" if queries is None else f"{queries:,}",
            ]
        )
    header = ("route", "payers", "attributor", "owner net*", "fee from*", "in $*", "queries from*")
    print_columns(console, rows, header=header, right=range(1, len(header)))
    console.print()


def _assumptions(console: Console, answer: Answer) -> None:
    console.print("* An assumption or a scenario of yours. All else is measured, computed, or read from the chain.")
    console.print(f"  {answer.tokens[0]:,} tokens in and {answer.tokens[1]:,} out per query.*")
    if len(answer.model.shape.levels) > 1:
        console.print(f"  The fee passes {len(answer.model.shape.levels) - 1} ancestors.")


def _title(console: Console, title: str, source: str) -> None:
    console.print(f"[bold]{title}[/] ({source})", highlight=False)


def _open(wei: int) -> str:
    """Six significant digits: --json and --csv have all of them."""
    return f"{open_float(wei):,.{_DIGITS}g}" if abs(wei) < 10**24 else f"{open_float(wei):,.0f}"
