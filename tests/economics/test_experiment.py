"""V14 and V15: the same seed gives the same bytes for any number of workers; a stopped sweep continues; A = B is 0."""

import errno
import io
import json
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from rollup.cli import economics_sweep, main
from rollup.economics.errors import EconomicsError
from rollup.economics.executors import MAX_RESTARTS, executor_of
from rollup.economics.experiment import (
    Experiment,
    Task,
    grid,
    quantiles,
    results,
    run_market,
    run_to_file,
)
from rollup.economics.market import Market
from rollup.economics.scenario import Scenario
from tests.economics.dying import die_at

SMALL = Market(models=10, max_models=20)
SCENARIO = Scenario(months=6, runs=45, seed=3, parameters={"models": 10, "max_models": 20}, sweep={"zipf": [0.8, 1.2]})


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    target = tmp_path_factory.mktemp("sweep") / "one.jsonl"
    assert run_to_file(SCENARIO.tasks(), run_market, target) == {}
    return target.read_bytes()


@pytest.mark.parametrize("workers", [2, *(pytest.param(count, marks=pytest.mark.slow) for count in (1, 7))])
def test_v14_the_bytes_are_the_same_for_any_number_of_workers(tmp_path, expected, workers):
    target = tmp_path / "sweep.jsonl"
    with executor_of(f"processes:{workers}") as executor:
        assert run_to_file(SCENARIO.tasks(), run_market, target, executor) == {}
    assert target.read_bytes() == expected
    assert os.listdir(tmp_path) == ["sweep.jsonl"]


@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_v14_on_a_dask_cluster_of_two_workers_too(tmp_path, expected, processes):
    """The workers are two nannies and their processes, or (quickly) two workers with their own ports in this one."""
    distributed = pytest.importorskip("distributed", reason="NO DASK: pip install 'openrollup[dask]'")
    options = {"processes": processes, "protocol": "tcp", "dashboard_address": None}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster:
        address = cluster.scheduler_address.removeprefix("tcp://")
        with executor_of(f"dask://{address}") as executor:
            assert run_to_file(SCENARIO.tasks(), run_market, tmp_path / "dask.jsonl", executor) == {}
    assert (tmp_path / "dask.jsonl").read_bytes() == expected


def test_v14_runs_do_not_depend_on_how_they_are_put_together():
    task = next(iter(Experiment({"a": SMALL}, months=5, runs=7).tasks()))
    whole = json.loads(run_market(task))["columns"]["queries"]
    from dataclasses import replace

    single = [json.loads(run_market(replace(task, first_run=run, runs=1)))["columns"]["queries"][0] for run in range(7)]
    assert whole == single


def test_a_stopped_sweep_goes_on_and_a_line_cut_short_is_done_again(tmp_path, expected):
    target, tasks, ran = tmp_path / "sweep.jsonl", SCENARIO.tasks(), []

    def failing(task):
        if len(ran) == 3:
            raise OSError("a worker died")
        ran.append(task)
        return run_market(task)

    exceptions = run_to_file(tasks, failing, target)
    assert set(exceptions) == {task.key for task in tasks[3:]}
    assert not target.exists()
    journal = tmp_path / "sweep.jsonl.journal"
    journal.write_bytes(journal.read_bytes()[:-10])
    again = []

    def counted(task):
        again.append(task)
        return run_market(task)

    assert run_to_file(tasks, counted, target) == {}
    assert [task.key for task in again] == [task.key for task in tasks[2:]]
    assert target.read_bytes() == expected


def test_a_full_disk_names_the_journal(tmp_path, monkeypatch):
    class Full(io.StringIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda *_, **__: Full())
    with pytest.raises(OSError, match="No space left on device") as raised:
        run_to_file(SCENARIO.tasks()[:1], run_market, tmp_path / "sweep.jsonl")
    assert raised.value.filename == str(tmp_path / "sweep.jsonl.journal")
    assert os.listdir(tmp_path) == []


def die(_):
    os._exit(1)


def test_a_worker_that_dies_fails_its_tasks_and_nothing_else():
    exceptions = {}
    with ProcessPoolExecutor(1) as executor:
        assert list(results(SCENARIO.tasks()[:2], die, executor, exceptions)) == []
    assert len(exceptions) == 2
    assert all(text.startswith(BrokenProcessPool.__name__) for text in exceptions.values())


def test_dead_workers_are_started_again_and_the_bytes_are_the_same(tmp_path, expected, monkeypatch):
    deaths, target = tmp_path / "deaths", tmp_path / "sweep.jsonl"
    deaths.mkdir()
    scenario = tmp_path / "sweep.yaml"
    scenario.write_text(
        "months: 6\nruns: 45\nseed: 3\nparameters: {models: 10, max_models: 20}\nsweep: {zipf: [0.8, 1.2]}\n"
    )
    monkeypatch.setattr(economics_sweep, "run_market", partial(die_at, folder=deaths, subset=0, times=1))
    command = ["economics", "sweep", str(scenario), "--output", str(target), "--executor", "processes:2"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert len(os.listdir(deaths)) == 1
    assert "a worker process died: new ones are started, 1 of 20 times" in result.stderr
    assert target.read_bytes() == expected


@pytest.mark.slow
def test_a_task_that_always_kills_its_worker_fails_and_the_others_finish(tmp_path):
    exceptions, notes = {}, []
    tasks = [task for task in SCENARIO.tasks() if task.subset or not task.first_run]
    run = partial(die_at, folder=tmp_path, subset=0, times=99)
    with executor_of("processes:1", notes.append) as executor:
        done = dict(results(tasks, run, executor, exceptions))
    assert list(exceptions) == [tasks[0].key]
    assert set(done) == {task.key for task in tasks[1:]}
    assert 3 <= len(notes) <= MAX_RESTARTS


def test_v15_a_equal_to_b_is_no_difference_in_any_run():
    found = Experiment({"a": SMALL, "b": SMALL}, grid(zipf=[0.8, 1.2]), months=6, runs=5).run()
    a, b = (found["simulation"] == number for number in (0, 1))
    for name in ("users", "queries", "fees", "owner_profit"):
        assert np.array_equal(found[name][a], found[name][b])


def test_a_failed_point_is_kept_apart():
    experiment = Experiment({"a": SMALL}, months=1_000)
    assert len(experiment.run()["run"]) == 0
    (text,) = experiment.exceptions.values()
    assert "1 to 600 months" in text


def test_the_columns_have_the_names_of_radcad():
    found = Experiment({"a": SMALL}, months=2, runs=1).run()
    assert list(found)[:5] == ["simulation", "subset", "run", "timestep", "substep"]


def test_quantiles_rise():
    found = Experiment({"a": SMALL}, months=4, runs=30).run()
    assert np.all(np.diff(quantiles(found, "queries"), axis=0) >= 0)


def test_a_task_is_named_by_all_that_its_result_depends_on():
    base = Task("market", 0, 0, 0, 1, 1, 1, (("fee", 1.0),))
    others = [
        Task("market", 0, 0, 0, 1, 1, 2, (("fee", 1.0),)),
        Task("market", 0, 0, 0, 1, 1, 1, (("fee", 2.0),)),
        Task("chain", 0, 0, 0, 1, 1, 1, (("fee", 1.0),)),
    ]
    assert len({task.key for task in [base, *others]}) == 4


@pytest.mark.parametrize("name", ["threads", "processes:0", "processes:x", "processes:999"])
def test_an_unknown_executor_is_refused(name):
    with pytest.raises(EconomicsError, match="is not an executor"), executor_of(name):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1", "127.0.0.1", "127.0.0.1:port", "127.0.0.1:99999"])
def test_a_dask_that_is_not_there_is_one_sentence(address):
    pytest.importorskip("distributed", reason="NO DASK: pip install 'openrollup[dask]'")
    with pytest.raises(EconomicsError, match="no Dask scheduler"), executor_of(f"dask://{address}"):
        pass
