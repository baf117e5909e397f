"""Scenarios 3 and 4: frames out of order, channels side by side, channels that are late, repeated or too big."""

import pytest

from rollup.protocol.accounts import BATCHER, USERS
from rollup.protocol.forks import Fork, ForkSchedule
from sequencer.batcher.channel_builder import ChannelBuilder
from sequencer.batcher.config import BatcherConfig
from tests.scenarios.actors import User, World

BOB = USERS[1].address
OPTIONS = BatcherConfig(da="calldata", batch_type="singular", compression="zlib")
BEFORE_HOLOCENE, FROM_HOLOCENE = Fork.GRANITE, Fork.JOVIAN


def frames_of(world, first, last, size=200):
    """The L2 blocks of a range as a channel's frames."""
    channel = ChannelBuilder(world.config, OPTIONS, world.l1.source.head())
    for number in range(first, last + 1):
        assert channel.add(world.sequencer.chain.block_by_number(number))
    return channel.frames(size)


def scene(fork, **params):
    """Six L2 blocks that nobody has posted."""
    world = World(forks=ForkSchedule.all_at(fork), **params)
    for _ in range(6):
        world.users[0].sends(BOB, value=1)
        world.sequencer.build()
    return world


def post(world, *frames):
    """One batcher transaction with these frames."""
    User(world, BATCHER).sends_on_l1(world.config.batch_inbox_address, 0, b"\x00" + b"".join(frames))


def safe_after(world):
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.hashes(verifier.safe.number) == world.sequencer.hashes(verifier.safe.number)
    return verifier.safe.number


@pytest.mark.parametrize(("fork", "safe"), [(BEFORE_HOLOCENE, 6), (FROM_HOLOCENE, 0)])
def test_frames_out_of_order_are_accepted_before_holocene_and_dropped_after(fork, safe):
    world = scene(fork)
    frames = frames_of(world, 1, 6)
    assert len(frames) > 2
    for frame in reversed(frames):
        post(world, frame)
    assert safe_after(world) == safe


@pytest.mark.parametrize(("fork", "safe"), [(BEFORE_HOLOCENE, 6), (FROM_HOLOCENE, 0)])
def test_two_channels_interleaved(fork, safe):
    world = scene(fork)
    one, two = frames_of(world, 1, 3), frames_of(world, 4, 6)
    for pair in zip(one, two, strict=False):
        post(world, *pair)
    for rest in one[len(two) :] + two[len(one) :]:
        post(world, rest)
    # From Holocene on a new channel's first frame throws the open channel away.
    assert safe_after(world) == safe


@pytest.mark.parametrize("fork", [BEFORE_HOLOCENE, FROM_HOLOCENE])
def test_frames_repeated_and_a_frame_after_the_last_do_no_harm(fork):
    # spec: channel.duplicate-frame
    world = scene(fork)
    one, two = frames_of(world, 1, 3), frames_of(world, 4, 6)
    for frame in one:
        post(world, frame, frame)
    post(world, one[-1])
    for frame in two:
        post(world, frame)
    assert safe_after(world) == 6


@pytest.mark.parametrize("fork", [BEFORE_HOLOCENE, FROM_HOLOCENE])
def test_a_channel_that_takes_longer_than_its_timeout_is_lost_and_may_be_posted_again(fork):
    # spec: channel.timeout
    world = scene(fork)
    timeout = world.config.channel_timeout_at(world.l1.head.timestamp)
    assert timeout == 50
    frames = frames_of(world, 1, 6)
    post(world, *frames[:-1])
    world.l1.mine()
    world.l1.mine(timeout)
    post(world, frames[-1])
    assert safe_after(world) == 0
    post(world, *frames)
    assert safe_after(world) == 6


@pytest.mark.parametrize("fork", [BEFORE_HOLOCENE, FROM_HOLOCENE])
def test_a_channel_that_ends_in_the_last_block_of_its_timeout_is_read(fork):
    # spec: channel.timeout, channel.timeout-granite
    world = scene(fork)
    frames = frames_of(world, 1, 6)
    post(world, *frames[:-1])
    world.l1.mine()
    world.l1.mine(49)
    post(world, frames[-1])
    assert safe_after(world) == 6


@pytest.mark.parametrize("count", [18, pytest.param(100, marks=pytest.mark.slow)])
def test_transactions_of_120_000_zero_bytes_leave_the_safe_head_moving(count):
    """More than two megabytes in one brotli channel of almost no bytes: no attacker is needed for that."""
    world = World()
    assert world.batcher.options.compression == "brotli"
    for number in range(count):
        world.users[number % 10].sends(BOB, data=bytes(120_000), gas=1_300_000)
        if number % 10 == 9:
            world.sequencer.build()
    world.sequencer.build()
    head = world.sequencer.chain.head.number
    world.sequencer.derive()
    world.batcher.post()
    world.l1.mine(2)
    world.sequencer.derive()
    assert world.sequencer.safe.number == head
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=head)
    assert sum(len(world.sequencer.chain.block_by_number(n).transactions) - 1 for n in range(1, head + 1)) == count
