"""Reports of blocks count the users' transactions and gas. A batch is reported before the blocks it made safe."""

from rollup.events import BatchPosted, L2BlockBuilt, SafeHeadMoved
from rollup.node import Node, NodeParams
from tests.node.node_process import GENESIS_TIME, transfer


def test_a_block_counts_users_and_a_batch_comes_before_the_blocks_that_it_made_safe():
    events = []
    node = Node.open(NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True, da="calldata"), events.append)
    node.l2.pool.add(transfer(901, 0, 0).encode())
    node.run_until_safe(8)
    chain = node.l2.chain
    built = [event for event in events if isinstance(event, L2BlockBuilt)]
    assert {(event.transactions, event.gas_used) for event in built} == {(0, 0), (1, 21_000)}
    assert all(chain.block_by_number(event.number).header.gas_used > event.gas_used for event in built)
    posted = moves = 0
    for event in events:
        if isinstance(event, BatchPosted):
            posted = event.last_block
        elif isinstance(event, SafeHeadMoved):
            moves += 1
            assert event.number <= posted
    assert moves
    node.close()
