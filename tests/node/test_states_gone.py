"""A directory whose L2 states are gone starts again, derives from L1, and says what it did."""

import pytest

from rollup import recovery
from rollup.cli.screen import event_line
from rollup.events import Recovering
from rollup.execution.chain import POINTERS
from rollup.execution.state.database import DIFFS, FLAT_ACCOUNTS, FLAT_STORAGE, NODES, PLACES, REFERENCES
from rollup.node import NodeError
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.store.kv import LmdbStore
from tests.node.node_process import transfer
from tests.node.test_stalled_safe_head import must_agree, open_node, post, run_to
from tests.scenarios.test_hostile_batcher import singular


def stopped_with_an_unsafe_transfer(folder):
    """A node's directory with a transfer in a block after the safe head; head, safe head, and its hash."""
    node = open_node(folder)
    node.run_until_safe(20)
    node.batcher.stop()
    run_to(node, l1=node.l1.chain.head.number + 3)
    sent = node.l2.pool.add(transfer(901, 0, 0).encode())
    while node.l2.chain.find_transaction(sent) is None:
        run_to(node, l2=node.l2.chain.head.number + 1)
    head, safe = node.l2.chain.head, node.l2.chain.safe
    node.close()
    return head, safe, sent


def delete(folder, tables, keys=None):
    store = LmdbStore.open(folder)
    with store.write() as batch:
        for table in tables:
            for key in keys or [key for key, _ in store.scan(table)]:
                batch.delete(table, key)
    store.close()


def post_another_block(node):
    """Posts, with the batcher's key, a block after the safe head that has a transfer which the sequencer's has not."""
    parent = node.l2.derivation.safe_head
    target = node.l2.chain.block_by_number(parent.number + 1)
    origin = l2_block_ref(node.devnet.rollup_config, target).l1_origin
    raw = transfer(901, 1, 0).encode()
    data = singular(
        parent=parent.hash, epoch=origin.number, epoch_hash=origin.hash, time=target.timestamp, transactions=[raw]
    )
    post(node, data)


def goes_on(node, sent):
    """Both verifiers come to be equal over new blocks, and the acknowledged transfer is in the chain."""
    node.run_until_safe(max(node.l2.chain.head.number, 25) + 15)
    run_to(node, l1=node.l1.chain.head.number + 1)
    must_agree(node)
    assert node.is_verifier_equal()
    assert node.l2.chain.find_transaction(sent) is not None


def test_without_the_heads_state_it_goes_back_to_the_newest_safe_state(tmp_path):
    head, safe, sent = stopped_with_an_unsafe_transfer(tmp_path)
    delete(tmp_path / "l2", [NODES], [head.header.state_root])
    node = open_node(tmp_path)
    (back,) = node.recoveries
    assert (back.chain, back.head_before, back.number) == ("L2", head.number, safe.number)
    assert node.l2.chain.is_canonical(safe.hash)
    assert f"from block {head.number} to block {safe.number}" in event_line(back)
    goes_on(node, sent)
    node.close()
    again = open_node(tmp_path)
    assert again.recoveries == []
    again.close()


def test_a_recovery_reports_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(recovery, "_STEPS", 5)
    monkeypatch.setattr(recovery, "_REPORTED_EVERY", 2)
    _, _, sent = stopped_with_an_unsafe_transfer(tmp_path)
    delete(tmp_path / "l2", [NODES])
    events = []
    node = open_node(tmp_path, events.append)
    told = [event for event in events if isinstance(event, Recovering)]
    assert len(told) > 2
    assert {event.chain for event in told} == {"L2"}
    assert [event.l1_block for event in told] == sorted(event.l1_block for event in told)
    assert all(0 <= event.l1_block <= event.l1_head == node.l1.chain.head.number for event in told)
    assert told[-1].safe > told[0].safe
    assert [type(event).__name__ for event in events] == ["Recovering"] * len(told)
    goes_on(node, sent)
    node.close()


@pytest.mark.parametrize(
    "tables",
    [[NODES], [NODES, REFERENCES, FLAT_ACCOUNTS, FLAT_STORAGE, DIFFS, PLACES]],
    ids=["tries", "every state"],
)
def test_without_any_state_both_chains_begin_at_genesis_and_are_the_same_again(tmp_path, tables):
    _, safe, sent = stopped_with_an_unsafe_transfer(tmp_path)
    for folder in ("l2", "verifier"):
        delete(tmp_path / folder, tables)
    node = open_node(tmp_path)
    assert [(back.chain, back.number, back.head) for back in node.recoveries] == [
        ("L2", 0, safe.number),
        ("verifier", 0, safe.number),
    ]
    assert node.l2.chain.safe.hash == node.verifier.chain.safe.hash == safe.hash
    goes_on(node, sent)
    node.close()


def test_a_contradicted_block_below_the_states_kept_ends_a_run_once_and_the_next_start_follows_l1(tmp_path):
    node = open_node(tmp_path)
    node.run_until_safe(20)
    node.batcher.stop()
    run_to(node, l1=node.l1.chain.head.number + 3)
    safe = node.l2.chain.safe
    sent = node.l2.pool.add(transfer(901, 0, 0).encode())
    run_to(node, l2=safe.number + 1)
    while node.l2.chain.find_transaction(sent) is None:
        run_to(node, l2=node.l2.chain.head.number + 1)
    run_to(node, l2=node.l2.chain.head.number + 10)
    # As an older version left it: the states of all but the newest blocks are pruned.
    chain = node.l2.chain
    with chain.store.write() as batch:
        for number in range(1, chain.head.number - 3):
            chain.states.prune_block(batch, chain.canonical_hash(number), True)
            batch.put(POINTERS, b"pruned", number.to_bytes(8, "big"))
    node.close()

    node = open_node(tmp_path)
    assert node.recoveries == []  # nothing on L1 contradicts the chain yet, so nothing is lost
    before = node.l2.chain.canonical_hash(safe.number + 1)
    run_to(node, l2=node.l2.chain.head.number + 1)
    post_another_block(node)
    with pytest.raises(NodeError, match="too old to go back to"):
        run_to(node, l1=node.l1.chain.head.number + 3)
    node.close()

    again = open_node(tmp_path)
    (back,) = again.recoveries
    assert (back.chain, back.number) == ("L2", 0)
    assert "too old to go back to" in back.reason
    assert again.l2.chain.canonical_hash(safe.number + 1) != before
    goes_on(again, sent)
    again.close()
