"""`openrollup economics sensitivity`: which assumption of a market matters."""

from dataclasses import asdict
from pathlib import Path

import click

from rollup.cli.columns import print_columns
from rollup.cli.economics_options import draw, in_words, json_option, svg_option
from rollup.cli.economics_scenario_file import read_scenario
from rollup.cli.safe_text import echo_json, safe_console
from rollup.economics.demand import COLUMNS
from rollup.economics.errors import EconomicsError
from rollup.economics.market import Market
from rollup.economics.scenario import MARKET, Scenario
from rollup.economics.sensitivity import one_at_a_time


@click.command("sensitivity")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--column",
    type=click.Choice(COLUMNS),
    default="owner_profit",
    show_default=True,
    help="Result of the market to look at.",
)
@svg_option("the swings of each parameter")
@json_option()
def command(file: Path, column: str, svg: Path | None, as_json: bool) -> None:
    """Move one parameter of the scenario FILE at a time, from its least to its greatest value under `sweep`.

    The result is the mean of --column in the last month over all runs, the widest swing first.
    """
    with in_words():
        scenario = read_scenario(file)
        market, ranges = _ranges(file, scenario)
        base, swings = one_at_a_time(
            market, ranges, column, months=scenario.months, runs=scenario.runs, seed=scenario.seed
        )
        draw(svg, lambda plots: plots.tornado(base, swings, column))
    if as_json:
        found = {"base": base, "swings": [asdict(swing) for swing in swings]}
        echo_json({"seed": scenario.seed, "runs": scenario.runs, "column": column, **found})
        return
    console = safe_console()
    console.print(
        f"{column} in month {scenario.months}: {base:,.5g} as the market is*; "
        f"{scenario.runs} runs, seed {scenario.seed}"
    )
    rows = [
        [swing.name, f"{swing.low_value:g}", f"{swing.high_value:g}", f"{swing.low:,.5g}", f"{swing.high:,.5g}"]
        for swing in swings
    ]
    print_columns(console, rows, header=("parameter", "low", "high", "at low", "at high"), right=range(1, 5))
    console.print("* docs/economics-simulations.md, Parameters; all of them are assumptions")


def _ranges(file: Path, scenario: Scenario) -> tuple[Market, dict[str, tuple[float, float]]]:
    if scenario.kind != MARKET or not scenario.sweep:
        raise EconomicsError(f"{file}: a market is expected, with two values or more for each parameter under sweep")
    ranges = {name: (min(values), max(values)) for name, values in scenario.sweep.items()}
    return Market().with_values(dict(scenario.parameters)), ranges
