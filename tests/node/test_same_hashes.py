"""Equal seed, genesis time and commands give the same block hashes, whatever else differs."""

import json
import os
import subprocess
import sys

import pytest

from tests.node.node_process import GENESIS_TIME, ROOT, NodeProcess
from tests.node.scripted_run import run


def test_two_runs_in_one_process_have_the_same_hashes():
    first, second = run(), run()
    assert first == second
    assert first["verified"][1] == first["l2"][first["verified"][0]]


def test_a_run_with_data_on_the_disk_has_the_hashes_of_one_in_memory(tmp_path):
    assert run(data_dir=tmp_path / "chain") == run()


def test_the_seed_decides_l1s_randomness_and_with_it_every_hash():
    one, other = run(seed=1), run(seed=2)
    assert one["l1"][0] == other["l1"][0]
    assert not set(one["l1"][1:]) & set(other["l1"][1:])


def test_a_process_with_another_hash_seed_has_the_same_hashes():
    """In calldata: a process takes 2 s to load the setup for blobs. The slow test has both."""
    other_seed = "1" if os.environ.get("PYTHONHASHSEED") == "4711" else "4711"
    done = subprocess.run(
        [sys.executable, "-m", "tests.node.scripted_run", "calldata"],
        env={**os.environ, "PYTHONHASHSEED": other_seed, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    here = json.loads(json.dumps(run(da="calldata")))
    assert json.loads(done.stdout) == here
    assert len(here["l2"]) > 12


@pytest.mark.parametrize("da", ["calldata", "blobs"])
@pytest.mark.slow
def test_the_command_says_the_same_hashes_each_time(da):
    def hashes(hash_seed):
        options = ("--virtual-clock", f"--genesis-time={GENESIS_TIME}", "--seed=7", "--until-block=12", f"--da={da}")
        with NodeProcess(*options, environment={"PYTHONHASHSEED": hash_seed}) as node:
            events = node.rest()
            assert node.process.returncode == 0
        return [(e["event"], e["number"], e["hash"]) for e in events if e["event"] in ("L1BlockMined", "L2BlockBuilt")]

    first = hashes("1")
    assert first == hashes("2")
    assert sum(event == "L2BlockBuilt" for event, _, _ in first) >= 12
