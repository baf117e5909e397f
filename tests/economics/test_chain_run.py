"""Runs with a node in the loop: the same in every process, and the chain answers the load."""

import json

import pytest

from rollup.economics.chain_run import parameters, run_chain
from rollup.economics.errors import EconomicsError
from rollup.economics.executors import executor_of
from rollup.economics.experiment import run_to_file
from rollup.economics.scenario import Scenario

SMALL = {"blocks": 3, "inferences_per_block": 8}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    target = tmp_path_factory.mktemp("chain") / "one.jsonl"
    scenario = Scenario("chain", runs=1, seed=5, parameters=SMALL, sweep={"outage_blocks": [0, 3]})
    assert run_to_file(scenario.tasks(), run_chain, target) == {}
    return scenario, target.read_bytes()


@pytest.mark.slow
def test_two_processes_give_the_bytes_of_one(tmp_path, found):
    scenario, expected = found
    with executor_of("processes:2") as executor:
        assert run_to_file(scenario.tasks(), run_chain, tmp_path / "two.jsonl", executor) == {}
    assert (tmp_path / "two.jsonl").read_bytes() == expected


@pytest.mark.slow
@pytest.mark.timeout(1_200)  # 80 nodes, one after the other and two at a time
def test_forty_runs_on_two_dask_workers_give_the_bytes_of_one_process(tmp_path):
    distributed = pytest.importorskip("distributed", reason="NO DASK: pip install 'openrollup[dask]'")
    scenario = Scenario(
        "chain", runs=20, seed=1, parameters={"blocks": 2, "inferences_per_block": 4}, sweep={"outage_blocks": [0, 2]}
    )
    assert run_to_file(scenario.tasks(), run_chain, tmp_path / "one.jsonl") == {}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        address = cluster.scheduler_address.removeprefix("tcp://")
        with executor_of(f"dask://{address}") as executor:
            assert run_to_file(scenario.tasks(), run_chain, tmp_path / "dask.jsonl", executor) == {}
    lines = (tmp_path / "dask.jsonl").read_bytes()
    assert len(lines.splitlines()) == 40
    assert lines == (tmp_path / "one.jsonl").read_bytes()


def test_the_same_task_run_again_gives_the_same_bytes(found):
    scenario, expected = found
    assert run_chain(scenario.tasks()[1]) == expected.splitlines()[1].decode()


def test_all_inferences_get_in_and_their_batches_are_paid_for(found):
    for line in found[1].splitlines():
        (row,) = json.loads(line)["rows"]
        assert row["inferences"] == 24
        assert int(row["batch_cost"]) > 0
        assert row["batch_cost_per_inference"] == str(int(row["batch_cost"]) // 24)
        assert len(row["base_fees"]) == 3


def test_a_heavier_load_raises_the_base_fee():
    from dataclasses import replace

    (light,) = Scenario("chain", runs=1, parameters={"blocks": 2, "inferences_per_block": 1}).tasks()
    heavy = replace(light, parameters=tuple(parameters({"blocks": 2, "inferences_per_block": 250}).items()))
    fees = [json.loads(run_chain(task))["rows"][0]["base_fees"] for task in (light, heavy)]
    assert int(fees[0][-1]) < int(fees[0][0])
    assert int(fees[1][-1]) > int(fees[1][0])


@pytest.mark.parametrize("values", [{"blocks": 0}, {"colour": 1}, {"blocks": 1.5}, {"entries": 33}])
def test_an_impossible_run_is_one_sentence(values):
    with pytest.raises(EconomicsError):
        parameters(values)
