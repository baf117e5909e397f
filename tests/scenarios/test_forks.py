"""Scenarios 9 and 10: a fork becomes active in the middle of a channel and of a span batch; Holocene's rules."""

from dataclasses import replace

import pytest

from derivation.batches import SingularBatch
from derivation.compression import compress
from derivation.frames import DERIVATION_VERSION, Frame
from derivation.span_batches import encode_span_batch
from rollup.protocol.accounts import BATCHER, USERS
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.protocol.transaction import BLOB
from sequencer.batcher.config import BatcherConfig
from tests.scenarios.actors import ETHER, GENESIS_TIME, User, World

BOB = USERS[1].address


@pytest.mark.parametrize("batch_type", ["singular", "span"])
@pytest.mark.parametrize("fork", [fork for fork in Fork if Fork.REGOLITH <= fork <= Fork.JOVIAN])
def test_a_fork_in_the_middle_of_a_channel(fork, batch_type):
    # spec: holocene.activation-drops
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


@pytest.mark.parametrize("da", ["blobs", "auto"])
def test_batches_go_into_blobs_from_ecotone_on(da):
    """Derivation reads no blobs before: they would be paid for and never be safe."""
    at = GENESIS_TIME + 36
    world = World(
        batcher=BatcherConfig(da=da, batch_type="singular", compression="zlib"),
        forks=replace(ForkSchedule.all_at(Fork.DELTA), ecotone=at),
    )
    for _ in range(6):
        world.users[0].sends(BOB, value=1)
        world.run_epochs()
    world.batcher.post()
    world.l1.mine(2)
    batches = [
        (world.l1.chain.block_by_number(number).timestamp, tx)
        for number, tx in world.l1.transactions()
        if tx.to == world.config.batch_inbox_address
    ]
    assert {tx.tx_type == BLOB for time, tx in batches if time <= at} == {False}
    assert batches[-1][0] > at
    assert da == "auto" or batches[-1][1].tx_type == BLOB
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=world.sequencer.chain.head.number)


@pytest.mark.parametrize("batch_type", ["singular", "span"])
def test_all_forks_one_after_the_other(batch_type):
    # spec: attributes.jovian-first-block, attributes.isthmus-first-block, attributes.ecotone-first-block
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


def post_span(world, batches):
    """One span batch in one frame, by hand."""
    first = l2_block_ref(world.config, world.sequencer.chain.block_by_number(1))
    data = compress(encode_span_batch(world.config, first, batches), "zlib")
    frame = Frame(b"\x07" * 16, 0, data, True).encode()
    User(world, BATCHER).sends_on_l1(world.config.batch_inbox_address, 0, DERIVATION_VERSION + frame)
    world.l1.mine(2)


def span_with_an_invalid_third_block(world):
    """The sequencer's five blocks as a span batch whose third holds a transaction nobody can pay."""
    world.sequencer.build(5)
    batches = []
    for number in range(1, 6):
        block = world.sequencer.chain.block_by_number(number)
        origin = world.sequencer.origin(number)
        batches.append(SingularBatch(block.header.parent_hash, origin.number, origin.hash, block.timestamp, []))
    batches[2].transactions = [world.users[0].signed_for_l2(BOB, value=10**30).encode()]
    return batches


def goes_on(world, verifier):
    """The sequencer follows what was derived and builds on; with the next whole batch all of it is safe."""
    world.sequencer.derive()
    world.sequencer.build(4)
    world.batcher.post()
    world.l1.mine(2)
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=world.sequencer.chain.head.number)


def test_holocene_replaces_an_invalid_payload_by_its_deposits_and_drops_the_rest_of_the_span():
    # spec: holocene.deposits-only, holocene.deposits-only-drops-rest
    world = World()
    post_span(world, span_with_an_invalid_third_block(world))
    verifier = world.new_verifier()
    verifier.derive()
    # The third block without its transaction is the very block the sequencer built empty.
    assert verifier.derivation.pending_safe_head.number == 3
    assert verifier.hashes() == world.sequencer.hashes(3)
    goes_on(world, verifier)


def test_before_holocene_the_rest_of_a_span_is_dropped_with_its_invalid_block():
    # spec: driver.invalid-batch-dropped
    world = World(forks=ForkSchedule.all_at(Fork.GRANITE))
    post_span(world, span_with_an_invalid_third_block(world))
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.safe.number == 0
    assert verifier.derivation.pending_safe_head.number == 2
    goes_on(world, verifier)


def test_holocene_takes_the_valid_beginning_of_a_span_and_drops_what_does_not_follow():
    # spec: holocene.span-forward-invalid, holocene.span-drops-channel
    world = World()
    batches = span_with_an_invalid_third_block(world)
    batches[2].transactions = []
    world.l1.mine()
    for batch in batches[3:]:  # an L1 origin that is later than these blocks' time
        batch.epoch_number, batch.epoch_hash = 1, world.l1.head.hash
    post_span(world, batches)
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.derivation.pending_safe_head.number == 3
    assert verifier.hashes() == world.sequencer.hashes(3)
    goes_on(world, verifier)
