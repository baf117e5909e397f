"""--verifier off: nothing derives the chain a second time, nothing waits for it, and no port is there for it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rollup.cheats import Cheats
from rollup.cli.ctl import lines_of
from rollup.cli.screen import EventLines
from rollup.control import Control, status_json
from rollup.events import Event, SafeHeadMoved, event_json
from rollup.metrics import NodeCollector
from rollup.node import Node, NodeParams
from tests.node.node_process import NodeProcess

PARAMS = NodeParams(virtual_clock=True, genesis_time=1_700_000_000, verifier=False)
EVENTS: list[Event] = []


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    EVENTS.clear()
    opened = Node.open(PARAMS, EVENTS.append)
    opened.run_until_safe(30)
    yield opened
    opened.close()


def test_the_chain_becomes_safe_and_the_verifier_stays_at_genesis(node: Node) -> None:
    view = node.view()
    assert view.chains["l2"].safe.number >= 30
    assert view.chains["verifier"].unsafe.number == view.l1_read["verifier"] == 0
    assert view.is_verifier_equal is node.is_verifier_equal() is None


def test_each_safe_head_is_reported_at_once_without_a_verdict(node: Node) -> None:
    moved = [event for event in EVENTS if isinstance(event, SafeHeadMoved)]
    assert moved
    assert {(event.verifier_number, event.verifier_equal) for event in moved} == {(0, None)}
    assert moved[-1].number == node.safe_head.number
    assert event_json(moved[-1])["verifierEqual"] is None
    line = EventLines(0).line(moved[-1])
    assert line is not None
    assert line.endswith("not verified")


def test_status_and_metrics_give_no_verdict(node: Node) -> None:
    assert status_json(node.view())["isVerifierEqual"] is None
    names = {metric.name for metric in NodeCollector(node, {}).collect()}
    assert "openrollup_safe_lag_blocks" in names
    assert "openrollup_verifier_equal" not in names


def test_an_l1_reorg_heals_and_the_command_says_that_no_verifier_runs(node: Node) -> None:
    with node.snapshots.anchor():
        answer = Control(Cheats(node)).reorg_l1(2, "same")
    assert answer["healedIn"] is not None
    assert lines_of(answer)[-1] == "no verifier runs"


def test_a_running_node_has_no_port_for_it_and_its_blocks_become_safe() -> None:
    options = ("--verifier", "off", "--block-time", "1", "--l1-block-time", "1", "--da", "calldata")
    with NodeProcess(*options) as process:
        assert "verifier JSON-RPC" not in process.started["urls"]
        moved = process.wait_for("SafeHeadMoved", lambda event: event["number"] >= 2)
        assert moved["verifierEqual"] is None


def test_a_verifier_that_comes_later_reads_all_of_l1(tmp_path: Path) -> None:
    params = replace(PARAMS, data_dir=tmp_path)
    for has_verifier, number in ((False, 20), (True, 30)):
        opened = Node.open(replace(params, verifier=has_verifier))
        try:
            opened.run_until_safe(number)
            assert (opened.verifier.chain.safe.number >= number) is has_verifier
        finally:
            opened.close()
