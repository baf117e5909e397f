"""The node's throttle: its own limits on the builder, and those of another batcher."""

from random import Random

import pytest

from rollup.node import Node, NodeParams
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction

GWEI = 10**9
THRESHOLD = 1_000


@pytest.fixture
def node(request):
    threshold = getattr(request, "param", THRESHOLD)
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, throttle_threshold=threshold))
    yield node
    node.close()


def send_noise(node, user, size):
    transaction = Transaction(
        DYNAMIC_FEE,
        gas_limit=500_000,
        to=USERS[9].address,
        data=Random(user).randbytes(size),
        chain_id=901,
        max_fee_per_gas=100 * GWEI,
        max_priority_fee_per_gas=GWEI,
    ).signed(USERS[user].private_key)
    return node.l2.pool.add(transaction.encode())


def built(node):
    node.clock.advance(2)
    return [transaction.hash for transaction in node.build_l2().transactions[1:]]


def limits(node):
    return node.l2.engine.max_da_transaction, node.l2.engine.max_da_block


def test_a_backlog_limits_the_next_block_and_a_safe_head_that_follows_lifts_the_limits(node):
    large, second = send_noise(node, 0, 5_000), send_noise(node, 1, 2_000)
    node.l2.engine.max_da_block = 5_000
    assert built(node) == [large]
    assert built(node) == []
    assert node.throttle.backlog > 4 * THRESHOLD
    assert limits(node) == (150, 2_000)
    safe = node.run_until_safe(3)
    node.run_until_safe(safe.number + 12)
    assert limits(node) == (None, None)
    assert node.l2.chain.find_transaction(second) is not None
    assert node.is_verifier_equal()


def test_a_stopped_batcher_has_no_limits_and_leaves_those_of_another_one(node):
    send_noise(node, 0, 5_000)
    built(node)
    built(node)
    assert limits(node) == (150, 2_000)
    node.batcher.stop()
    built(node)
    assert limits(node) == (None, None)
    node.l2.engine.max_da_transaction, node.l2.engine.max_da_block = 77, 7_777
    built(node)
    assert limits(node) == (77, 7_777)
    node.batcher.start()
    built(node)
    assert limits(node) == (150, 2_000)


@pytest.mark.parametrize("node", [0], indirect=True)
def test_a_threshold_of_zero_turns_the_throttle_off(node):
    send_noise(node, 0, 5_000)
    built(node)
    built(node)
    assert limits(node) == (None, None)
