"""L1 waits with its blocks while instant blocks come, within bounds, and skips the slots of the meantime."""

import asyncio
from itertools import count

import pytest

from rollup.catching_up import LONGEST, QUIET, CatchingUp
from rollup.clock import ManualClock, SystemClock
from rollup.node import Node, NodeParams
from rollup.protocol.l2_blocks import l2_block_ref
from tests.node.node_process import transfer

GENESIS_TIME = 1_700_000_000
SLOT, DRIFT = 12, 1_800
pytestmark = pytest.mark.timeout(60)


class World:
    """A mock L1, the chain's clock, and the seconds of the machine."""

    def __init__(self):
        self.node = Node.open(NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True))
        self.miner, self.clock = self.node.l1.miner, ManualClock(GENESIS_TIME)
        self.seconds = 100.0
        self.catching_up = CatchingUp(self.miner, self.clock, DRIFT, lambda: self.seconds)

    def jump(self, seconds):
        self.catching_up.moved()
        self.clock.advance(seconds)

    def mine(self):
        block = self.miner.mine(self.catching_up.slot())
        self.catching_up.mined()
        return block


@pytest.fixture
def world():
    made = World()
    yield made
    made.node.close()


def test_without_instant_blocks_l1_does_not_wait_and_takes_each_slot(world):
    world.clock.advance(5 * SLOT)
    assert world.catching_up.wait() == 0
    assert world.catching_up.slot() is None
    assert world.mine().timestamp == GENESIS_TIME + SLOT


def test_l1_waits_until_no_instant_block_has_come_for_a_moment(world):
    world.jump(2 * SLOT)
    assert world.catching_up.wait() == pytest.approx(QUIET)
    world.seconds += QUIET / 2
    world.jump(2)
    assert world.catching_up.wait() == pytest.approx(QUIET)
    world.seconds += QUIET
    assert world.catching_up.wait() == 0


def test_l1_waits_no_longer_than_the_longest_however_many_come(world):
    world.jump(SLOT)
    waited = 0.0
    while seconds := world.catching_up.wait():
        waited += (step := min(seconds, QUIET / 3))
        world.seconds += step
        world.jump(2)
    assert waited == pytest.approx(LONGEST)


def test_l1_does_not_wait_once_it_is_a_part_of_the_drift_behind(world):
    world.jump(SLOT + DRIFT // 3)
    assert world.catching_up.wait() > 0
    world.jump(1)
    assert world.catching_up.wait() == 0


def test_one_block_in_the_newest_slot_catches_up(world):
    world.jump(10 * SLOT + 5)
    assert world.mine().timestamp == GENESIS_TIME + 10 * SLOT
    assert world.catching_up.wait() == 0
    world.clock.advance(3 * SLOT)  # from now on time passes as it does without instant blocks
    assert world.mine().timestamp == GENESIS_TIME + 11 * SLOT


def test_a_slot_that_a_user_has_set_is_kept(world):
    world.miner.set_next_time(GENESIS_TIME + 3 * SLOT)
    world.jump(10 * SLOT)
    assert world.mine().timestamp == GENESIS_TIME + 3 * SLOT
    assert world.mine().timestamp == GENESIS_TIME + 10 * SLOT


def test_a_burst_of_instant_blocks_has_few_l1_blocks_and_is_derived(monkeypatch):
    readings = count()
    monkeypatch.setattr(SystemClock, "now", lambda self: GENESIS_TIME + 0.005 * next(readings) + self.offset)
    monkeypatch.setattr("rollup.lanes._LONGEST_SLEEP", 0.01)
    params = NodeParams(genesis_time=GENESIS_TIME, l1_block_time=2, l2_block_time=2, instant=True, da="calldata")
    node, blocks = Node.open(params), 60

    async def send():
        task = asyncio.create_task(node.run())
        for nonce in range(blocks):
            tx_hash = node.l2.pool.add(transfer(901, 0, nonce).encode())
            while node.l2.chain.find_transaction(tx_hash) is None:
                assert not task.done()
                await asyncio.sleep(0)
        burst = node.l1.chain.head.number
        while min(node.safe_head.number, node.verifier.derivation.safe_head.number) < blocks:
            assert not task.done()
            await asyncio.sleep(0.001)
        node.stop()
        await task
        return burst

    try:
        burst = asyncio.run(send())
        assert burst < blocks / 2  # a slot began with each of them
        assert node.is_verifier_equal()
        for number in range(1, blocks + 1):
            block = node.l2.chain.block_by_number(number)
            origin = node.l1.chain.block(l2_block_ref(node.devnet.rollup_config, block).l1_origin.hash)
            assert origin.timestamp <= block.timestamp <= origin.timestamp + DRIFT
    finally:
        node.close()
