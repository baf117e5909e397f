"""Who waits for a block that comes at once, and until when."""

import asyncio

import pytest

from rollup.protocol.accounts import USERS
from rollup.rpc.instant_blocks import InstantBlocks
from tests.node.node_process import transfer
from tests.rpc.conftest import open_node

HASH, OTHER = b"\x01" * 32, b"\x02" * 32


class Head:
    """A chain's head that a test moves."""

    def __init__(self):
        self.move = None

    def subscribe(self, listener):
        self.move = lambda: listener(None)


@pytest.fixture
def node():
    node = open_node(instant=True)
    node.advance()
    yield node
    node.close()


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_sender_is_answered_with_the_last_of_its_blocks():
    head, coming = Head(), {HASH, OTHER}
    waiting = asyncio.create_task(InstantBlocks(head, lambda hashes: not coming.isdisjoint(hashes)).wait([HASH, OTHER]))
    for included in (HASH, OTHER):
        head.move()
        await turns()
        assert not waiting.done()
        coming.discard(included)
    head.move()
    await turns()
    assert waiting.done()


async def test_a_transaction_that_is_dropped_without_a_block_ends_the_wait():
    coming = {HASH}
    waiting = asyncio.create_task(InstantBlocks(Head(), lambda hashes: not coming.isdisjoint(hashes)).wait([HASH]))
    await turns()
    coming.clear()
    async with asyncio.timeout(10):
        await waiting


async def test_nobody_waits_for_what_does_not_come():
    blocks = InstantBlocks(Head(), lambda hashes: False)
    await asyncio.create_task(blocks.wait([HASH]))
    await asyncio.create_task(blocks.wait([]))


def test_a_block_is_due_only_for_what_it_may_take(node):
    sequencer, pool = node.sequencer, node.l2.pool
    later, first = (pool.add(transfer(901, 0, nonce).encode()) for nonce in (1, 0))
    cheap = transfer(901, 1, 0)
    cheap.max_fee_per_gas = cheap.max_priority_fee_per_gas = 1
    unpaid = pool.add(cheap.signed(USERS[1].private_key).encode())
    behind = pool.add(transfer(901, 1, 1).encode())
    alone = pool.add(transfer(901, 2, 5).encode())
    hashes = (first, later, unpaid, behind, alone, OTHER)
    assert [sequencer.is_due_for([item]) for item in hashes] == [True, True, False, False, False, False]
    assert sequencer.is_due_for(hashes)
    for switch in (sequencer.stop, lambda: setattr(sequencer, "on_demand", True)):
        before = sequencer.capture()
        switch()
        assert not sequencer.is_due_for(hashes)
        sequencer.restore(before)
    node.build_l2()
    assert not sequencer.is_due_for(hashes)
    assert node.l2.chain.find_transaction(later) is not None


def test_no_block_is_coming_from_a_node_that_does_not_run(node):
    waiting = node.l2.pool.add(transfer(901, 0, 0).encode())
    assert node.sequencer.is_due_for([waiting])
    assert not node.is_block_coming([waiting])
