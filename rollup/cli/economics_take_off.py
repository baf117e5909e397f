"""`openrollup economics take-off`: from how many users and models on a market holds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from rollup.cli.columns import print_columns
from rollup.cli.economics_options import COUNTS, draw, in_words, json_option, svg_option
from rollup.cli.economics_scenario_file import read_scenario
from rollup.cli.safe_text import echo_json, safe_console
from rollup.economics.critical import TakeOff, take_off
from rollup.economics.errors import EconomicsError
from rollup.economics.market import MAX_MODELS, Market
from rollup.economics.scenario import MARKET

_MAX_STARTS = 100


@click.command("take-off")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--users", type=COUNTS, default="250,1000,4000,8000,16000", show_default=True, help="Users in the first month."
)
@click.option("--models", type=COUNTS, default="2,5,10,50,200", show_default=True, help="Models in the first month.")
@svg_option("how often the market holds, by its start")
@json_option()
def command(file: Path, users: tuple[int, ...], models: tuple[int, ...], svg: Path | None, as_json: bool) -> None:
    """Simulate the market of the scenario FILE from each start: in how many runs does it hold?

    It holds if it has at least 95 % of the users of a year before, or of the start, at the end.
    The critical mass is where users and models neither grow nor fall: below it both leave, above it both come.
    """
    with in_words():
        market, months, runs, seed = _market(file)
        if not 0 < len(users) * len(models) <= _MAX_STARTS or min(*users, *models) < 1 or max(models) > MAX_MODELS:
            raise EconomicsError(
                f"1 to {_MAX_STARTS} starts are expected, with at least one user and 1 to {MAX_MODELS:,} models"
            )
        if max(users) > market.max_users:
            raise EconomicsError(f"{max(users):,} users are more than max_users, {market.max_users:,.0f}")
        found = take_off(market, sorted(users), sorted(models), months=months, runs=runs, seed=seed)
        draw(svg, lambda plots: plots.take_off_map(market, found))
    if as_json:
        echo_json({"months": months, "runs": runs, "seed": seed, **_json(found)})
        return
    console = safe_console()
    console.print(f"runs of {runs} in which the market holds after {months} months, seed {seed}; all assumptions*")
    rows = [
        [f"{start:,.0f}", *(f"{100 * share:.0f} %" for share in shares)]
        for start, shares in zip(found.users, found.held, strict=True)
    ]
    header = ("users", *(f"{count:,} models" for count in found.models))
    print_columns(console, rows, header=header, right=range(len(header)))
    if found.fixed_point is None:
        console.print("no critical mass: users grow from everywhere, or fall from everywhere*")
    else:
        console.print("critical mass: {:,.0f} users and {:,.1f} models*".format(*found.fixed_point))
    console.print("* docs/economics-simulations.md, Parameters")


def _market(file: Path) -> tuple[Market, int, int, int]:
    scenario = read_scenario(file)
    if scenario.kind != MARKET or scenario.sweep:
        raise EconomicsError(f"{file}: one market is expected here; `openrollup economics sweep` takes sweeps")
    market = replace(Market(), **dict(scenario.parameters))
    return market, scenario.months, scenario.runs, scenario.seed


def _json(found: TakeOff) -> dict[str, Any]:
    point = found.fixed_point
    return {
        "users": list(found.users),
        "models": list(found.models),
        "held": [list(row) for row in found.held],
        "criticalMass": None if point is None else {"users": point[0], "models": point[1]},
    }
