"""`openrollup economics claims` and `supply`: when to claim, and when tokens unlock."""

from pathlib import Path
from typing import Any

import click

from rollup.cli.attribution_values import AMOUNT
from rollup.cli.columns import print_columns
from rollup.cli.economics_options import COUNTS, draw, in_words, json_option, share_option, svg_option
from rollup.cli.safe_text import echo_json, safe_console
from rollup.economics.claims import HOLDING_PER_YEAR, accrual, best_rule
from rollup.economics.errors import EconomicsError
from rollup.economics.fees import row_cost
from rollup.economics.prices import PRESETS, Prices
from rollup.economics.profile import GasProfile
from rollup.economics.supply import SOURCE, Absorption, Schedule
from rollup.economics.units import MONTHS_PER_YEAR, open_float


@click.command("claims")
@click.option("--queries", type=COUNTS, default="10,50,1000,100000", show_default=True, help="Queries per month.")
@click.option("--fee", type=AMOUNT, default="0.0125open", show_default=True, help="Fee per query.")
@share_option("--share", 0.01, "Contributor's share of the DataNet's units.")
@share_option("--platform", 0.05, "Platform's share of the fee.")
@share_option("--data", 0.70, "Contributors' share of the rest.")
@click.option(
    "--holding",
    type=float,
    default=HOLDING_PER_YEAR,
    show_default=True,
    help="Cost of waiting, as a share per year: a scenario.",
)
@click.option(
    "--datanets",
    type=click.Choice(["1", "4", "32"]),
    default="1",
    show_default=True,
    help="DataNets that the claim names.",
)
@click.option(
    "--prices", type=click.Choice(list(PRESETS)), default="op-parity", show_default=True, help="Prices of gas and data."
)
@svg_option("the cost of claiming at each interval")
@json_option()
def claims(
    queries: tuple[int, ...],
    fee: int,
    share: float,
    platform: float,
    data: float,
    holding: float,
    datanets: str,
    prices: str,
    svg: Path | None,
    as_json: bool,
) -> None:
    """When should a contributor claim? Claiming costs gas, waiting costs the use of the money."""
    with in_words():
        profile = GasProfile.packaged()
        row, scenario = profile.row("claim", int(datanets)), Prices.preset(prices)
        cost = open_float(row_cost(row, scenario).total)
        more = per_datanet(profile, scenario)
        rows = []
        for count in queries:
            income = accrual(count, open_float(fee), platform, data, 1.0, share)
            rule = best_rule(cost, income, holding / MONTHS_PER_YEAR)
            rows.append(_row(count, income, rule.interval, rule.threshold, rule.lost, cost))
        incomes = {f"{row['queries']:,} queries per month": row["income"] for row in rows}
        draw(svg, lambda plots: plots.claim_ladder(incomes, cost, holding / MONTHS_PER_YEAR))
    if as_json:
        found = {"gas": row.gas, "source": profile.source, "cost": cost, "costPerDatanet": more, "prices": prices}
        echo_json({**found, "rows": rows})
        return
    console = safe_console()
    console.print(f"a claim: {row.gas:,} gas ({profile.source}), {cost:.3g} OPEN at {prices} prices*; all shares*")
    console.print(f"each DataNet more in a claim: {more:.3g} OPEN*; name only those with more than that pending")
    header = ("queries", "income per month", "claim every", "claim at", "lost in all", "monthly claims lose")
    cells = [
        [
            f"{item['queries']:,}",
            f"{item['income']:.4g} OPEN",
            f"{item['intervalMonths']:.3g} months",
            f"{item['threshold']:.4g} OPEN",
            f"{100 * item['lost']:.3g} %",
            f"{100 * item['lostMonthly']:.3g} %",
        ]
        for item in rows
    ]
    print_columns(console, cells, header=header, right=range(6))


def per_datanet(profile: GasProfile, prices: Prices) -> float:
    """The cost of one more DataNet in a claim [OPEN], from the claims of 1 and of 4 DataNets."""
    one, four = (row_cost(profile.row("claim", count), prices).total for count in (1, 4))
    return open_float((four - one) // 3)


def _row(queries: int, income: float, interval: float, threshold: float, lost: float, cost: float) -> dict[str, Any]:
    return {
        "queries": queries,
        "income": income,
        "intervalMonths": interval,
        "threshold": threshold,
        "lost": lost,
        "lostMonthly": cost / income,
    }


@click.command("supply")
@click.option(
    "--months", type=COUNTS, default="0,8,12,13,14,24,36,48", show_default=True, help="Months since 8 September 2025."
)
@click.option(
    "--volume", type=float, default=1.0, show_default=True, help="Fees, in million OPEN per month: a scenario."
)
@click.option("--holding", type=float, default=1.0, show_default=True, help="Months that money for fees is held.")
@share_option("--kept", 0.5, "Share of unlocked tokens that is not sold.")
@svg_option("supply and unlocks")
@json_option()
def supply(
    months: tuple[int, ...], volume: float, holding: float, kept: float, svg: Path | None, as_json: bool
) -> None:
    """Show how many tokens circulate and unlock, and what growth of fees would hold the price. No price is computed."""
    schedule, rows = Schedule(), []
    with in_words():
        if volume < 0 or holding <= 0 or not months or max(months) > 600:
            raise EconomicsError("a volume of at least 0, a holding time above 0 and months up to 600 are expected")
        absorption = Absorption(holding=holding, kept=kept)
        for month in months:
            unlock = float(schedule.unlock(month)) if month else 0.0
            sold, payouts, bought = absorption.terms(unlock, volume)
            rows.append(
                {
                    "month": month,
                    "circulating": float(schedule.circulating(month)),
                    "unlock": unlock,
                    "neededGrowth": absorption.needed_growth(unlock),
                    "unlocksSold": sold,
                    "payoutsSold": payouts,
                    "bought": bought,
                }
            )
        draw(svg, lambda plots: plots.supply_chart(schedule, absorption))
    if as_json:
        echo_json({"source": SOURCE, "unit": "million OPEN", "rows": rows})
        return
    console = safe_console()
    console.print(f"million OPEN; schedule: {SOURCE}; volume, holding and shares are assumptions*")
    header = (
        "month",
        "circulating",
        "unlock",
        "fees must grow by*",
        "unlocks sold*",
        "payouts sold*",
        "bought for fees*",
    )
    cells = [[str(row["month"]), *(f"{value:,.4f}" for value in list(row.values())[1:])] for row in rows]
    print_columns(console, cells, header=header, right=range(7))
