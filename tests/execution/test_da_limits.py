"""The batcher's throttle: what the builder takes from the pool is bounded by its compressed size."""

from random import Random

import pytest

from rollup.node import Node, NodeParams
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction

GWEI = 10**9
NOISE, ONE_LETTER = Random(1).randbytes(2_000), b"\x07" * 2_000


@pytest.fixture
def node():
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000))
    yield node
    node.close()


def send(node, user, data):
    transaction = Transaction(
        DYNAMIC_FEE,
        gas_limit=200_000,
        to=USERS[9].address,
        data=data,
        chain_id=901,
        max_fee_per_gas=100 * GWEI,
        max_priority_fee_per_gas=GWEI,
    ).signed(USERS[user].private_key)
    return node.l2.pool.add(transaction.encode())


def built(node):
    node.clock.advance(2)
    return {transaction.hash for transaction in node.build_l2().transactions[1:]}


def test_a_transaction_counts_as_small_as_it_compresses(node):
    noise, small = send(node, 0, NOISE), send(node, 1, ONE_LETTER)
    node.l2.engine.max_da_transaction = 1_000
    assert built(node) == {small}
    node.l2.engine.max_da_transaction = None
    assert built(node) == {noise}


def test_a_block_takes_as_many_as_its_limit_has_room_for(node):
    hashes = {send(node, user, b"") for user in range(5)}
    node.l2.engine.max_da_block = 250  # each is the estimate's least, 100 bytes
    first = built(node)
    assert len(first) == 2
    node.l2.engine.max_da_block = None
    assert built(node) == hashes - first
