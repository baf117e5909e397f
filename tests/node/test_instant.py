"""Instant mode: a block as soon as there is something to put in, the clock jumps to it, L1 follows within the drift."""

import pytest

from rollup.node import Node, NodeParams
from rollup.protocol.l2_blocks import l2_block_ref
from tests.node.node_process import GENESIS_TIME, L2, NodeProcess, call, transfer


@pytest.fixture
def node():
    node = Node.open(NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True, instant=True))
    node.advance()
    yield node
    node.close()


def origin_of(node, block):
    ref = l2_block_ref(node.devnet.rollup_config, block)
    return node.l1.chain.block(ref.l1_origin.hash)


def test_a_transaction_is_in_a_block_before_any_time_has_passed(node):
    head, now = node.l2.chain.head, node.clock.now()
    assert node.advance() == 0
    tx_hash = node.l2.pool.add(transfer(901, 0, 0).encode())
    assert node.next_due() == now
    assert node.advance() >= 1
    location = node.l2.chain.find_transaction(tx_hash)
    block = node.l2.chain.block(location.block_hash)
    assert block.header.parent_hash == head.hash
    assert block.timestamp == head.timestamp + node.params.l2_block_time
    assert node.clock.now() == block.timestamp


def test_without_transactions_blocks_keep_their_pace(node):
    assert node.next_due() == node.l2.chain.head.timestamp + 2
    node.clock.advance(2)
    assert node.advance() == 1
    assert node.l2.chain.head.timestamp == node.clock.now()


def test_many_in_a_row_are_a_block_each_and_l1_keeps_up(node):
    for nonce in range(120):
        tx_hash = node.l2.pool.add(transfer(901, 0, nonce).encode())
        while node.l2.chain.find_transaction(tx_hash) is None:
            assert node.advance() > 0
        head = node.l2.chain.head
        origin = origin_of(node, head)
        assert head.timestamp == GENESIS_TIME + 2 * head.number
        assert origin.timestamp <= head.timestamp <= origin.timestamp + 2 * node.params.l1_block_time
        assert node.l1.chain.head.timestamp <= node.clock.now()
    assert node.l2.chain.head.number >= 120
    node.run_until_safe(120)
    verified = node.verifier.derivation.safe_head
    assert verified.hash == node.l2.chain.canonical_hash(verified.number)
    assert verified.number >= 120


@pytest.mark.slow
def test_an_l1_that_stands_still_stops_instant_blocks_at_the_drift(node):
    """No block may be further from its origin than derivation takes, but for empty ones."""
    limit = 1800  # specs/protocol/fjord/derivation.md, "Constant Maximum Sequencer Drift"
    origin = origin_of(node, node.l2.chain.head)
    for nonce in range(limit):
        waiting = node.l2.pool.add(transfer(901, 0, nonce).encode())
        if not node.sequencer.is_due():
            break
        node.sequencer.build_block()
    head = node.l2.chain.head
    assert origin_of(node, head).hash == origin.hash
    assert head.timestamp == origin.timestamp + limit
    assert nonce == head.number
    assert node.l2.pool.get(waiting) is not None
    # L1 comes back: the transaction that waited gets in, and everything is derived.
    node.clock.advance(max(head.timestamp - node.clock.now(), 0))
    node.run_until_safe(head.number + 1)
    assert node.l2.chain.find_transaction(waiting) is not None
    verified = node.verifier.derivation.safe_head
    assert verified.hash == node.l2.chain.canonical_hash(verified.number)


def test_over_json_rpc_a_receipt_is_there_at_once():
    with NodeProcess("--instant", "--da=calldata", "--block-time=60", "--l1-block-time=120") as process:
        url = process.url(L2)
        for nonce in range(3):
            tx_hash = call(url, "eth_sendRawTransaction", "0x" + transfer(901, 0, nonce).encode().hex())
            built = process.wait_for("L2BlockBuilt", lambda event: event["transactions"])
            receipt = call(url, "eth_getTransactionReceipt", tx_hash)
            assert receipt["blockHash"] == built["hash"]
            assert receipt["status"] == "0x1"
