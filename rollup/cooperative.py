"""Long computations in turns, so that the event loop keeps running meanwhile.

Building, validating and calling are plain synchronous code that may run for many seconds. `Turns` runs such code in a
greenlet. At its check points, where nothing is half changed, the code calls `pause`, and every TURN_SECONDS that hands
the loop a round of its own: connections are served, and other code that waits for a turn gets one. There are no
threads, so between two check points nobody else runs and no locks are needed. A turn ends earlier if a client has sent
something (`Turns.watch`).

    turns = Turns()
    block = await turns.change(sequencer.build_block, lane=0)  # one after another in each lane: what changes chains
    result = await turns.call(lambda: handler(params))         # side by side: what only reads
    result = await turns.call_in(3, lambda: handler(params))   # one after another in its lane: what reads one thing

A lane is what one change at a time may touch, for example a chain. Changes of several lanes run side by side, and so do
all calls together. Each lane, and the calls as one more, has a weight. The next turn goes to the one that has had the
least time for its weight since it began to want turns (start-time fair queuing), so none of them waits without end.
Among calls the one that has run least goes next, so a short call does not wait for long ones. A change for which a call
of its lane waits gets the turns of a call, so that a low weight of the lane does not hold the call up (priority
inheritance). A cancelled computation ends at its check point by greenlet's GreenletExit.

Outside of Turns `pause` does nothing: the same code runs in tests, in scripts and by a virtual clock, with the same
results.
"""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

TURN_SECONDS = 0.003
LOOK_SECONDS = 0.0005  # between two looks of a computation whether a client has sent something
CALLS = 1_000  # stands for all calls together where lanes are compared; no lane has this number
FIRST_LANE_WEIGHT = 4  # of lane 0; the others' is 1, unless Turns is given weights

Result = TypeVar("Result")
Item = TypeVar("Item")


@dataclass(slots=True)
class Stopwatch:
    """Seconds that one computation, or several together, have run."""

    seconds: float = 0.0


class _Computation(greenlet):
    """A synchronous function that runs in turns."""

    def __init__(
        self,
        function: Callable[[], Any],
        stopwatch: Stopwatch,
        clock: Callable[[], float],
        has_input: Callable[[], bool] | None,
    ) -> None:
        super().__init__(function)
        self.stopwatch = stopwatch
        self.clock = clock
        self.turn_began = self.looks_at = 0.0
        self.is_abandoned = False
        self._has_input = has_input

    def give_turn(self, value: Any = None) -> Any:
        """Runs until the computation pauses, waits for something or ends; raises what it raises."""
        self.turn_began = began = self.clock()
        self.looks_at = began + (TURN_SECONDS if self._has_input is None else min(LOOK_SECONDS, TURN_SECONDS))
        try:
            return self.switch(value) if self else self.switch()
        finally:
            self.stopwatch.seconds += self.clock() - self.turn_began

    def look(self, now: float) -> None:
        """Ends the turn where it is over or a client has sent something."""
        end = self.turn_began + TURN_SECONDS
        if now >= end or (self._has_input is not None and self._has_input()):
            self.suspend()
        else:
            self.looks_at = min(now + LOOK_SECONDS, end)

    def abandon(self) -> None:
        """Ends the computation where it is."""
        self.is_abandoned = True
        if self:
            self.throw()

    def suspend(self, waiting_for: Awaitable[Any] | None = None) -> Any:
        """Hands back to the loop, from inside the computation."""
        if self.is_abandoned:
            raise GreenletExit
        assert self.parent is not None
        return self.parent.switch(waiting_for)


def pause() -> None:
    """A check point: lets others run when the turn is over. Does nothing outside of Turns."""
    current = getcurrent()
    if current.__class__ is _Computation:
        now = current.clock()
        if now >= current.looks_at:
            current.look(now)


def in_turns(items: Iterable[Item]) -> Iterator[Item]:
    """The items, with a check point before each."""
    for item in items:
        pause()
        yield item


def is_in_turns() -> bool:
    """True where the caller runs in Turns, so that the event loop waits for it."""
    return isinstance(getcurrent(), _Computation)


def running_time() -> float:
    """Seconds that the present computation has run (with the others of its stopwatch), or by the machine's clock
    outside of Turns. The clock stands still while others have their turn."""
    current = getcurrent()
    if isinstance(current, _Computation):
        return current.stopwatch.seconds + current.clock() - current.turn_began
    return monotonic()


def wait_for(task: Coroutine[Any, Any, Result]) -> Result:
    """Suspends the present computation until a coroutine has ended; returns its result. Only in Turns.

    The time counts as the computation's own: the coroutine does its work elsewhere. It must not raise: what it raises
    ends the computation without passing through it.
    """
    current = getcurrent()
    assert isinstance(current, _Computation)
    result: Result = current.suspend(task)
    return result


class Turns:
    """Hands out turns of one event loop."""

    def __init__(self, clock: Callable[[], float] = monotonic, weights: Mapping[int, float] | None = None) -> None:
        """clock: seconds; decides only when others run, never what a computation does.

        weights: of lanes and of CALLS, 1 for those that are not named. A lane that wants turns all the time together
        with others gets its weight's part of the sum of theirs.
        """
        self._clock = clock
        self._weights = {0: FIRST_LANE_WEIGHT} if weights is None else dict(weights)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrivals = itertools.count()
        self._has_input: Callable[[], bool] | None = None
        self._begin()

    def watch(self, has_input: Callable[[], bool] | None) -> None:
        """Sets when turns end early: as soon as has_input says that the loop can read something. None: never."""
        self._has_input = has_input

    def _begin(self) -> None:
        self._locks: dict[int, asyncio.Lock] = {}
        self._changes: dict[int, asyncio.Future[None]] = {}  # by lane: its lock lets no second one wait
        self._calls: list[tuple[float, int, asyncio.Future[None]]] = []
        self._callers: dict[int, int] = {}  # by lane: calls that wait for its lock
        self._spent: dict[int, float] = {}  # seconds divided by the weight, by lane
        self._virtual = 0.0  # what the lane with the present turn had spent before it
        self._is_busy = False

    async def change(self, function: Callable[[], Result], lane: int = 0) -> Result:
        """Runs what changes chain state, after all changes of the same lane that were asked for before."""
        self._follow_loop()
        async with self._locks.setdefault(lane, asyncio.Lock()):
            return await self._run(function, Stopwatch(), lane)

    async def change_all(self, function: Callable[[], Result], lanes: Collection[int]) -> Result:
        """Runs what changes several lanes, while no change of any of them is under way."""
        self._follow_loop()
        async with AsyncExitStack() as held:
            for lane in sorted(lanes):
                await held.enter_async_context(self._locks.setdefault(lane, asyncio.Lock()))
            return await self._run(function, Stopwatch(), min(lanes))

    async def call(self, function: Callable[[], Result], stopwatch: Stopwatch | None = None) -> Result:
        """Runs what only reads. Calls with one stopwatch share the time that it counts."""
        self._follow_loop()
        return await self._run(function, stopwatch or Stopwatch(), None)

    async def call_in(self, lane: int, function: Callable[[], Result], stopwatch: Stopwatch | None = None) -> Result:
        """Runs a call after everything that was asked for before in the same lane. It gets the turns of a call, and so
        does what is before it."""
        self._follow_loop()
        lock = self._locks.setdefault(lane, asyncio.Lock())
        self._callers[lane] = self._callers.get(lane, 0) + 1
        self._hurry(lane)
        try:
            await lock.acquire()
        finally:
            self._callers[lane] -= 1
        try:
            return await self._run(function, stopwatch or Stopwatch(), None)
        finally:
            lock.release()

    def _hurry(self, lane: int) -> None:
        """Puts the change of a lane that waits for its turn among the calls."""
        granted = self._changes.pop(lane, None)
        if granted is not None:
            self._spent[CALLS] = max(self._spent.get(CALLS, 0.0), self._virtual)
            heapq.heappush(self._calls, (0.0, next(self._arrivals), granted))

    def _follow_loop(self) -> None:
        """Turns of a loop that has ended are nobody's any more."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._begin()

    async def _run(self, function: Callable[[], Result], stopwatch: Stopwatch, lane: int | None) -> Result:
        computation = _Computation(function, stopwatch, self._clock, self._has_input)
        answer: Any = None
        try:
            while True:
                line = CALLS if lane is None or self._callers.get(lane) else lane
                await self._turn(stopwatch, line)
                before = stopwatch.seconds
                try:
                    waiting_for = computation.give_turn(answer)
                finally:
                    self._spent[line] += (stopwatch.seconds - before) / self._weights.get(line, 1)
                    asyncio.get_running_loop().call_soon(self._next)
                if computation.dead:
                    result: Result = waiting_for
                    return result
                if waiting_for is None:
                    answer = None
                    continue
                began = self._clock()
                answer = await waiting_for
                stopwatch.seconds += self._clock() - began
        finally:
            computation.abandon()

    async def _turn(self, stopwatch: Stopwatch, line: int) -> None:
        """Waits for a turn of a lane, or of CALLS."""
        self._spent[line] = max(self._spent.get(line, 0.0), self._virtual)  # nobody saves up turns
        if not self._is_busy:
            self._is_busy = True
            self._virtual = self._spent[line]
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if line == CALLS:
            heapq.heappush(self._calls, (stopwatch.seconds, next(self._arrivals), granted))
        else:
            self._changes[line] = granted
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self._next()  # the turn came too late to be used
            raise

    def _next(self) -> None:
        """Gives the turn to the lane, or the call, that has had the least for its weight."""
        while self._changes or self._calls:
            lines = [*self._changes, CALLS] if self._calls else self._changes
            line = min(lines, key=lambda one: (self._spent[one], one))
            granted = heapq.heappop(self._calls)[2] if line == CALLS else self._changes.pop(line)
            if not granted.done():
                self._virtual = self._spent[line]
                granted.set_result(None)
                return
        self._is_busy = False
