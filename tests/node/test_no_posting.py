"""--da none: blocks are built and never posted. Nothing complains of it, and nothing waits for a safe block."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from click.testing import CliRunner
from rich.console import Console

from rollup.cli import main
from rollup.cli.screen import FirstScreen, show_first_screen
from rollup.events import BatchPosted, Event, OutputProposed, SafeHeadMoved, Stalled
from rollup.node import Node, NodeError, NodeParams

EVENTS: list[Event] = []


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    EVENTS.clear()
    opened = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, da="none"), EVENTS.append)
    while opened.l2.chain.head.number < 120:
        if not opened.advance():
            opened.clock.advance(max(opened.next_due() - opened.clock.now(), 0))  # type: ignore[union-attr]
    yield opened
    opened.close()


def test_blocks_are_built_and_none_becomes_safe(node: Node) -> None:
    view = node.view()
    assert view.chains["l2"].unsafe.number >= 120
    assert view.chains["l2"].safe.number == view.chains["verifier"].unsafe.number == 0
    assert view.chains["l1"].unsafe.number >= 15, "more than ten L1 blocks: by then a posting node would complain"
    assert not [event for event in EVENTS if isinstance(event, BatchPosted | OutputProposed | SafeHeadMoved)]


def test_a_node_that_posts_nothing_reports_no_stall(node: Node) -> None:
    assert node.view().stalls == {}
    assert not [event for event in EVENTS if isinstance(event, Stalled)]
    assert node.view().unsafe_da_bytes == 0, "the throttle does not look"
    assert not node.view().is_active["proposer"]


def test_no_sequencing_window_ends_the_chain(node: Node) -> None:
    assert node.devnet.rollup_config.seq_window_size == 2**40


def test_a_run_that_waits_for_a_safe_block_is_refused(node: Node) -> None:
    with pytest.raises(NodeError, match="no block becomes safe"):
        node.run_until_safe(1)
    done = CliRunner().invoke(main, ["run", "--da", "none", "--until-block", "3"])
    assert done.exit_code == 2
    assert "--until-block waits for a safe block" in done.output


def test_a_batcher_that_is_started_by_hand_posts_after_all(node: Node) -> None:
    with node.snapshots.anchor():
        node.batcher.start()
        while node.l2.chain.safe.number < 100:
            if not node.advance():
                node.clock.advance(max(node.next_due() - node.clock.now(), 0))  # type: ignore[union-attr]
        assert node.view().is_verifier_equal


@pytest.mark.parametrize("is_on", [True, False])
@pytest.mark.parametrize(("part", "option"), [("posted", "--da none"), ("verified", "--verifier off")])
def test_the_first_screen_says_what_is_left_out(part: str, option: str, is_on: bool) -> None:
    screen = FirstScreen(
        [("L2 JSON-RPC", "http://127.0.0.1:9545")], [], [(b"\1" * 20, b"\2" * 32, 1)], [], [], [], True
    )
    changed = replace(screen, **{f"is_{part}": is_on})
    console = Console(width=200, record=True, file=None)
    with console.capture() as shown:
        show_first_screen(console, changed)
    assert (option in shown.get()) is not is_on
    assert changed.to_json()[part] is is_on


def test_the_pool_has_the_limits_that_were_chosen() -> None:
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, pool_limit=7, pool_sender_limit=3))
    try:
        assert node.l2.pool is not None
        assert (node.l2.pool.limits.total, node.l2.pool.limits.account_pending) == (7, 3)
        assert node.l1.pool.limits.total == 131_072
    finally:
        node.close()
