"""A block is filled before its time: what it then has, and when that is thrown away."""

import asyncio
from itertools import count

import pytest
from structlog.testing import capture_logs

from rollup.clock import SystemClock
from rollup.execution.overrides import StateOverride
from rollup.node import Node, NodeParams
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from sequencer.origin_selector import OriginMissing
from sequencer.sequencer import _MANY

GWEI = 10**9
GENESIS_TIME = 1_700_000_000
BOB = USERS[9].address


@pytest.fixture
def node():
    """A node by a virtual clock. Its builder's clock advances by a microsecond with each reading."""
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=GENESIS_TIME))
    readings = count()
    node.l2.engine.seconds = lambda: next(readings) / 1e6
    yield node
    node.close()


def transfer(user, nonce, tip=GWEI, cap=100 * GWEI, to=BOB):
    transaction = Transaction(
        DYNAMIC_FEE,
        nonce=nonce,
        gas_limit=21_000,
        to=to,
        value=1,
        chain_id=901,
        max_fee_per_gas=cap,
        max_priority_fee_per_gas=tip,
    )
    return transaction.signed(USERS[user].private_key)


def send(node, transactions):
    return node.l2.pool.add_many([transaction.encode() for transaction in transactions])


def send_many(node, user=0, first=0):
    return send(node, [transfer(user, first + index) for index in range(_MANY)])


def built(node):
    node.clock.advance(2)
    return [transaction.hash for transaction in node.build_l2().transactions[1:]]


def test_what_came_first_stays_first_and_the_rest_comes_at_the_blocks_time(node):
    early = send_many(node)
    assert node.sequencer.fills_ahead
    node.sequencer.fill_ahead()
    assert node.sequencer.is_filling_ahead
    assert not node.sequencer.fills_ahead, "everything that is there is taken"
    (better,) = send(node, [transfer(1, 0, tip=50 * GWEI)])
    assert not node.sequencer.fills_ahead, "one more is not worth a part"
    assert built(node) == [*early, better]
    assert len(node.l2.pool) == 0


def test_later_parts_go_on_after_the_nonces_of_earlier_ones(node):
    hashes = send_many(node)
    node.sequencer.fill_ahead()
    for part in (1, 2):
        hashes += send_many(node, first=part * _MANY)
        assert node.sequencer.fills_ahead
        node.sequencer.fill_ahead()
        assert not node.sequencer.fills_ahead
    assert built(node) == hashes


def test_a_block_filled_ahead_is_derived_like_any_other(node):
    send_many(node)
    node.sequencer.fill_ahead()
    assert len(built(node)) == _MANY
    node.run_until_safe(3)
    assert node.is_verifier_equal()
    assert len(node.verifier.chain.known_block(node.verifier.chain.canonical_hash(1)).transactions) == _MANY + 1


def test_a_transaction_that_was_replaced_or_dropped_is_not_in_the_block(node):
    send_many(node)
    replaced, dropped = transfer(1, 0), transfer(2, 0)
    send(node, [replaced, dropped])
    node.sequencer.fill_ahead()
    replacement = transfer(1, 0, tip=2 * GWEI, cap=200 * GWEI)
    send(node, [replacement])
    node.l2.pool.remove(dropped.hash)
    hashes = built(node)
    assert len(hashes) == _MANY + 1
    assert replacement.hash in hashes
    assert replaced.hash not in hashes
    assert dropped.hash not in hashes


def test_a_state_patch_of_the_next_block_is_in_it(node):
    send_many(node)
    node.sequencer.fill_ahead()
    node.patch("l2", USERS[5].address, StateOverride(balance=7))
    assert len(built(node)) == _MANY
    chain = node.l2.chain
    assert chain.state_at(chain.head.hash).account(USERS[5].address).balance == 7
    node.run_until_safe(2)
    assert node.is_verifier_equal()


def test_limits_of_the_throttle_hold_for_what_was_taken_before_them(node):
    send_many(node)
    node.sequencer.fill_ahead()
    node.l2.engine.max_da_block = 250  # each transaction is the estimate's least, 100 bytes
    assert len(built(node)) == 2
    node.sequencer.fill_ahead()
    assert len(built(node)) == 2


def test_after_a_snapshot_is_restored_the_block_has_what_the_pool_has(node):
    send(node, [transfer(1, 0)])
    number = node.snapshots.take()
    send_many(node)
    node.sequencer.fill_ahead()
    node.snapshots.revert(number)
    assert built(node) == [transfer(1, 0).hash]


def test_a_head_that_moved_meanwhile_gets_a_block_of_its_own(node):
    hashes = send_many(node)
    node.sequencer.fill_ahead()
    node.clock.advance(2)
    node.build_l2(takes_pool=False)
    assert not node.sequencer.is_filling_ahead
    assert built(node) == hashes
    node.run_until_safe(3)
    assert node.is_verifier_equal()


def test_the_origin_is_that_of_the_moment_at_which_the_block_was_begun(node):
    send_many(node)
    node.sequencer.fill_ahead()
    while node.l1.chain.head.number < 1:
        node.clock.advance(node.l1.miner.next_block_time - node.clock.now())
        node.mine_l1()
    node.build_l2()
    assert node.sequencer.unsafe_head.l1_origin.number == 0
    while node.sequencer.is_due():
        node.build_l2()
    assert node.sequencer.unsafe_head.l1_origin.number == 1


def test_an_origin_that_left_l1_is_not_used(node):
    node.run_until_safe(8)
    send_many(node)
    node.sequencer.fill_ahead()
    assert node.sequencer.is_filling_ahead
    old = node.sequencer._open.origin
    node.l1.miner.reorg(node.l1.chain.head.number - old.number + 1)
    assert not node.l1.chain.is_canonical(old.hash)
    while node.l1.chain.head.number <= old.number:
        node.clock.advance(max(node.l1.miner.next_block_time - node.clock.now(), 0))
        node.mine_l1()
    while node.l2.pool.counts()[0]:
        node.clock.advance(2)
        node.build_l2()
    head = node.sequencer.unsafe_head
    assert node.l1.source.ref_by_number(head.l1_origin.number).hash == head.l1_origin.hash
    node.run_until_safe(head.number)
    assert node.is_verifier_equal()


@pytest.mark.parametrize("prevent", ["instant", "on_demand", "stopped", "few"])
def test_blocks_that_come_at_once_or_on_demand_or_of_few_transactions_are_not_filled_ahead(node, prevent):
    if prevent == "few":
        send(node, [transfer(0, 0)])
    else:
        send_many(node)
    if prevent == "stopped":
        node.sequencer.stop()
    elif prevent != "few":
        setattr(node.sequencer, prevent, True)
    node.sequencer.fill_ahead()
    assert not node.sequencer.fills_ahead
    assert not node.sequencer.is_filling_ahead


def test_a_block_that_cannot_be_begun_is_not_tried_again_and_again(node, monkeypatch):
    def missing(parent):
        raise OriginMissing("L1 is late")

    send_many(node)
    with monkeypatch.context() as patched:
        patched.setattr(node.sequencer.origins, "next_origin", missing)
        node.sequencer.fill_ahead()
        assert not node.sequencer.fills_ahead
    assert len(built(node)) == _MANY


def test_a_running_node_fills_a_block_before_its_time(monkeypatch):
    readings = count()
    monkeypatch.setattr(SystemClock, "now", lambda self: GENESIS_TIME + 0.002 * next(readings))
    monkeypatch.setattr("rollup.lanes._LONGEST_SLEEP", 0.01)
    node = Node.open(NodeParams(genesis_time=GENESIS_TIME, l1_block_time=2, l2_block_time=2, da="calldata"))
    fill_ahead, early = node.sequencer.fill_ahead, []

    def noted():
        early.append(not node.sequencer.is_due())
        fill_ahead()

    monkeypatch.setattr(node.sequencer, "fill_ahead", noted)

    async def run():
        task = asyncio.create_task(node.run())
        while not node.l2.chain.head.number:
            await asyncio.sleep(0)
        send_many(node)
        while len(node.l2.pool):
            assert not task.done()
            await asyncio.sleep(0)
        node.stop()
        await task

    with capture_logs():
        asyncio.run(run())
    assert any(early)
    node.close()
