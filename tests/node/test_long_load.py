"""A node under a steady load of inferences with the batcher paused in the middle. `-m slow`: fifteen minutes.

OPENROLLUP_LOAD_SECONDS and OPENROLLUP_LOAD_RATE change the length and the inferences per second.
"""

import json
import os
from contextlib import contextmanager

import pytest

from benchmarks.node_load import NodeLoad, Plan, Result, Sample, Target, node_process
from rollup.node import Node, NodeParams


def events_of(folder, kind):
    lines = map(json.loads, (folder / "node.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == kind]


def load(folder, plan, *options):
    with node_process(folder, *options) as target:
        return NodeLoad(target, plan).run()


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_memory_is_flat_and_the_safe_head_catches_up_under_a_long_load(tmp_path):
    seconds = int(os.environ.get("OPENROLLUP_LOAD_SECONDS", "900"))
    result = load(tmp_path, Plan(seconds, int(os.environ.get("OPENROLLUP_LOAD_RATE", "200"))))
    assert result.is_audit_exact
    assert not result.refused
    assert all(event["verifierEqual"] for event in events_of(tmp_path, "SafeHeadMoved"))
    assert result.samples[-1].safe > max(sample.head for sample in result.samples if not sample.is_batching)
    if seconds >= 900:
        assert result.growth(600, seconds) < 1.0  # MB per minute


@pytest.mark.timeout(280)
@pytest.mark.slow
def test_every_inference_of_a_short_load_is_paid_while_the_batcher_pauses(tmp_path):
    result = load(tmp_path, Plan(seconds=8, rate=10, pause=2), "--block-time=1", "--l1-block-time=2")
    assert result.accepted == result.sent > 0
    assert result.is_audit_exact
    switched = [event["active"] for event in events_of(tmp_path, "Switched") if event["actor"] == "batcher"]
    assert switched == [False, True]


def test_growth_is_counted_per_minute_and_without_mapped_pages():
    samples = [Sample(at, 100 + at, 50 + at / 60, 0, 0, 0, 0, True) for at in (0.0, 60.0, 120.0, 180.0)]
    assert Result(Plan(), samples=samples).growth(60, 180) == pytest.approx(1.0)
    assert Target("", "", "").process_id is None


@pytest.mark.slow
def test_the_batcher_follows_its_transactions_until_l1_has_finalized_them():
    with node_of_200_blocks() as node:
        assert 0 < node.batcher.followed <= node.l1.miner.finality.finalized + 2
        assert node.l1.chain.head.number > 3 * node.l1.miner.finality.finalized


@pytest.mark.slow
def test_the_mock_l1_remembers_only_the_blobs_of_its_pool():
    with node_of_200_blocks("blobs") as node:
        waiting = {item for tx in node.l1.pool.pending(0) for item in tx.blob_versioned_hashes}
        assert set(node.l1.miner._blobs._users) == waiting


@contextmanager
def node_of_200_blocks(da="auto"):
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, da=da))
    try:
        node.run_until_safe(200)
        yield node
    finally:
        node.close()
