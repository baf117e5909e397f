"""Scenario 9: a fork becomes active in the middle of a channel and of a span batch."""

from dataclasses import replace

import pytest

from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork, ForkSchedule
from sequencer.batcher.config import BatcherConfig
from tests.scenarios.actors import ETHER, GENESIS_TIME, World

BOB = USERS[1].address


@pytest.mark.parametrize("batch_type", ["singular", "span"])
@pytest.mark.parametrize("fork", [fork for fork in Fork if Fork.REGOLITH <= fork <= Fork.JOVIAN])
def test_a_fork_in_the_middle_of_a_channel(fork, batch_type):
    at = GENESIS_TIME + 30
    forks = replace(ForkSchedule.all_at(Fork(fork - 1)), **{fork.name.lower(): at})
    options = BatcherConfig(da="calldata", batch_type=batch_type, compression="zlib", max_channel_duration=99)
    world = World(batcher=options, forks=forks)
    for _ in range(5):
        world.users[0].sends(BOB, value=1, data=b"\x01" * 50)
        world.users[2].deposits(BOB, mint=ETHER)
        world.l1.mine()
        world.sequencer.build_to_l1_head()
    assert world.config.fork_at(world.sequencer.unsafe.timestamp) == fork
    # One channel, posted after the fork, with blocks of both sides.
    world.batcher.post()
    world.l1.mine(2)
    assert len(world.l1.batches()) == 1
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=30)
    assert verifier.balance(BOB) == world.params.user_balance + 5 * ETHER + 5


@pytest.mark.parametrize("batch_type", ["singular", "span"])
def test_all_forks_one_after_the_other(batch_type):
    names = [fork.name.lower() for fork in Fork if Fork.REGOLITH <= fork <= Fork.JOVIAN]
    times = {name: GENESIS_TIME + 24 * (index + 1) for index, name in enumerate(names)}
    world = World(
        batcher=BatcherConfig(da="calldata", batch_type=batch_type, compression="brotli"), forks=ForkSchedule(**times)
    )
    for _ in range(24):
        world.users[0].sends(BOB, value=1)
        world.users[2].deposits(BOB, mint=1)
        world.run_epochs()
    assert world.config.fork_at(world.sequencer.unsafe.timestamp) == Fork.JOVIAN
    world.batcher.post()
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=world.sequencer.chain.head.number)
    assert verifier.balance(BOB) == world.params.user_balance + 48
