"""Computations in turns: who runs when, and how a computation ends. Each reading of the clock ends a turn."""

import asyncio
from itertools import count

import pytest

from rollup import cooperative
from rollup.cooperative import (
    CALLS,
    FIRST_LANE_WEIGHT,
    Stopwatch,
    Turns,
    is_in_turns,
    pause,
    running_time,
    wait_for,
)


def ticking_turns(weights=None):
    """A whole turn passes whenever the clock is read."""
    return Turns(count(0, 2 * cooperative.TURN_SECONDS).__next__, weights)


def worker(name, steps, seen):
    def work():
        for _ in range(steps):
            seen.append(name)
            pause()
        return name

    return work


def test_outside_of_turns_a_check_point_does_nothing():
    pause()
    assert not is_in_turns()


async def test_the_event_loop_goes_on_between_turns():
    ticks = []

    async def tick():
        while True:
            ticks.append(len(seen))
            await asyncio.sleep(0)

    seen = []
    ticking = asyncio.create_task(tick())
    assert await ticking_turns().change(worker("work", 50, seen)) == "work"
    ticking.cancel()
    assert set(range(1, 50)) <= set(ticks)


async def test_before_its_turn_is_over_a_computation_is_not_suspended():
    seen = []
    turns = Turns(lambda: 0.0)
    await asyncio.gather(turns.change(worker("a", 3, seen)), turns.call(worker("b", 3, seen)))
    assert seen == ["a"] * 3 + ["b"] * 3


async def test_a_turn_ends_early_where_a_client_has_sent_something():
    looks = [False, False, True, False]
    seen, turns = [], Turns(count(0, cooperative.LOOK_SECONDS).__next__)
    turns.watch(looks.pop)

    async def serve():
        seen.append("loop")

    served = asyncio.create_task(serve())
    await turns.change(worker("work", 4, seen))
    await served
    assert seen == ["work", "work", "loop", "work", "work"]


async def test_changes_run_one_after_another_in_the_order_of_asking():
    turns, seen = ticking_turns(), []
    await asyncio.gather(*(turns.change(worker(name, 5, seen)) for name in "abc"))
    assert "".join(seen) == "aaaaabbbbbccccc"


async def test_calls_run_side_by_side():
    turns, seen = ticking_turns(), []
    await asyncio.gather(*(turns.call(worker(name, 5, seen)) for name in "abc"))
    assert {"".join(sorted(seen[start : start + 3])) for start in range(0, 15, 3)} == {"abc"}


async def test_a_change_has_most_turns_beside_calls():
    turns, seen = ticking_turns(), []
    calls = [turns.call(worker("call", 200, seen)) for _ in range(20)]
    tasks = [asyncio.create_task(item) for item in (*calls, turns.change(worker("change", 100, seen)))]
    await tasks[-1]
    between = seen[seen.index("change") :]
    assert between.count("call") <= between.count("change") / FIRST_LANE_WEIGHT + 1
    assert "call" in between
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_new_call_does_not_wait_for_long_ones():
    turns, seen = ticking_turns(), []
    tasks = [asyncio.create_task(turns.call(worker("long", 100, seen))) for _ in range(20)]
    for _ in range(200):
        await asyncio.sleep(0)
    before = len(seen)
    await turns.call(worker("short", 1, seen))
    assert 0 < before < 2_000
    assert len(seen) - before <= 4
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_cancelled_computation_ends_at_its_check_point_and_is_not_suspended_again():
    turns, ended = ticking_turns(), []

    def work():
        try:
            while True:
                pause()
        finally:
            pause()
            ended.append(True)

    task = asyncio.create_task(turns.change(work))
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not ended
    assert await turns.change(lambda: "next") == "next"


async def test_cancelling_those_that_wait_leaves_the_others_their_turns():
    turns, seen = ticking_turns(), []
    tasks = [asyncio.create_task(turns.call(worker(name, 20, seen))) for name in "abcdef"]
    for _ in range(15):
        await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    assert [name for name in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(name, str)] == [*"bdf"]


async def test_what_a_computation_raises_reaches_the_caller_and_the_next_one_runs():
    turns = ticking_turns()

    def fail():
        pause()
        raise LookupError("no")

    with pytest.raises(LookupError):
        await turns.change(fail)
    assert await turns.change(lambda: 1) == 1


async def test_a_computation_may_wait_for_a_coroutine_while_others_run():
    turns, seen = ticking_turns(), []
    opened = asyncio.Event()

    async def answer():
        await opened.wait()
        return 7

    def work():
        return wait_for(answer()) + 1

    task = asyncio.create_task(turns.call(work))
    await turns.call(worker("other", 5, seen))
    opened.set()
    assert await task == 8
    assert len(seen) == 5


async def test_computations_of_one_stopwatch_share_its_time_and_waiting_does_not_count():
    clock = [0.0]
    turns, stopwatch, times = Turns(lambda: clock[0]), Stopwatch(), []

    def work():
        times.append(running_time())
        clock[0] += 3
        pause()
        times.append(running_time())

    await turns.call(work, stopwatch)
    clock[0] += 100
    await turns.call(work, stopwatch)
    assert times == [0, 3, 3, 6]
    await turns.call(work)
    assert times[-2:] == [0, 3]


def test_turns_go_on_in_another_event_loop():
    turns = ticking_turns()
    for _ in range(2):
        assert asyncio.run(turns.change(lambda: 5)) == 5


async def test_changes_of_different_lanes_run_side_by_side_the_lowest_lane_first():
    turns, seen = ticking_turns(), []
    slow = asyncio.create_task(turns.change(worker("slow", 200, seen), lane=1))
    for _ in range(20):
        await asyncio.sleep(0)
    assert 0 < len(seen) < 200
    await turns.change(worker("first", 40, seen), lane=0)
    between = seen[seen.index("first") :]
    assert 0 < between.count("slow") <= between.count("first") / FIRST_LANE_WEIGHT + 1
    await slow
    assert seen.count("slow") == 200


async def test_every_lane_gets_turns_while_the_lowest_is_always_busy():
    turns, seen = ticking_turns(), []
    tasks = [asyncio.create_task(turns.change(worker(lane, 300, seen), lane=lane)) for lane in range(3)]
    await tasks[0]
    assert seen.count(1) >= 20
    assert seen.count(2) >= 20
    await asyncio.gather(*tasks)


async def test_one_lane_waits_for_its_own_changes_only():
    turns, seen = ticking_turns(), []
    names = [("a", 0), ("b", 1), ("c", 0), ("d", 1)]
    await asyncio.gather(*(turns.change(worker(name, 9, seen), lane=lane) for name, lane in names))
    assert [name for name in seen if name in "ac"] == ["a"] * 9 + ["c"] * 9
    assert [name for name in seen if name in "bd"] == ["b"] * 9 + ["d"] * 9


async def test_a_lane_whose_change_waits_for_a_coroutine_leaves_the_turns_to_the_others():
    turns, seen, opened = ticking_turns(), [], asyncio.Event()

    async def answer():
        await opened.wait()
        return 7

    waiting = asyncio.create_task(turns.change(lambda: wait_for(answer()), lane=0))
    await turns.change(worker("other", 5, seen), lane=1)
    assert not waiting.done()
    opened.set()
    assert await waiting == 7


async def test_lanes_and_calls_have_time_by_their_weights():
    turns, seen = ticking_turns({0: 8, 2: 1, CALLS: 4}), []
    tasks = [asyncio.create_task(turns.change(worker(lane, 1_000, seen), lane=lane)) for lane in (0, 1, 2)]
    tasks += [asyncio.create_task(turns.call(worker("call", 1_000, seen))) for _ in range(3)]
    await tasks[0]
    counts = {name: seen[: 14 * 70].count(name) for name in (0, 1, 2, "call")}
    assert counts == pytest.approx({0: 8 * 70, 1: 70, 2: 70, "call": 4 * 70}, abs=8)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_short_turns_count_by_their_time():
    clock = [0.0]
    turns, spent = Turns(lambda: clock[0], {0: 1, 1: 1}), {0: 0.0, 1: 0.0}

    def work(lane, seconds):
        for _ in range(2_000):
            clock[0] += seconds
            spent[lane] += seconds
            pause()

    short = asyncio.create_task(_one_after_another(turns, lambda: work_once(clock, spent, 0, 0.001), 3_000))
    long = asyncio.create_task(turns.change(lambda: work(1, cooperative.TURN_SECONDS), lane=1))
    await short
    assert spent[1] == pytest.approx(spent[0], rel=0.05)
    long.cancel()
    await asyncio.gather(long, return_exceptions=True)


async def test_a_lane_that_wanted_nothing_has_saved_up_nothing():
    turns, seen = ticking_turns({0: 1, 1: 1}), []
    await turns.change(worker("alone", 500, seen), lane=0)
    both = [asyncio.create_task(turns.change(worker(lane, 100, seen), lane=lane)) for lane in (0, 1)]
    await asyncio.gather(*both)
    first = seen[500:600]
    assert abs(first.count(0) - first.count(1)) <= 2


def work_once(clock, spent, lane, seconds):
    clock[0] += seconds
    spent[lane] += seconds


async def _one_after_another(turns, work, times):
    for _ in range(times):
        await turns.change(work, lane=0)


async def test_a_call_does_not_wait_as_long_as_the_weight_of_its_lane_says():
    turns, seen = ticking_turns({0: 64, 1: 1, CALLS: 16}), []
    busy = asyncio.create_task(turns.change(worker("busy", 5_000, seen), lane=0))
    slow = asyncio.create_task(turns.change(worker("slow", 20, seen), lane=1))
    while "slow" not in seen:
        await asyncio.sleep(0)
    before = len(seen)
    await turns.call_in(1, worker("call", 1, seen))
    assert seen.count("slow") == 20
    assert len(seen) - before < 21 * (64 / 16 + 1) + 5
    for task in (busy, slow):
        task.cancel()
    await asyncio.gather(busy, slow, return_exceptions=True)


async def test_a_lane_has_its_own_weight_again_after_its_call_is_cancelled():
    turns, seen = ticking_turns({0: 8, 1: 1, CALLS: 8}), []
    tasks = [asyncio.create_task(turns.change(worker(lane, 2_000, seen), lane=lane)) for lane in (0, 1)]
    for _ in range(20):
        await asyncio.sleep(0)
    call = asyncio.create_task(turns.call_in(1, worker("call", 1, seen)))
    for _ in range(20):
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    before = len(seen)
    while len(seen) < before + 900:
        await asyncio.sleep(0)
    assert seen[before:].count(1) == pytest.approx(100, abs=8)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
