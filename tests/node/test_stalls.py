"""A stalled chain says so once, says what to do, and stops saying so when it has caught up."""

from dataclasses import replace

import pytest

from rollup.events import Stalled
from rollup.node import Node, NodeParams
from rollup.stalls import ChainProgress, stalls
from tests.node.node_process import GENESIS_TIME
from tests.node.test_stalled_safe_head import run_to

HEALTHY = ChainProgress(
    now=1_000,
    l1_time=996,
    l1_block_time=12,
    l2_head=500,
    l2_time=1_000,
    l2_block_time=2,
    safe_head=490,
    safe_time=980,
    is_sequencing=True,
    is_batching=True,
)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({}, set()),
        ({"safe_time": 880, "safe_head": 440}, set()),
        ({"safe_time": 878, "safe_head": 439}, {"safe head"}),
        ({"l2_time": 990}, set()),
        ({"l2_time": 988}, {"L2 blocks"}),
        ({"l2_time": 988, "is_sequencing": False}, set()),
        ({"l1_time": 971}, set()),
        ({"l1_time": 970}, {"L1 blocks"}),
    ],
)
def test_each_thing_that_is_behind_is_named(change, named):
    assert set(stalls(replace(HEALTHY, **change))) == named


def test_a_stopped_batcher_is_said_once_and_again_after_it_has_caught_up():
    said = []
    node = Node.open(
        NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True, l1_block_time=2),
        on_event=lambda event: said.append(event) if isinstance(event, Stalled) else None,
    )
    run_to(node, l1=20)
    assert said == []
    for times in (1, 2):
        node.batcher.stop()
        run_to(node, l1=node.l1.chain.head.number + 20)
        assert [event.what for event in said] == ["safe head"] * times
        assert "admin_startBatcher" in said[-1].advice
        node.batcher.start()
        run_to(node, l1=node.l1.chain.head.number + 8)
        assert node.l2.chain.head.number - node.safe_head.number < 10
    node.close()
