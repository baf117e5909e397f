"""Snapshots: after a revert the same actions give the same blocks on all three chains, and the verifier is equal."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rollup.l1.miner import ReorgError
from rollup.node import Node, NodeParams
from rollup.pool.errors import PoolError
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from rollup.store.kv import StoreError

GENESIS_TIME = 1_700_000_000
GWEI = 10**9


def open_node(folder=None, **options):
    return Node.open(
        NodeParams(
            data_dir=folder,
            genesis_time=GENESIS_TIME,
            virtual_clock=True,
            **{"da": "calldata", "l1_block_time": 4, **options},
        )
    )


def send(node, layer, sender, value):
    """A transfer into a layer's pool; refused ones count as well."""
    pool, chain_id = {"l1": (node.l1.pool, 900), "l2": (node.l2.pool, 901)}[layer]
    account = USERS[sender]
    transaction = Transaction(
        DYNAMIC_FEE,
        nonce=pool.nonce(account.address) + value % 2,  # odd values wait behind a gap
        gas_limit=21_000,
        to=USERS[0].address,
        value=value,
        data=b"",
        chain_id=chain_id,
        max_fee_per_gas=100 * GWEI + value,
        max_priority_fee_per_gas=GWEI + value,
    ).signed(account.private_key)
    try:
        pool.add(transaction.encode())
    except PoolError:
        pass


def mine(node):
    node.clock.advance(max(node.l1.miner.next_block_time - node.clock.now(), 0))
    node.mine_l1()


def build(node):
    if not node.advance(1):
        node.clock.advance(max(node.next_due() - node.clock.now(), 0))
        node.advance(1)


def reorganise(node, depth):
    try:
        node.l1.miner.reorg(depth)
    except ReorgError:
        return
    node.clock.advance(max(node.l1.chain.head.timestamp - node.clock.now(), 0))
    node.read_l1()


def switch(node):
    (node.batcher.stop if node.batcher.is_active else node.batcher.start)()


def flush(node):
    node.batcher.flush()
    node.read_l1()


ACTIONS = st.lists(
    st.one_of(
        st.just((mine,)),
        st.just((build,)),
        st.just((build,)),
        st.just((switch,)),
        st.just((flush,)),
        st.tuples(st.just(reorganise), st.integers(1, 3)),
        st.tuples(st.just(send), st.sampled_from(["l1", "l2"]), st.integers(1, 3), st.integers(1, 9)),
    ),
    min_size=1,
    max_size=14,
)


def do(node, actions):
    for action, *arguments in actions:
        action(node, *arguments)


def state_of(node):
    """Everything that a user could see of the chains and pools."""
    chains = node.l1.chain, node.l2.chain, node.verifier.chain
    heads = [(chain.head.hash, chain.safe.hash, chain.finalized.hash) for chain in chains]
    pools = [
        {address: [item.hash for item in items] for address, items in (content.pending | content.queued).items()}
        for content in (node.l1.pool.content(), node.l2.pool.content())
    ]
    records = [layer.derivation.safe_head_at_l1(2**40) for layer in (node.l2, node.verifier)]
    return heads, pools, records, node.clock.now(), node.view().waiting_for.get("batcher"), node.batcher.is_active


def history_of(node):
    return [
        [chain.canonical_hash(number) for number in range(chain.head.number + 1)]
        for chain in (node.l1.chain, node.l2.chain, node.verifier.chain)
    ]


def settle(node):
    """Starts the batcher, makes the head safe and compares the two nodes."""
    node.batcher.start()
    node.run_until_safe(node.l2.chain.head.number)
    assert node.is_verifier_equal()


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],  # to shrink a script of a whole node takes minutes
)
@given(ACTIONS, ACTIONS, ACTIONS)
def test_after_a_revert_the_same_actions_give_the_same_blocks(before, between, after):
    node = open_node()
    try:
        do(node, before)
        number, then = node.snapshots.take(), state_of(node)
        do(node, after)
        first = state_of(node), history_of(node)
        assert node.snapshots.revert(number)
        assert state_of(node) == then
        with node.anchor():  # something else happens, and is undone
            do(node, between)
        assert state_of(node) == then
        do(node, after)
        assert (state_of(node), history_of(node)) == first
        settle(node)
    finally:
        node.close()


@pytest.mark.parametrize(("da", "last"), [("calldata", 60), ("blobs", 28)])
def test_a_revert_goes_below_the_finalized_block_and_the_batches_are_posted_again(da, last):
    node = open_node(da=da)
    node.run_until_safe(4)
    send(node, "l2", 1, 2)
    number, then = node.snapshots.take(), state_of(node)
    finalized = node.l2.chain.finalized.number
    node.run_until_safe(last)
    assert node.l2.chain.finalized.number > finalized
    first = history_of(node)
    assert node.snapshots.revert(number)
    assert state_of(node) == then
    node.run_until_safe(last)
    assert history_of(node) == first
    assert node.is_verifier_equal()
    node.close()


def test_pruning_leaves_the_states_that_a_snapshot_needs():
    node = open_node(l1_block_time=2)
    for chain in (node.l1.chain, node.l2.chain, node.verifier.chain):
        chain.states.history = 4
    node.run_until_safe(3)
    number, then = node.snapshots.take(), state_of(node)
    node.run_until_safe(60)
    assert node.snapshots.revert(number)
    assert state_of(node) == then
    node.run_until_safe(60)
    node.snapshots.forget(1)
    assert node.l2.chain.stat()["oldest_state"] > 3  # without the snapshot, pruning continues
    node.close()


def test_a_revert_forgets_its_snapshot_and_the_later_ones():
    node = open_node()
    first, second, third = (node.snapshots.take() for _ in range(3))
    assert [first, second, third] == [1, 2, 3]
    assert node.snapshots.revert(second)
    assert not node.snapshots.revert(second)
    assert not node.snapshots.revert(third)
    assert not node.snapshots.revert(99)
    assert node.snapshots.take() == 4  # numbers are not used again
    assert node.snapshots.revert(first)
    assert not node.snapshots.revert(4)
    node.close()


@pytest.mark.parametrize("stopped_at", ["L2", "verifier", "L1", "derivation"])
def test_a_node_killed_while_it_reverts_starts_again(tmp_path, monkeypatch, stopped_at):
    node = open_node(tmp_path)
    node.run_until_safe(6)
    number = node.snapshots.take()
    node.run_until_safe(40)
    broken = {
        "L2": node.l2.chain,
        "verifier": node.verifier.chain,
        "L1": node.l1.chain,
        "derivation": node.l2.derivation,
    }[stopped_at]

    def kill(state):
        raise StoreError("killed")

    monkeypatch.setattr(broken, "restore", kill)
    with pytest.raises(StoreError):
        node.snapshots.revert(number)
    node.close()

    again = open_node(tmp_path)
    settle(again)
    again.run_until_safe(again.l2.chain.head.number + 10)
    assert again.is_verifier_equal()
    again.close()


def test_a_data_directory_that_was_reverted_starts_again_where_it_was(tmp_path):
    node = open_node(tmp_path)
    node.run_until_safe(6)
    send(node, "l2", 1, 2)
    send(node, "l2", 2, 3)
    number, then = node.snapshots.take(), state_of(node)
    node.run_until_safe(30)
    assert node.snapshots.revert(number)
    node.close()
    again = open_node(tmp_path)
    heads, pools, *_ = state_of(again)
    assert (heads, pools) == then[:2]
    settle(again)
    again.close()
