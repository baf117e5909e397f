"""A node by the machine's clock: work on one chain waits only for work on the same chain."""

import asyncio
from itertools import count

import pytest

from rollup.clock import SystemClock
from rollup.cooperative import pause
from rollup.events import L1BlockMined, L2BlockBuilt, SafeHeadMoved
from rollup.node import Node, NodeError, NodeParams
from rollup.store.kv import StoreError

GENESIS_TIME = 1_700_000_000
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def open_node(monkeypatch):
    """A node whose clock advances whenever it is read."""
    readings = count()
    monkeypatch.setattr(SystemClock, "now", lambda self: GENESIS_TIME + 0.05 * next(readings))
    monkeypatch.setattr("rollup.lanes._LONGEST_SLEEP", 0.01)
    events, nodes = [], []

    def make(**options):
        params = NodeParams(
            genesis_time=GENESIS_TIME, l1_block_time=2, l2_block_time=1, da="calldata", proposer=False, **options
        )
        nodes.append(Node.open(params, on_event=events.append))
        return nodes[-1], events

    yield make
    for node in nodes:
        node.close()


def hold(monkeypatch, target, name, is_released):
    """Has a method take, in turns, until a condition holds."""
    original = getattr(type(target), name)

    def slow(self, *arguments):
        while self is target and not is_released():
            pause()
        return original(self, *arguments)

    monkeypatch.setattr(type(target), name, slow)


def number(events, kind):
    return sum(isinstance(event, kind) for event in events)


async def run_until(node, condition):
    task = asyncio.create_task(node.run())
    while not condition():
        assert not task.done()
        await asyncio.sleep(0.001)
    node.stop()
    await task


def test_l2_blocks_are_built_while_an_l1_block_takes_long(open_node, monkeypatch):
    node, events = open_node()
    hold(monkeypatch, node.l1.miner, "mine", lambda: number(events, L2BlockBuilt) >= 4)
    asyncio.run(run_until(node, lambda: number(events, L1BlockMined)))
    assert number(events, L2BlockBuilt) >= 4


def test_l1_blocks_are_mined_while_an_l2_block_takes_long(open_node, monkeypatch):
    node, events = open_node()
    hold(monkeypatch, node.sequencer, "build_block", lambda: number(events, L1BlockMined) >= 3)
    asyncio.run(run_until(node, lambda: number(events, L2BlockBuilt)))
    assert number(events, L1BlockMined) >= 3


def test_l2_blocks_are_built_while_the_batcher_takes_long(open_node, monkeypatch):
    node, events = open_node()
    hold(monkeypatch, node.batcher, "step", lambda: number(events, L2BlockBuilt) >= 4)
    asyncio.run(run_until(node, lambda: number(events, SafeHeadMoved)))
    assert number(events, L2BlockBuilt) >= 4


def test_blocks_become_safe_while_the_verifier_takes_long_and_are_reported_with_it(open_node, monkeypatch):
    node, events = open_node()
    hold(monkeypatch, node.verifier.derivation, "sync", lambda: node.safe_head.number >= 3)
    asyncio.run(run_until(node, lambda: number(events, SafeHeadMoved)))
    first = next(event for event in events if isinstance(event, SafeHeadMoved))
    assert first.verifier_equal
    assert first.number <= first.verifier_number


def test_a_node_with_lanes_ends_when_a_block_is_safe_on_both_nodes(open_node):
    node, _ = open_node()
    asyncio.run(node.run(until_safe=2))
    assert min(node.safe_head.number, node.verifier.derivation.safe_head.number) >= 2
    assert node.verifier.chain.canonical_hash(2) == node.l2.chain.canonical_hash(2)


@pytest.mark.parametrize("actor", ["miner", "sequencer", "verifier"])
def test_an_error_in_any_lane_ends_the_node(open_node, monkeypatch, actor):
    node, _ = open_node()

    def fail(*_):
        raise StoreError("no space")

    target, name = {
        "miner": (node.l1.miner, "mine"),
        "sequencer": (node.sequencer, "build_block"),
        "verifier": (node.verifier.derivation, "step"),
    }[actor]
    original = getattr(type(target), name)
    monkeypatch.setattr(
        type(target), name, lambda self, *arguments: fail() if self is target else original(self, *arguments)
    )
    with pytest.raises(NodeError, match="no space"):
        asyncio.run(node.run())


def test_the_verifier_waits_in_a_rush_and_catches_up_after_it(open_node, monkeypatch):
    node, events = open_node()
    is_on, synced = [True], []
    original = type(node.verifier.derivation).sync

    def sync(self, *arguments):
        if self is node.verifier.derivation:
            synced.append(is_on[0])
        return original(self, *arguments)

    monkeypatch.setattr(type(node.verifier.derivation), "sync", sync)
    monkeypatch.setattr(node.rush, "is_on", lambda: is_on[0])

    def is_done():
        if number(events, L1BlockMined) >= 3:
            is_on[0] = False
        return node.verifier.derivation.safe_head.number > 0

    asyncio.run(run_until(node, is_done))
    assert synced
    assert not any(synced)
