"""Experiments: markets side by side (A/B), swept over a grid, many runs each, on one process or many machines.

One task is one point and a block of runs. A task is a pure function of its own description, so that it may run anywhere
and again. Results are appended to a journal as they come; a stopped sweep continues where it stopped; the
finished file is in the order of the tasks, byte for byte the same for any number of workers.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np

from rollup.economics.demand import COLUMNS, seeds_of, simulate
from rollup.economics.errors import EconomicsError
from rollup.economics.executors import WorkerPool
from rollup.economics.market import Market
from rollup.files import write_file

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
RUNS_PER_TASK: Final = 20
_TRIES_ALONE: Final = 3

Run = Callable[["Task"], str]


@dataclass(slots=True, frozen=True)
class Task:
    """The task of a worker: the simulation (0 is A), the point of the grid with its `values`, and the runs."""

    kind: str
    simulation: int
    subset: int
    first_run: int
    runs: int
    months: int
    seed: int
    parameters: tuple[tuple[str, Any], ...]
    values: tuple[tuple[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """Names the task and all that its result depends on."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.simulation}-{self.subset}-{self.first_run}-{sha256(text.encode()).hexdigest()[:16]}"


@dataclass(slots=True)
class Experiment:
    """Markets by name, a grid of parameters, months and runs. `exceptions` has the tasks that failed, by key."""

    markets: Mapping[str, Market]
    sweep: Sequence[Mapping[str, Any]] = ({},)
    months: int = 36
    runs: int = 20
    seed: int = 1
    exceptions: dict[str, str] = field(default_factory=dict)

    def tasks(self) -> Iterator[Task]:
        """All tasks, in the order of the results."""
        if not self.markets or self.runs < 1:
            raise EconomicsError("an experiment has at least one market and one run")
        for simulation, market in enumerate(self.markets.values()):
            for subset, values in enumerate(self.sweep):
                point = market.with_values(dict(values))
                for first in range(0, self.runs, RUNS_PER_TASK):
                    yield Task(
                        "market",
                        simulation,
                        subset,
                        first,
                        min(RUNS_PER_TASK, self.runs - first),
                        self.months,
                        self.seed,
                        tuple(asdict(point).items()),
                        tuple(values.items()),
                    )

    def run(self, executor: Executor | None = None, done: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """All results as columns: radCAD's five, then the state's. Failed tasks are left out."""
        texts = dict(results(list(self.tasks()), run_market, executor, self.exceptions, done))
        rows = [json.loads(texts[task.key]) for task in self.tasks() if task.key in texts]
        return _columns(rows)


def grid(**values: Sequence[Any]) -> list[dict[str, Any]]:
    """Every combination of the values, the last name fastest.

    >>> grid(models=[1, 2], fee=[0.5])
    [{'models': 1, 'fee': 0.5}, {'models': 2, 'fee': 0.5}]
    """
    return [dict(zip(values, point, strict=True)) for point in product(*values.values())]


def results(
    tasks: Sequence[Task],
    run: Run,
    executor: Executor | None,
    exceptions: dict[str, str],
    done: Callable[[], None] = lambda: None,
) -> Iterator[tuple[str, str]]:
    """Each task's key and result as it comes. A task that fails is noted, and the others continue.

    When a worker process dies, new ones take the unfinished tasks. The tasks that it may have died of come last and
    alone, so that one which always kills its worker takes no other task with it."""
    if executor is None:
        for task in tasks:
            yield from _noted(task, partial(run, task), exceptions)
            done()
        return
    lost = yield from _finished(tasks, run, executor, exceptions, done)
    if not isinstance(executor, WorkerPool):
        return
    alone: list[Task] = []
    while lost and executor.restart():
        alone += lost[: executor.suspects]
        lost = yield from _finished(lost[executor.suspects :], run, executor, exceptions, done)
    for task in alone:
        for _ in range(_TRIES_ALONE):
            if not (yield from _finished([task], run, executor, exceptions, done)):
                break
            if not executor.restart():
                return


def _finished(
    tasks: Sequence[Task], run: Run, executor: Executor, exceptions: dict[str, str], done: Callable[[], None]
) -> Generator[tuple[str, str], None, list[Task]]:
    """Each task's key and result as it comes. Returns the tasks that a dead worker left unfinished, in their order."""
    running: dict[Future[str], Task] = {}
    lost: set[str] = set()
    for task in tasks:
        try:
            running[executor.submit(run, task)] = task
        except BrokenExecutor as error:
            lost.add(_note(task, error, exceptions))
    for future in as_completed(running):
        try:
            yield from _noted(running[future], future.result, exceptions)
            done()
        except BrokenExecutor as error:
            lost.add(_note(running[future], error, exceptions))
    return [task for task in tasks if task.key in lost]


def _noted(task: Task, result: Callable[[], str], exceptions: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The task's key and result; nothing where it failed. Raises BrokenExecutor, the pool's own failure."""
    try:
        text = result()
    except BrokenExecutor:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a task raises is that task's failure alone
        _note(task, error, exceptions)
        return
    exceptions.pop(task.key, None)
    yield task.key, text


def _note(task: Task, error: Exception, exceptions: dict[str, str]) -> str:
    exceptions[task.key] = f"{type(error).__name__}: {error}"
    return task.key


def run_market(task: Task) -> str:
    """One task: the columns of its runs as one line of JSON. Pure: nothing but the task decides it."""
    market = Market(**dict(task.parameters))
    seeds = seeds_of(task.seed, task.subset, range(task.first_run, task.first_run + task.runs))
    found = simulate(market, task.months, seeds)
    return json.dumps(
        {
            "simulation": task.simulation,
            "subset": task.subset,
            "values": dict(task.values),
            "first_run": task.first_run,
            "columns": {name: found[name].tolist() for name in COLUMNS},
        },
        sort_keys=True,
    )


def run_to_file(
    tasks: Sequence[Task],
    run: Run,
    target: Path,
    executor: Executor | None = None,
    done: Callable[[], None] = lambda: None,
) -> dict[str, str]:
    """Runs the tasks that the journal next to `target` lacks, and writes `target` when all are done. The failed tasks
    by key.

    Raises OSError; what the journal holds then is kept."""
    journal = target.with_name(target.name + ".journal")
    texts = _read_journal(journal)
    missing = [task for task in tasks if task.key not in texts]
    for _ in range(len(tasks) - len(missing)):
        done()
    exceptions: dict[str, str] = {}
    with journal.open("a", encoding="utf-8") as file:
        for key, text in results(missing, run, executor, exceptions, done):
            texts[key] = text
            try:
                file.write(f"{key} {text}\n")
                file.flush()
            except OSError as error:  # a write does not say which file it was
                raise OSError(error.errno, error.strerror, str(journal)) from error
    if not exceptions:
        write_file(target, "".join(f"{texts[task.key]}\n" for task in tasks))
        journal.unlink()
    return exceptions


def _read_journal(journal: Path) -> dict[str, str]:
    """The finished tasks. A last line that was cut short is taken off, so that the next result begins a line."""
    if not journal.exists():
        return {}
    data = journal.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        with journal.open("r+b") as file:
            file.truncate(len(whole))
    lines = (line.partition(" ") for line in whole.decode().splitlines())
    return {key: text for key, _, text in lines}


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Long columns with radCAD's names: simulation, subset, run, timestep, substep, then the state's."""
    names = ("simulation", "subset", "run", "timestep", "substep")
    found: dict[str, list[Any]] = {name: [] for name in (*names, *COLUMNS)}
    for row in rows:
        runs, months = np.shape(row["columns"]["users"])
        found["simulation"] += [row["simulation"]] * (runs * months)
        found["subset"] += [row["subset"]] * (runs * months)
        found["run"] += np.repeat(np.arange(row["first_run"], row["first_run"] + runs), months).tolist()
        found["timestep"] += np.tile(np.arange(months), runs).tolist()
        found["substep"] += [1] * (runs * months)
        for name in COLUMNS:
            found[name] += np.ravel(row["columns"][name]).tolist()
    return {name: np.array(values) for name, values in found.items()}


def quantiles(found: Mapping[str, Any], name: str, simulation: int = 0, subset: int = 0) -> Any:
    """The 5, 25, 50, 75 and 95 % quantiles of a column over the runs, an array (quantile, timestep).

    >>> column = np.array([1.0, 2.0, 3.0])
    >>> runs = {"simulation": np.zeros(3), "subset": np.zeros(3), "timestep": np.ones(3), "users": column}
    >>> quantiles(runs, "users")[2]
    array([2.])
    """
    chosen = (found["simulation"] == simulation) & (found["subset"] == subset)
    values, times = found[name][chosen], found["timestep"][chosen]
    by_month = [values[times == time] for time in np.unique(times)]
    return np.stack([np.quantile(column, QUANTILES) for column in by_month], axis=1)
