"""Node.view, the event log, and the list of endpoints."""

import dataclasses

import pytest

from derivation.errors import Temporary
from rollup.events import BatchPosted, EventLog, Waiting
from rollup.execution.chain import Chain
from rollup.node import Node, NodeParams
from rollup.rpc.hosts import Hosts
from rollup.rpc.origins import Origins
from rollup.serve import PORTS, NodeServers


@pytest.fixture
def node():
    events = []
    opened = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, da="calldata"), events.append)
    opened.said = events
    yield opened
    opened.close()


def test_the_view_has_the_heads_of_the_three_chains(node):
    node.run_until_safe(12)
    view = node.view()
    for name, chain in (("l1", node.l1.chain), ("l2", node.l2.chain), ("verifier", node.verifier.chain)):
        heads = view.chains[name]
        for shown, block in ((heads.unsafe, chain.head), (heads.safe, chain.safe), (heads.finalized, chain.finalized)):
            assert (shown.number, shown.hash, shown.timestamp) == (block.number, block.hash, block.timestamp)
    assert view.is_verifier_equal
    assert view.l1_read == {"l2": node.l1.chain.head.number, "verifier": node.l1.chain.head.number}
    assert [view.next_l1_time, view.next_l2_time] == [
        node.l1.miner.next_block_time,
        node.sequencer.next_block_time,
    ]


def test_the_view_stays_as_it_was_when_the_node_moves(node):
    view = node.view()
    copy = dataclasses.asdict(view)
    node.run_until_safe(6)
    assert dataclasses.asdict(view) == copy
    assert node.view().chains["l2"].unsafe.number > view.chains["l2"].unsafe.number


def test_the_last_batches_are_those_that_were_reported(node):
    node.run_until_safe(20)
    posted = [event for event in node.said if isinstance(event, BatchPosted)]
    view = node.view()
    assert list(view.last_batches) == posted[-len(view.last_batches) :] != []
    assert view.batches_posted == len(posted)


def test_an_actor_is_in_waiting_for_only_while_it_waits(node, monkeypatch):
    def fail(takes_pool):
        raise Temporary("L1 does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(node.sequencer, "build_block", fail)
        assert node.build_l2() is None
        assert node.view().waiting_for["sequencer"] == "L1 does not answer"
    assert node.build_l2() is not None
    assert "sequencer" not in node.view().waiting_for


def test_the_log_hands_events_to_every_listener_and_keeps_the_newest():
    log, first, second = EventLog(remembered=3), [], []
    end = log.subscribe(first.append)
    log.subscribe(second.append)
    events = [Waiting("batcher", str(number)) for number in range(5)]
    for event in events[:4]:
        log.publish(event)
    end()
    log.publish(events[4])
    assert (first, second) == (events[:4], events)
    assert log.recent(2) == events[3:]
    assert log.recent(10) == events[2:]
    assert log.recent(0) == []


def test_each_endpoint_has_a_default_port_and_a_name_of_its_own(node):
    servers = NodeServers(node, PORTS, "127.0.0.1", bytes(32))
    assert servers.endpoints.keys() == PORTS.keys()
    assert len({endpoint.name for endpoint in servers.endpoints.values()}) == len(PORTS)
    assert len(set(PORTS.values())) == len(PORTS)
    for endpoint in servers.endpoints.values():
        endpoint.allow(Hosts(), Origins())


def test_a_view_reads_no_block_from_the_store(node, monkeypatch):
    node.run_until_safe(6)
    monkeypatch.setattr(Chain, "block", lambda self, name: pytest.fail("a block was read"))
    node.view()
