"""`openrollup ctl` and its methods: each answers when the effect is there, and says what changed."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from rollup.cheats import Cheats
from rollup.cheats.garbage import KINDS
from rollup.cli import ctl, main
from rollup.control import Control
from rollup.l1.reorgs import CONTENTS
from tests.node.asking import answer_ctl, asking, node_with_safe
from tests.node.test_snapshots import open_node, settle, state_of


@pytest.fixture
def node():
    with node_with_safe(3) as node:
        yield node


@pytest.fixture
def run(node, monkeypatch):
    """Runs a command line against the node, and returns its standard output."""
    answer_ctl(asking(node), monkeypatch)

    def run(line, exit_code=0):
        result = CliRunner().invoke(main, ["ctl", *line.split()])
        assert result.exit_code == exit_code, result.output
        return result.output

    return run


def json_of(output):
    """The answer, without what the node in this process logs before it."""
    return json.loads(output.splitlines()[-1])


def test_every_verb_says_what_changed(node, run):
    head = node.l1.chain.head.number
    assert "L1 +2 blocks, L2 +" in run("l1 mine 2")
    assert node.l1.chain.head.number == head + 2
    assert "snapshot 1" in run("snapshot")
    old = node.l1.chain.head.hash
    assert "the verifier is equal" in run("l1 reorg 1")
    assert node.l1.chain.canonical_hash(head + 2) != old
    answer = json_of(run("time +1m --json"))
    assert answer["seconds"] == 60
    assert answer["l2Blocks"] >= 30
    assert "snapshot 1" in run("revert 1")
    assert node.l1.chain.head.hash == old
    assert "no snapshot 1" in run("revert 1", exit_code=1)
    assert "L1 +1 block, L2 +" in run("l1 mine")
    settle(node)


@pytest.mark.parametrize("contents", CONTENTS)
def test_a_reorganisation_says_in_how_many_l1_blocks_it_healed(node, run, contents):
    node.run_until_safe(10)
    safe = node.safe_head.number
    answer = json_of(run(f"l1 reorg 3 --with {contents} --json"))
    assert answer["safeBefore"] == safe
    assert 0 <= answer["healedIn"] <= 10
    assert node.safe_head.number >= safe
    assert node.is_verifier_equal()


def test_a_chain_that_does_not_heal_is_reported(node, run):
    node.run_until_safe(10)
    run("batcher stop")
    assert "not healed" in run("l1 reorg 3")
    head = node.l1.chain.head.number
    assert "healedIn" not in json_of(run("l1 reorg 1 --no-heal --json"))
    assert node.l1.chain.head.number == head
    settle(node)


def test_l1_s_head_is_final_at_once(node, run):
    node.run_until_safe(6)
    run("l1 finalize")
    assert node.l1.chain.finalized.number == node.l1.chain.head.number
    assert node.l2.chain.finalized.number == node.safe_head.number
    assert "finalized" in run("l1 reorg 1", exit_code=1)
    settle(node)


@pytest.mark.parametrize("kind", KINDS)
def test_garbage_is_dropped_by_its_rule_on_a_running_chain(node, run, kind):
    answer = json_of(run(f"batcher post-garbage {kind} --json"))
    assert KINDS[kind].rule.code in [drop["rule"] for drop in answer["dropped"]]
    assert node.l1.chain.find_transaction(bytes.fromhex(answer["l1Transaction"][2:])).block_number == answer["l1Block"]
    settle(node)


def test_every_kind_of_garbage_is_listed(run):
    lines = run("batcher post-garbage --list").splitlines()
    assert [line.split()[0] for line in lines] == list(KINDS)
    assert json_of(run("batcher post-garbage --json")).keys() == KINDS.keys()
    assert "no kind of garbage" in run("batcher post-garbage rubbish", exit_code=1)


def test_the_time_is_moved_to_a_time(node, run):
    start = int(node.clock.now())
    run(f"time to {start + 20}")
    assert node.clock.now() == start + 20
    later = datetime.fromtimestamp(start + 40, UTC).isoformat()
    run(f"time to {later}")
    assert node.clock.now() == start + 40
    for wrong in ("2026-11-27", "tomorrow", "2026-11-27T10:00:00"):
        with pytest.raises(ValueError, match="is expected"):
            ctl.unix_time(wrong)


def test_a_dump_is_a_file_that_a_node_starts_from(node, run, tmp_path):
    assert "bytes" in run(f"dump {tmp_path / 'node.dump'}")
    loaded = open_node(load=tmp_path / "node.dump")
    assert state_of(loaded)[:2] == state_of(node)[:2]
    loaded.close()
    assert "No such file" in run(f"dump {tmp_path / 'missing' / 'node.dump'}", exit_code=1)


def test_new_events_are_followed(node, run, monkeypatch):
    def mine_and_end(seconds, seen=[]):  # noqa: B006 (counts the calls)
        seen.append(seconds)
        if len(seen) > 1:
            raise KeyboardInterrupt
        Cheats(node).l1.mine()

    monkeypatch.setattr(ctl, "sleep", mine_and_end)
    lines = run("events --count 1 --follow", exit_code=130).splitlines()  # as a shell says of Ctrl-C
    found = [json.loads(line)["event"] for line in lines if line.startswith("{")]
    assert len(found) > 1
    assert "L2BlockBuilt" in found[1:]


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
    status = json_of(run("status --json"))
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
    ask = asking(node, is_strict=True)
    assert "--strict" in ask("rollup", "openrollup_mineL1")["error"]["message"]
    assert ask("rollup", "openrollup_status")["result"] == Control(Cheats(node)).status()
