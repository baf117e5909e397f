"""`openrollup economics sweep`, `demand` and `compare`: simulations from a YAML scenario."""

import csv
import io
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from rich.progress import Progress

from rollup.cli.columns import print_columns
from rollup.cli.economics_options import OUTPUT, csv_option, draw, in_words, json_option, svg_option
from rollup.cli.economics_scenario_file import read_scenario
from rollup.cli.safe_text import echo, echo_json, safe_console
from rollup.economics.chain_run import run_chain
from rollup.economics.demand import COLUMNS
from rollup.economics.errors import EconomicsError
from rollup.economics.executors import executor_of
from rollup.economics.experiment import Experiment, quantiles, run_market, run_to_file
from rollup.economics.manifest import write_manifest
from rollup.economics.scenario import MARKET
from rollup.files import write_file

_FILE: Final = click.argument("file", type=click.Path(path_type=Path))
_EXECUTOR: Final = click.option(
    "--executor",
    metavar="NAME",
    help="Where tasks run: processes, processes:N or dask://HOST:PORT.  [default: this process]",
)


@click.command("sweep")
@_FILE
@click.option("--output", type=OUTPUT, required=True, help="Write the results here: JSON lines, one per task.")
@_EXECUTOR
def sweep(file: Path, output: Path, executor: str | None) -> None:
    """Run every point and seed of the scenario FILE into --output.

    Finished tasks are kept next to it (--output with .journal): the same command continues where it stopped. The
    finished file has the same bytes for any number of workers. Its manifest (--output with .manifest.json)
    has all parameters.
    """
    with in_words():
        scenario = read_scenario(file)
        tasks = scenario.tasks()
        run = run_market if scenario.kind == MARKET else run_chain
        with _progress(len(tasks)) as progress, executor_of(executor, _note_on(progress)) as workers:
            exceptions = run_to_file(tasks, run, output, workers, lambda: progress.advance(progress.task_ids[0]))
        if not exceptions:
            write_manifest(scenario, output)
    if exceptions:
        raise click.ClickException(
            f"{len(exceptions)} of {len(tasks)} tasks failed, such as {next(iter(exceptions.values()))}; "
            "the others are kept, and the same command tries these again"
        )
    echo(f"{len(tasks)} tasks, {len(scenario.points())} points in {output}")


@click.command("demand")
@_FILE
@_EXECUTOR
@csv_option("Write every run and month.")
@json_option()
@svg_option("the fan of --column")
@click.option(
    "--column", type=click.Choice(COLUMNS), default="queries", show_default=True, help="Column that --svg draws."
)
def demand(
    file: Path, executor: str | None, csv_file: Path | None, as_json: bool, svg: Path | None, column: str
) -> None:
    """Simulate the market of the scenario FILE: users, models, queries, fees and profits, month by month."""
    with in_words():
        scenario = read_scenario(file)
        if scenario.kind != MARKET or scenario.sweep:
            raise EconomicsError(f"{file}: one market is expected here; `openrollup economics sweep` takes sweeps")
        with executor_of(executor, _note) as workers:
            found = _finished(scenario.experiment(), workers)
        if csv_file is not None:
            write_file(csv_file, _csv(found))
        draw(svg, lambda plots: plots.fan_chart(found, column))
    result = {name: quantiles(found, name).tolist() for name in COLUMNS}
    if as_json:
        echo_json({"seed": scenario.seed, "runs": scenario.runs, "quantiles": result})
        return
    console = safe_console()
    console.print(f"{scenario.runs} runs, seed {scenario.seed}: medians, and 5 to 95 % in brackets; all assumptions*")
    months = sorted({0, scenario.months // 2, scenario.months - 1})
    rows = [[name, *(_spread(result[name], month) for month in months)] for name in COLUMNS]
    print_columns(console, rows, header=("", *(f"month {month + 1}" for month in months)))
    console.print("* docs/economics-simulations.md, Parameters; amounts in OPEN per month")


@click.command("compare")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@_EXECUTOR
@json_option()
def compare(a: Path, b: Path, executor: str | None, as_json: bool) -> None:
    """Compare two scenarios on the same random streams: B minus A in the last month, run by run."""
    with in_words():
        first, second = read_scenario(a), read_scenario(b)
        if first.kind != MARKET or second.kind != MARKET or first.sweep or second.sweep:
            raise EconomicsError("compare takes two markets without a sweep")
        if (first.months, first.runs, first.seed) != (second.months, second.runs, second.seed):
            raise EconomicsError(f"{a} and {b} differ in months, runs or seed: nothing could be compared run by run")
        with executor_of(executor, _note) as workers:
            found = _finished(first.experiment(second), workers)
    result = {name: _difference(found, name, first.months) for name in COLUMNS}
    if as_json:
        echo_json({"seed": first.seed, "runs": first.runs, "difference": result})
        return
    console = safe_console()
    console.print(f"B less A in month {first.months}, {first.runs} runs, seed {first.seed}")
    rows = [[name, *(f"{value:,.6g}" for value in row.values())] for name, row in result.items()]
    print_columns(console, rows, header=("", "A", "B", "B - A", "standard error"), right=range(1, 5))


def _finished(experiment: Experiment, workers: Executor | None) -> dict[str, Any]:
    found = experiment.run(workers)
    if experiment.exceptions:
        raise EconomicsError(f"a run failed: {next(iter(experiment.exceptions.values()))}")
    return found


def _difference(found: Mapping[str, Any], name: str, months: int) -> dict[str, float]:
    last = found["timestep"] == months - 1
    a, b = (found[name][last & (found["simulation"] == number)] for number in (0, 1))
    change = b - a
    error = float(change.std(ddof=1) / np.sqrt(change.size)) if change.size > 1 else 0.0
    return {"a": float(a.mean()), "b": float(b.mean()), "difference": float(change.mean()), "standardError": error}


def _spread(rows: list[list[float]], month: int) -> str:
    return f"{rows[2][month]:,.5g} [{rows[0][month]:,.5g}, {rows[4][month]:,.5g}]"


def _csv(found: Mapping[str, Any]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found)
    writer.writerows(zip(*(column.tolist() for column in found.values()), strict=True))
    return text.getvalue()


def _note(sentence: str) -> None:
    echo(sentence, err=True)


def _note_on(progress: Progress) -> Callable[[str], None]:
    return lambda sentence: progress.console.print(sentence, markup=False)


def _progress(total: int) -> Progress:
    progress = Progress(console=safe_console(stderr=True), transient=True)
    progress.add_task("running", total=total)
    return progress
