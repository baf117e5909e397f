"""L2 blocks full of data that does not compress, with a batcher that gets one channel into each L1 block."""

from random import Random

from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork, ForkSchedule
from sequencer.batcher.config import BatcherConfig
from sequencer.batcher.throttle import Throttle, ThrottleConfig
from tests.scenarios.actors import World

# Everything is 1/200 of its full size: six blobs hold 780,000 bytes, a channel here aims at 3,900.
OPTIONS = BatcherConfig(da="calldata", max_calldata_frame=3_900, max_pending=1)
LIMITS = ThrottleConfig(
    lower_threshold=16_000,
    upper_threshold=64_000,
    transaction_upper_limit=300,
    transaction_lower_limit=150,
    block_upper_limit=650,
    block_lower_limit=200,
)


def run_under_load(limits, l1_blocks):
    """L1 blocks under more random calldata than L1 can take; returns the world and the safe lag per L1 block."""
    world = World(batcher=OPTIONS, forks=ForkSchedule.all_at(Fork.ISTHMUS))
    sequencer, noise, lags = world.sequencer, Random(8), []
    throttle = Throttle(limits, sequencer.engine, lambda: sequencer.safe.number, lambda: True)
    for _ in range(l1_blocks):
        world.l1.mine()
        while sequencer.building.next_block_time <= world.l1.head.timestamp:
            for user in world.users:
                if sequencer.pool.nonce(user.address) - sequencer.nonce(user.address) < 3:
                    user.sends(USERS[0].address, data=noise.randbytes(700))
            throttle.step()
            sequencer.building.build_block()
            sequencer.derive()
            world.batcher.step()
        lags.append(sequencer.unsafe.number - sequencer.safe.number)
    return world, lags


def test_the_safe_lag_stays_bounded_under_random_calldata():
    world, lags = run_under_load(LIMITS, 60)
    assert max(lags) <= 40
    assert max(lags[40:]) <= max(lags[20:40])
    assert len(world.l1.batches()) >= 60  # L1's room is used
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=world.sequencer.safe.number)


def test_the_safe_lag_grows_without_end_when_the_throttle_is_off():
    _, lags = run_under_load(ThrottleConfig(lower_threshold=0), 20)
    assert lags[-1] > 4 * 20


def test_the_limits_are_lifted_when_the_load_ends():
    world = World(batcher=OPTIONS, forks=ForkSchedule.all_at(Fork.ISTHMUS))
    sequencer, noise = world.sequencer, Random(8)
    throttle = Throttle(LIMITS, sequencer.engine, lambda: sequencer.safe.number, lambda: True)
    for user in world.users:
        for _ in range(3):
            user.sends(USERS[0].address, data=noise.randbytes(700))
    sequencer.build()
    throttle.step()
    assert sequencer.engine.max_da_block == LIMITS.limits(throttle.backlog)[1] < LIMITS.block_upper_limit
    world.run_epochs(15)
    throttle.step()
    assert (sequencer.engine.max_da_transaction, sequencer.engine.max_da_block) == (None, None)
