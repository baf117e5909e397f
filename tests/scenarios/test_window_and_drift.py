"""Scenarios 7 and 8: the sequencing window and the sequencer drift."""

import pytest

from rollup.protocol.forks import Fork, ForkSchedule
from sequencer.batcher.config import BatcherConfig
from sequencer.origin_selector import OriginMissing
from tests.scenarios.actors import World


def user_transactions(node, number):
    return [tx for tx in node.chain.block_by_number(number).transactions if not tx.is_deposit]


def test_a_batch_in_the_last_block_of_the_window_is_accepted():
    # spec: batch.window
    world = World(seq_window_size=10)
    world.users[0].sends(world.users[1].address, value=1)
    world.sequencer.build(3)  # all on origin 0: their window ends with L1 block 10
    world.l1.mine(9)
    world.batcher.post()
    world.l1.mine()
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.safe.number >= 3
    assert verifier.hashes(3) == world.sequencer.hashes(3)
    assert len(user_transactions(verifier, 1)) == 1


def test_a_batch_after_the_window_is_refused_and_the_sequencer_reorgs_onto_deposit_only_blocks():
    # spec: batch.window, epoch.has-a-block
    world = World(seq_window_size=10)
    alice, bob = world.users[0], world.users[1].address
    lost = alice.sends(bob, value=1)
    world.sequencer.build(3)
    before = world.sequencer.hashes(3)
    world.l1.mine(10)
    world.batcher.post()
    world.l1.mine()
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.safe.number >= 3
    assert all(user_transactions(verifier, number) == [] for number in range(1, 4))
    assert verifier.hashes(3)[1:] != before[1:]

    world.sequencer.derive()
    assert world.sequencer.hashes(verifier.safe.number) == verifier.hashes(verifier.safe.number)
    # The user's transaction was acknowledged: it is in the pool again and in the next block.
    assert world.sequencer.pool.get(lost) is not None
    world.sequencer.build()
    assert world.sequencer.receipt(lost) is not None


def test_drift_the_origin_stays_then_blocks_are_empty_then_the_origin_must_advance():
    # Before Fjord the drift is a parameter; small here, so that it is reached soon.
    # spec: batch.drift
    world = World(
        batcher=BatcherConfig(da="calldata", batch_type="singular", compression="zlib"),
        forks=ForkSchedule.all_at(Fork.ECOTONE),
        max_sequencer_drift=20,
        l1_block_time=60,
    )
    alice, bob = world.users[0], world.users[1].address
    for _ in range(10):
        alice.sends(bob, value=1)
        world.sequencer.build()
    assert world.sequencer.unsafe.l1_origin.number == 0
    assert all(len(user_transactions(world.sequencer, number)) == 1 for number in range(1, 11))

    # L2 time 22 is past the drift, and L1 has no next block: nobody can know whether the origin may stay.
    waiting = alice.sends(bob, value=1)
    with pytest.raises(OriginMissing):
        world.sequencer.build()

    # With L1 block 1, at second 60, the origin may stay until then; blocks are empty.
    world.l1.mine()
    world.sequencer.build(19)
    assert all(user_transactions(world.sequencer, number) == [] for number in range(11, 30))
    assert world.sequencer.unsafe.l1_origin.number == 0
    world.sequencer.build()
    assert world.sequencer.unsafe.l1_origin.number == 1
    assert world.sequencer.receipt(waiting) is not None

    world.batcher.post()
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=30)
