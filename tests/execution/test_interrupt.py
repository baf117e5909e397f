"""What takes too long is ended for a call and for the pool's transactions, and runs to its end in others' blocks."""

from itertools import count

import pytest

from rollup.execution.block_builder import context_of_header
from rollup.execution.calls import CallError, CallRequest, call
from rollup.node import Node, NodeParams
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction

ALICE, BOB, CAROL = USERS[:3]
BLAKE2F = (9).to_bytes(20, "big")
ROUNDS = (100_000).to_bytes(4, "big") + bytes(209)


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


def test_a_call_ends_when_it_is_told_to(node):
    head = node.l2.chain.head
    context = context_of_header(node.devnet.l2_config, head.header, head.header)
    state = node.l2.chain.states.reader_at(head.header.state_root)
    request = CallRequest(to=BLAKE2F, data=ROUNDS)
    assert call(context, state, request, lambda _: None).error is None
    asked = count()

    def third_time():
        if next(asked) == 3:
            raise CallError("enough")

    with pytest.raises(CallError, match="enough"):
        call(context, state, request, lambda _: None, check_interrupt=third_time)


def test_a_builder_in_a_hurry_drops_what_takes_too_long(node):
    pool, chain = node.l2.pool, node.l2.chain
    slow, quick = transaction(ALICE, BLAKE2F, ROUNDS), transaction(BOB, CAROL.address)
    pool.add(slow.encode())
    pool.add(quick.encode())
    node.l2.engine.seconds = hurried_clock()
    node.run_until_safe(1)
    included = {
        tx.hash for number in range(1, chain.head.number + 1) for tx in chain.block_by_number(number).transactions
    }
    assert quick.hash in included
    assert slow.hash not in included
    assert pool.get(slow.hash) is None


def test_l1_in_a_hurry_drops_what_takes_too_long(node):
    pool, chain = node.l1.pool, node.l1.chain
    slow, quick = transaction(ALICE, BLAKE2F, ROUNDS, 900), transaction(BOB, CAROL.address, chain_id=900)
    pool.add(slow.encode())
    pool.add(quick.encode())
    node.l1.miner.seconds = hurried_clock()
    mined = {tx.hash for tx in node.mine_l1().transactions} | {tx.hash for tx in node.mine_l1().transactions}
    assert quick.hash in mined
    assert slow.hash not in mined
    assert pool.get(slow.hash) is None
    assert chain.head.number == 2


def test_a_block_that_has_it_is_executed_whoever_is_in_a_hurry(node):
    slow = transaction(ALICE, BLAKE2F, ROUNDS)
    node.l2.pool.add(slow.encode())
    node.verifier.engine.seconds = hurried_clock()
    head = node.run_until_safe(1)
    assert node.verifier.chain.canonical_hash(head.number) == head.hash
    assert slow.hash in {tx.hash for tx in node.verifier.chain.block_by_number(1).transactions}
