"""Scenarios 16 to 18: an actor that is killed, late or cut off recovers by itself."""

import pytest

from derivation.errors import Temporary
from rollup.protocol.accounts import USERS
from sequencer.origin_selector import OriginMissing
from tests.scenarios.actors import World

BOB = USERS[1].address


def test_a_verifier_that_joins_late_ends_equal():
    world = World()
    early = world.new_verifier()
    for _ in range(5):
        world.users[0].sends(BOB, value=1)
        world.run_epochs()
        early.derive()
    late = world.new_verifier()
    late.derive()
    assert late.safe == early.safe
    late.must_equal(world.sequencer, safe=early.safe.number)


@pytest.mark.parametrize("steps", [1, 7, 23, 60])
def test_a_verifier_killed_at_any_moment_ends_equal(steps):
    # spec: driver.sync-start
    world = World()
    for _ in range(5):
        world.users[0].sends(BOB, value=1)
        world.run_epochs()
    verifier = world.new_verifier()
    for _ in range(20):
        for _ in range(steps):
            verifier.derivation.step()
        verifier = verifier.restarted()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=verifier.safe.number)
    fresh = world.new_verifier()
    fresh.derive()
    assert verifier.safe == fresh.safe


def test_a_killed_sequencer_loses_no_block_and_no_transaction_and_the_batcher_sends_nothing_twice():
    world = World()
    alice = world.users[0]
    for _ in range(3):
        alice.sends(BOB, value=1)
        world.run_epochs()
    head, waiting = world.sequencer.chain.head.hash, alice.sends(BOB, value=5)
    batches = len(world.l1.batches())

    # Killed with a batch in L1's pool, and with a transaction it has acknowledged.
    world.sequencer = world.sequencer.restarted()
    world.batcher.start()
    assert world.sequencer.chain.head.hash == head
    assert world.sequencer.pool.get(waiting) is not None
    world.batcher.step()
    assert world.batcher.process.waiting_for is not None
    world.sequencer.build()
    assert world.sequencer.receipt(waiting).status == 1

    for _ in range(3):
        world.run_epochs()
    world.l1.mine()
    world.sequencer.derive()
    world.batcher.step()
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=verifier.safe.number)
    assert verifier.safe.number > 18
    posted = world.l1.batches()
    assert [tx.nonce for tx in posted] == list(range(len(posted)))
    assert len({tx.data for tx in posted}) == len(posted)
    assert len(posted) > batches


@pytest.mark.parametrize("minutes", [12, pytest.param(60, marks=pytest.mark.slow)])
def test_a_batcher_that_was_down_posts_everything(minutes):
    world = World()
    for _ in range(5 * minutes):
        world.l1.mine()
        world.sequencer.build_to_l1_head()
    world.sequencer.derive()
    world.batcher.start()
    world.batcher.post()
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=30 * minutes)


class FlakyClient:
    """An L1 client whose every other call fails."""

    def __init__(self, client):
        self._client = client
        self._calls = 0

    def __getattr__(self, name):
        method = getattr(self._client, name)

        def call(*arguments):
            self._calls += 1
            if self._calls % 2:
                raise Temporary("connection refused")
            return method(*arguments)

        return call


def test_an_l1_that_fails_every_other_call_does_not_stop_the_batcher():
    world = World()
    world.l1.client = FlakyClient(world.l1.client)
    world.batcher.start()
    world.run_epochs(6)
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.safe.number >= 18
    verifier.must_equal(world.sequencer, safe=verifier.safe.number)


class DeadClient:
    """An L1 client nobody answers."""

    def __getattr__(self, name):
        def call(*arguments):
            raise Temporary("connection refused")

        return call


@pytest.mark.slow
def test_an_l1_that_is_down_for_an_hour_is_waited_for_and_said_so():
    world = World()
    world.run_epochs(3)
    client, world.l1.client = world.l1.client, DeadClient()
    world.batcher.start()
    # L2 continues alone, up to the drift: 1,800 s past its L1 origin.
    for _ in range(150):
        world.sequencer.build(6)
        world.batcher.step()
    with pytest.raises(OriginMissing):
        world.sequencer.build(7)
    assert world.batcher.process.waiting_for == "L1: connection refused"
    origin = world.l1.chain.block_by_number(world.sequencer.unsafe.l1_origin.number)
    assert world.sequencer.unsafe.timestamp == origin.timestamp + 1_800
    world.l1.client = client
    world.batcher.start()
    world.run_epochs(300)
    world.batcher.post()
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=world.sequencer.chain.head.number)
