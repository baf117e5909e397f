"""Scenarios 1 to 3: what the batcher posts is what V derives."""

import pytest

from rollup.protocol.accounts import USERS
from sequencer.batcher.config import BatcherConfig
from tests.scenarios.actors import ETHER, World

BOB = USERS[1].address


def test_one_l2_block_in_one_frame_is_derived_equal():
    world = World(batcher=BatcherConfig(da="calldata", batch_type="singular", compression="zlib"))
    world.users[0].sends(BOB, value=ETHER)
    world.sequencer.build()
    world.batcher.post()
    world.l1.mine()
    assert len(world.l1.batches()) == 1

    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=1)
    assert verifier.balance(BOB) == world.params.user_balance + ETHER

    # The sequencer's own derivation finds its block confirmed, and the batcher hears what it paid.
    assert world.sequencer.derive().number == 1
    world.batcher.step()
    (report,) = world.batcher.reports
    assert (report.first_block, report.last_block, report.kind) == (1, 1, "calldata")
    assert report.transaction_hash == world.l1.batches()[0].hash
    assert report.cost > 21_000


def a_hundred_blocks(world):
    """A hundred L2 blocks of transfers, deposits and contract calls, posted epoch by epoch."""
    users = world.users
    while world.sequencer.chain.head.number < 100:
        epoch = world.l1.head.number
        users[epoch % 10].deposits(users[(epoch + 3) % 10].address, mint=epoch * ETHER // 100)
        world.l1.mine()
        for index in range(7):
            users[index].sends(users[9 - index].address, value=index + epoch)
        users[7].sends(data=b"\x60\x2a\x60\x00\x52\x60\x20\x60\x00\xf3")  # a contract of 32 bytes
        world.sequencer.build_to_l1_head()
        world.sequencer.derive()
        world.batcher.post()
    world.l1.mine(2)
    world.sequencer.derive()


@pytest.mark.parametrize("da", ["calldata", "blobs"])
@pytest.mark.parametrize("compression", ["zlib", "brotli"])
@pytest.mark.parametrize("batch_type", ["singular", "span"])
def test_a_hundred_blocks_are_derived_equal(batch_type, compression, da):
    world = World(batcher=BatcherConfig(da=da, batch_type=batch_type, compression=compression))
    a_hundred_blocks(world)
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=world.sequencer.chain.head.number)
    assert {report.kind for report in world.batcher.reports} == {da}


def test_all_blocks_in_one_transaction_of_six_blobs():
    world = World(batcher=BatcherConfig(da="blobs", max_blob_frame=600, max_channel_duration=100))
    for _ in range(4):
        world.l1.mine()
        for user in world.users:
            user.sends(BOB, value=1, data=user.key + user.address)
        world.sequencer.build_to_l1_head()
    world.batcher.post()
    world.l1.mine()
    assert [len(batch.blob_versioned_hashes) for batch in world.l1.batches()] == [6]
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=24)


def test_a_channel_over_many_frames_and_many_l1_blocks():
    # spec: retrieval.every-block
    world = World(batcher=BatcherConfig(da="calldata", max_calldata_frame=150, target_size=10_000, max_pending=1000))
    for _ in range(3):
        world.l1.mine()
        for user in world.users:
            user.sends(BOB, value=1, data=user.key)
        world.sequencer.build_to_l1_head()
    world.batcher.post()
    verifier = world.new_verifier()
    frames = len(world.l1.pool)
    assert frames > 6
    # Two frames an L1 block: the rest waits, as when L1 is full.
    waiting = [tx.encode() for tx in world.l1.pool.pending(0)]
    while waiting:
        world.l1.mine_empty()
        world.l1.reorg(1, [waiting[:2]])
        waiting = waiting[2:]
        verifier.derive()
        assert verifier.safe.number == (0 if waiting else 18)
    verifier.must_equal(world.sequencer, safe=18)


def test_the_batcher_picks_the_cheaper_way_by_itself():
    world = World(batcher=BatcherConfig(da="auto"))
    world.run_epochs(3)
    world.l1.mine()
    world.batcher.step()
    # Blobs cost one wei per unit of gas on an L1 without traffic: much less than any calldata.
    assert {report.kind for report in world.batcher.reports} == {"blobs"}


def test_the_same_script_gives_the_same_hashes():
    def play():
        world = World(batcher=BatcherConfig(da="blobs"))
        for _ in range(3):
            world.users[0].sends(BOB, value=5)
            world.users[1].deposits(BOB, mint=7)
            world.run_epochs()
        return world.sequencer.hashes(), world.l1.head.hash

    assert play() == play()
