"""A call or a pool transaction that takes too long is stopped. In a block of others it runs to its end."""

from itertools import count

import pytest
from eth.exceptions import OutOfGas

from rollup.execution.block_context import context_of_header
from rollup.execution.calls import CallError, CallRequest, call
from rollup.node import Node, NodeParams
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction

ALICE, BOB, CAROL = USERS[:3]
LOOP = bytes.fromhex("5b600056")  # init code that never ends


@pytest.fixture
def node():
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, da="calldata"))
    try:
        yield node
    finally:
        node.close()


def transaction(user, to, data=b"", chain_id=901):
    return Transaction(
        DYNAMIC_FEE,
        gas_limit=300_000,
        to=to,
        data=data,
        chain_id=chain_id,
        max_fee_per_gas=100 * 10**9,
        max_priority_fee_per_gas=10**9,
    ).signed(user.private_key)


def hurried_clock():
    """Six seconds pass whenever it is looked at."""
    return count(0, 6).__next__


def test_a_call_ends_when_interrupted(node):
    head = node.l2.chain.head
    context = context_of_header(node.devnet.l2_config, head.header, head.header)
    state = node.l2.chain.states.reader_at(head.header.state_root)
    request = CallRequest(data=LOOP, gas=200_000)
    assert isinstance(call(context, state, request, lambda _: None).error, OutOfGas)
    asked = count()

    def third_time():
        if next(asked) == 3:
            raise CallError("enough")

    with pytest.raises(CallError, match="enough"):
        call(context, state, request, lambda _: None, check_interrupt=third_time)


def test_a_transaction_too_slow_for_a_block_stays_in_the_pool_and_is_executed_ahead_of_another(node):
    pool, chain = node.l2.pool, node.l2.chain
    slow, quick = transaction(ALICE, None, LOOP), transaction(BOB, CAROL.address)
    pool.add(slow.encode())
    pool.add(quick.encode())
    node.l2.engine.seconds = hurried_clock()
    node.build_l2()
    assert pool.get(slow.hash) == slow
    assert node.sequencer.execute_ahead()
    node.run_until_safe(3)
    found = [[tx.hash for tx in chain.block_by_number(number).transactions[1:]] for number in (1, 2, 3)]
    assert any(slow.hash in hashes for hashes in found)
    assert any(quick.hash in hashes for hashes in found)
    assert node.verifier.chain.canonical_hash(3) == chain.canonical_hash(3)


def test_l1_does_the_same_with_a_transaction_too_slow_for_a_block(node):
    pool = node.l1.pool
    slow, quick = transaction(ALICE, None, LOOP, 900), transaction(BOB, CAROL.address, chain_id=900)
    pool.add(slow.encode())
    pool.add(quick.encode())
    node.l1.miner.seconds = hurried_clock()
    first = [tx.hash for tx in node.mine_l1().transactions]
    assert slow.hash not in first
    assert pool.get(slow.hash) == slow
    assert node.l1.miner.execute_ahead()
    mined = [[tx.hash for tx in node.mine_l1().transactions] for _ in range(2)]
    assert any(slow.hash in hashes for hashes in mined)
    assert any(quick.hash in hashes for hashes in (first, *mined))


def test_a_block_that_has_it_is_executed_whoever_is_in_a_hurry(node):
    slow = transaction(ALICE, None, LOOP)
    node.l2.pool.add(slow.encode())
    node.verifier.engine.seconds = hurried_clock()
    head = node.run_until_safe(1)
    assert node.verifier.chain.canonical_hash(head.number) == head.hash
    assert slow.hash in {tx.hash for tx in node.verifier.chain.block_by_number(1).transactions}
