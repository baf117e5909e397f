"""Work for which no user waits is put off while very many transactions come, within bounds."""

import asyncio

import pytest

from rollup.cooperative import Turns
from rollup.rpc.open_follow import Follower
from rollup.rush import CALM_SECONDS, LOOK_SECONDS, MOST_SECONDS, PER_SECOND, WAITING, Rush


class World:
    """A pool's counts and the seconds of the machine."""

    def __init__(self):
        self.seconds, self.arrivals, self.waiting = 100.0, 0, 0
        self.rush = Rush(lambda: self.arrivals, lambda: self.waiting, lambda: self.seconds)

    def run(self, seconds, per_second):
        """Whether the rush was on, at each look during these seconds."""
        looks = []
        for _ in range(round(seconds / LOOK_SECONDS)):
            self.seconds += LOOK_SECONDS * 1.001
            self.arrivals += int(per_second * LOOK_SECONDS * 1.01)
            looks.append(self.rush.is_on())
        return looks


@pytest.fixture
def world():
    return World()


def test_few_transactions_are_no_rush(world):
    assert not any(world.run(10, PER_SECOND // 2))


def test_a_rush_is_seen_at_the_first_look(world):
    assert all(world.run(1, 2 * PER_SECOND))
    assert not any(world.run(1, 0))


def test_a_rush_stays_on_while_the_pool_holds_what_came(world):
    world.run(1, 2 * PER_SECOND)
    world.waiting = WAITING
    assert all(world.run(1, 0))
    world.waiting = WAITING - 1
    assert not any(world.run(1, 0))


def test_what_the_pool_holds_alone_is_no_rush(world):
    world.waiting = 100 * WAITING
    assert not any(world.run(1, 0))


def test_nothing_is_put_off_for_longer_than_the_bound(world):
    looks = world.run(4 * MOST_SECONDS, 2 * PER_SECOND)
    on = looks.count(True)
    assert looks == [True] * on + [False] * (len(looks) - on)
    assert MOST_SECONDS - LOOK_SECONDS <= on * LOOK_SECONDS <= MOST_SECONDS


def test_a_short_calm_gives_no_second_rush(world):
    world.run(2 * MOST_SECONDS, 2 * PER_SECOND)
    world.run(CALM_SECONDS / 2, 0)
    assert not any(world.run(1, 2 * PER_SECOND))
    world.run(CALM_SECONDS + LOOK_SECONDS, 0)
    assert all(world.run(1, 2 * PER_SECOND))


def test_the_indexes_are_not_updated_in_a_rush(world):
    """The follower is let run until the rush is over, which is decided here."""
    updates = []

    class Index:
        is_current = False

        @staticmethod
        def close():
            pass

    class Watched(Follower):
        async def _follow(self, index):
            updates.append(world.rush.is_on())
            index.is_current = True
            return True

    async def run():
        world.run(1, 2 * PER_SECOND)
        follower = Watched([Index()], Turns(), 0, world.rush)
        follower.start()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not updates
        world.run(1, 0)
        async with asyncio.timeout(10):
            while not updates:
                await asyncio.sleep(0.01)
        await follower.stop()

    asyncio.run(run())
    assert updates == [False]
