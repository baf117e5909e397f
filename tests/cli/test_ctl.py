"""`openrollup ctl` and its methods: each answers when the effect is there, and says what changed."""

import json

import pytest
from click.testing import CliRunner

from rollup.cheats import Cheats
from rollup.cli import ctl, main
from rollup.control import Control
from rollup.serve import NodeServers
from tests.node.test_cheats import asking
from tests.node.test_snapshots import open_node, settle, state_of
from tests.rpc.conftest import FREE_PORTS


@pytest.fixture
def node():
    node = open_node()
    node.run_until_safe(3)
    yield node
    node.close()


@pytest.fixture
def run(node, monkeypatch):
    """Runs a command line against the node, and returns its standard output."""
    ask = asking(NodeServers(node, FREE_PORTS, "127.0.0.1"))

    def answer(url, method, *params):
        found = ask("rollup", method, *params)
        if "error" in found:
            raise ctl.click.ClickException(found["error"]["message"])
        return found["result"]

    monkeypatch.setattr(ctl, "_ask", answer)

    def run(line, exit_code=0):
        result = CliRunner().invoke(main, ["ctl", *line.split()])
        assert result.exit_code == exit_code, result.output
        return result.output

    return run


def test_every_verb_says_what_changed(node, run):
    head = node.l1.chain.head.number
    assert "L1 +2 blocks, L2 +" in run("l1 mine 2")
    assert node.l1.chain.head.number == head + 2
    assert "snapshot 1" in run("snapshot")
    old = node.l1.chain.head.hash
    assert "the verifier is equal" in run("l1 reorg 1")
    assert node.l1.chain.canonical_hash(head + 2) != old
    answer = json.loads(run("time +1m --json"))
    assert answer["seconds"] == 60
    assert answer["l2Blocks"] >= 30
    assert "snapshot 1" in run("revert 1")
    assert node.l1.chain.head.hash == old
    assert "no snapshot 1" in run("revert 1", exit_code=1)
    settle(node)


def test_actors_are_stopped_and_started(node, run):
    for actor in ("sequencer", "batcher", "proposer"):
        assert f"{actor}: stopped" in run(f"{actor} stop")
        assert "already" in run(f"{actor} stop", exit_code=1)
        assert f"{actor}: stopped" not in run(f"{actor} start")
    assert "l1: paused" in run("l1 pause")
    assert "l1: paused" not in run("l1 resume")
    run("batcher flush")
    settle(node)


def test_status_and_events_change_nothing(node, run):
    before = state_of(node)
    status = json.loads(run("status --json"))
    assert status["chains"]["l2"]["unsafe"]["number"] == node.l2.chain.head.number
    assert status["isVerifierEqual"] is True
    events = [json.loads(line) for line in run("events --count 5").splitlines()]
    assert len(events) == 5
    assert all("event" in event for event in events)
    assert state_of(node) == before


@pytest.mark.parametrize("step", ["1h1", "-5", "+", "", "1w", "+1.5h"])
def test_a_time_that_cannot_be_read_is_refused(run, step):
    with pytest.raises(ValueError, match="is expected"):
        ctl.seconds_of(step)


def test_strict_refuses_what_changes_something(node):
    ask = asking(NodeServers(node, FREE_PORTS, "127.0.0.1", is_strict=True))
    assert "--strict" in ask("rollup", "openrollup_mineL1")["error"]["message"]
    assert ask("rollup", "openrollup_status")["result"] == Control(Cheats(node)).status()
