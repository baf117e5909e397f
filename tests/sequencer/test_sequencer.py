"""The sequencer on a real engine, by the scenarios' actors."""

from dataclasses import replace

import pytest

from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork, ForkSchedule
from sequencer.sequencer import SequencerStartError, SequencerStopped
from tests.scenarios.actors import GENESIS_TIME, SequencerNode, World

BOB = USERS[1].address


def test_a_block_is_due_at_its_time():
    # spec: epoch.block-every-block-time
    world = World()
    building = world.sequencer.building
    assert building.next_block_time == GENESIS_TIME + 2
    assert not building.is_due()
    world.clock.advance(1.9)
    assert not building.is_due()
    world.clock.advance(0.1)
    assert building.is_due()
    building.build_block()
    assert not building.is_due()
    # After a pause every missed block is due at once.
    world.clock.advance(10)
    built = 0
    while building.is_due():
        building.build_block()
        built += 1
    assert built == 5


def test_stop_and_start():
    world = World()
    building = world.sequencer.building
    world.sequencer.build(2)
    head = world.sequencer.chain.head.hash
    assert building.stop() == head
    world.clock.advance(100)
    assert not building.is_due()
    with pytest.raises(SequencerStopped):
        building.build_block()
    with pytest.raises(SequencerStartError, match="block hash does not match"):
        building.start(b"\x01" * 32)
    building.start(head)
    with pytest.raises(SequencerStartError, match="already running"):
        building.start()
    assert building.is_due()


def test_instant_builds_when_the_pool_has_something_and_stays_on_the_grid():
    world = World()
    world.sequencer = SequencerNode(world, instant=True)
    building = world.sequencer.building
    assert not building.is_due()
    for number in range(1, 4):
        world.users[0].sends(BOB, value=1)
        assert building.is_due()
        block = building.build_block()
        assert (block.number, block.timestamp) == (number, GENESIS_TIME + 2 * number)
        assert not building.is_due()
    # What cannot pay the next base fee makes no block due.
    world.users[2].sends(BOB, value=1, cap=10**8, tip=1)
    assert not building.is_due()


def test_instant_runs_ahead_of_the_clock_as_far_as_the_drift_lets_it():
    world = World(forks=ForkSchedule.all_at(Fork.ECOTONE), max_sequencer_drift=10)
    world.sequencer = SequencerNode(world, instant=True)
    building = world.sequencer.building
    built = 0
    for _ in range(20):
        world.users[0].sends(BOB, value=1)
        if building.is_due():
            building.build_block()
            built += 1
    assert built == 5
    assert world.sequencer.unsafe.timestamp == GENESIS_TIME + 10


def test_the_first_block_of_a_fork_with_upgrade_transactions_takes_nothing_from_the_pool():
    # spec: jovian.sequencer-no-pool
    at = GENESIS_TIME + 4
    world = World(forks=replace(ForkSchedule.all_at(Fork.ISTHMUS), jovian=at))
    users = []
    for _ in range(3):
        world.users[0].sends(BOB, value=1)
        block = world.sequencer.build()
        users.append(sum(1 for tx in block.transactions if not tx.is_deposit))
    assert users == [1, 0, 2]


def test_confirmation_depth_keeps_the_origin_behind_l1():
    world = World()
    world.sequencer = SequencerNode(world, confirmation_depth=3)
    world.l1.mine(5)
    world.sequencer.build_to_l1_head()
    assert world.sequencer.unsafe.l1_origin.number == 2


def test_the_pool_is_filled_by_tip_and_the_l1_attributes_come_first():
    # spec: deposit.l1-attributes-first
    world = World()
    for index, tip in ((1, 5), (2, 9), (3, 7)):
        world.users[index].sends(BOB, value=1, tip=tip)
    block = world.sequencer.build()
    assert block.transactions[0].is_deposit
    assert [tx.max_priority_fee_per_gas for tx in block.transactions[1:]] == [9, 7, 5]
    assert len(world.sequencer.pool) == 0
