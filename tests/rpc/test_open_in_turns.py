"""Questions to the attribution index run in turns: blocks come meanwhile, and the answer is that of one block."""

import asyncio
from itertools import count

import pytest

from rollup.cooperative import Turns
from rollup.rpc.errors import RpcError
from rollup.rpc.methods import Duration, collect, duration_of
from rollup.rpc.open import Open
from tests.index.chains import PEOPLE, Lab, Life, raw

INDEX_LANE = 3
ACCOUNT = "0x" + raw(PEOPLE[0]).hex()
QUESTIONS = {
    "open_listModels": [],
    "open_getModel": [1],
    "open_getDatanet": [1],
    "open_listContributors": [1],
    "open_getInference": [1, 1],
    "open_listInferences": [],
    "open_earnings": [ACCOUNT],
    "open_usage": [1, 0, 2**40],
    "open_audit": [],
    "open_verifyHistory": [1],
}
GROWING = ["open_listInferences", "open_earnings", "open_usage", "open_audit", "open_verifyHistory"]


class World:
    """A chain of random attribution calls, its index and the methods over it."""

    def __init__(self, blocks=40):
        self.lab = Lab()
        self.life = Life(self.lab, 3)
        for _ in range(blocks):
            self.grow()
        self.methods = collect(Open(self.lab.index))

    def grow(self):
        self.lab.block(self.life.calls(4))
        self.lab.index.update()

    def ask(self, name):
        return self.methods[name](QUESTIONS[name])


@pytest.fixture(scope="module")
def world():
    return World()


def in_turns(answer, meanwhile):
    """The answer of a call in the index's lane, whose every check point ends a turn, and the number of its turns."""
    ticks, rounds = count(), 0

    async def run():
        nonlocal rounds
        task = asyncio.create_task(Turns(lambda: float(next(ticks))).call_in(INDEX_LANE, answer))
        while not task.done():
            await asyncio.sleep(0)
            rounds += 1
            meanwhile(rounds)
        return task.result()

    return asyncio.run(run()), rounds


def test_every_method_of_the_index_runs_in_its_lane(world):
    assert set(QUESTIONS) == set(world.methods)
    assert {duration_of(method) for method in world.methods.values()} == {Duration.INDEX}


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_is_that_of_the_block_at_which_it_began(world, name):
    index = world.lab.index
    index.update()
    expected, tip = world.ask(name), index.tip

    def blocks(rounds):
        if rounds in (2, 5):
            world.grow()

    answer, rounds = in_turns(lambda: world.ask(name), blocks)
    assert answer == expected
    if rounds >= 2:
        assert index.tip == tip != (world.lab.chain.head.number, world.lab.chain.head.hash)
    assert index.update()
    assert index.is_current


@pytest.mark.parametrize("name", GROWING)
def test_others_run_between_the_rows_of_an_answer(world, name):
    assert in_turns(lambda: world.ask(name), lambda _: None)[1] >= 10


def test_an_answer_of_a_chain_that_was_reorganised_meanwhile_is_refused():
    world = World(blocks=12)
    parent = world.lab.chain.block_by_number(world.lab.chain.head.number - 1)

    def reorganise(rounds):
        if rounds == 3:
            world.lab.block([], parent=parent, seconds=4)

    with pytest.raises(RpcError, match="ask again later"):
        in_turns(lambda: world.ask("open_audit"), reorganise)
    world.lab.index.update()
    assert int(world.ask("open_audit")["blockHash"], 16) == int.from_bytes(world.lab.chain.head.hash, "big")


def test_questions_to_the_index_wait_for_each_other(world):
    order = []

    async def run():
        turns = Turns(lambda ticks=count(): float(next(ticks)))

        def ask(name):
            order.append(f"{name} begins")
            world.ask("open_audit")
            order.append(f"{name} ends")

        await asyncio.gather(*(turns.call_in(INDEX_LANE, lambda name=name: ask(name)) for name in ("one", "two")))

    asyncio.run(run())
    assert order == ["one begins", "one ends", "two begins", "two ends"]
