"""A node by the machine's clock: each chain has its own lane, so that only work on a chain waits for that chain.

| Lane | Changes |
|---|---|
| L2 | the sequencer's chain: block building, its derivation, `engine_` and `admin_` methods |
| L1 | the mock L1: mining |
| BATCHER | no chain: batcher and proposer, which compress, commit to blobs and send to L1's pool |
| VERIFIER | the verifier's chain: its derivation |
| INDEX | nothing: the attribution indexes are updated and asked, one after another |

Several suspended computations may exist at once, at most one per lane. A lane gets turns by its weight
(rollup/cooperative.py): the L2 lane and the calls, among them those that take transactions into the pool, go before the
verifier and the indexes, for which no user waits. While very many transactions come, batcher, verifier and indexes are
put off (rollup/rush.py).
Slow transactions of both pools are executed ahead of their blocks, as calls: they change no chain.
What crosses lanes is committed state alone: derivation, sequencer, batcher and proposer read L1 blocks that are in the
store. Transactions enter L1's pool between two check points, as those of a user do.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Final, Protocol

from derivation.driver import Progress, Verifier
from rollup.ahead import keep_executing_ahead
from rollup.catching_up import QUIET, CatchingUp
from rollup.clock import Clock
from rollup.cooperative import CALLS, Turns
from rollup.l1.miner import MockL1
from rollup.rush import Rush
from sequencer.origin_selector import OriginMissing
from sequencer.sequencer import Sequencer

_STEPS_AT_ONCE = 8  # derivation steps; afterwards a block that is due is built
_HEAD_START = 0.25  # seconds that an L2 block waits for an L1 block that is due before it
_BATCHER_RESTS = QUIET / 2  # seconds that it lets instant blocks come, so that its channel is open before L1 mines
_LONGEST_SLEEP = 1.0  # seconds; the clock may be moved meanwhile


class Lane(IntEnum):
    """The parts of a node. Changes of one part run one at a time."""

    L2 = 0
    L1 = 1
    BATCHER = 2
    VERIFIER = 3
    INDEX = 4


WEIGHTS: Final = {Lane.L2: 64, CALLS: 16, Lane.L1: 8, Lane.BATCHER: 4, Lane.VERIFIER: 1, Lane.INDEX: 1}
"""The parts of the time that lanes, and calls, have where all of them want turns."""


class Steps(Protocol):
    """The node's steps. Each changes what one lane holds."""

    def begin_round(self) -> None:
        """L2, before each of its rounds: reports."""

    def mine_l1_block(self, timestamp: int | None = None) -> object:
        """L1: the block of a slot's time, or of the next slot."""

    def build_l2_block(self) -> object:
        """L2; raises OriginMissing while L1 must come first."""

    def post(self) -> None:
        """BATCHER, when there are new blocks: the batcher."""

    def can_post_later(self) -> bool:
        """Whether the batcher may wait without a throttle of the builder."""

    def after_derivation(self) -> None:
        """BATCHER, when the sequencer's derivation has read all of L1: batcher, proposer, reports."""

    def after_verification(self) -> None:
        """VERIFIER, when all of L1 is read: reports."""

    def is_l2_first(self) -> bool:
        """The L2 block that is due has an earlier time than the L1 block that is due."""


class Lanes:
    """Runs a node's actors side by side until one fails or the task is cancelled."""

    def __init__(
        self,
        steps: Steps,
        miner: MockL1,
        sequencer: Sequencer,
        derivations: tuple[Verifier, Verifier | None],
        clock: Clock,
        turns: Turns,
        catching_up: CatchingUp,
        rush: Rush,
    ) -> None:
        """derivations: the sequencer's and the verifier's, if there is one."""
        self._steps = steps
        self._miner = miner
        self._sequencer = sequencer
        self._derivation, self._verifier = derivations
        self._clock = clock
        self._turns = turns
        self._catching_up = catching_up
        self._rush = rush
        self._resting: set[Lane] = set()  # lanes that wait until no instant blocks come
        self._wakeups = {lane: asyncio.Event() for lane in Lane}
        self._unread = {Lane.L2: True, Lane.VERIFIER: True}  # L1 may have blocks that this lane has not read
        self._l1_is_missing = False
        self._batcher_is_due = self._has_derived = True  # after a block of either chain; after derivation
        self._is_over: Callable[[], bool] = lambda: False
        self._waited_for: int | None = None  # the time of the L1 block that an L2 block has waited for

    async def run(self, is_over: Callable[[], bool]) -> None:
        """Acts until it is over, or one of the actors fails; raises what that raises."""
        self._is_over = is_over
        parts = [self._mine(), self._sequence(), self._post()]
        parts += [self._verify(self._verifier)] if self._verifier is not None else []
        parts += [keep_executing_ahead(self._turns, self._miner), keep_executing_ahead(self._turns, self._sequencer)]
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """Has every lane look at once whether something is due."""
        self._batcher_is_due = True
        for wakeup in self._wakeups.values():
            wakeup.set()

    def transaction_came(self) -> None:
        """Has the L2 lane look at once whether a block is due."""
        self._wakeups[Lane.L2].set()

    def changed(self) -> None:
        """Has every lane look at everything again, after chains, clock or actors were changed from outside."""
        self._l1_is_missing, self._waited_for = False, None
        self._unread = dict.fromkeys(self._unread, True)
        self.wake()

    # ------------------------------------------------------------ lanes
    async def _mine(self) -> None:
        miner = self._miner
        while True:
            if not self._mines_now():
                await self._sleep(Lane.L1, None if miner.on_demand else miner.next_block_time)
                continue
            if not self._l1_is_missing and (seconds := self._catching_up.wait()):
                await self._rest(Lane.L1, seconds)
                continue
            await self._turns.change(self._mine_block, Lane.L1)
            self._l1_is_missing = False
            self._unread = dict.fromkeys(self._unread, True)
            self.wake()
            await asyncio.sleep(0)

    async def _sequence(self) -> None:
        sequencer = self._sequencer
        while self._unread[Lane.L2] or not self._is_over():
            self._steps.begin_round()
            is_due = sequencer.is_due() and not self._l1_is_missing
            fills_ahead = not is_due and sequencer.fills_ahead
            if is_due:
                if not sequencer.is_filling_ahead:
                    await self._wait_for_l1()
                await self._build()
                self._wake_batcher()
            elif fills_ahead:
                await self._turns.change(sequencer.fill_ahead, Lane.L2)
            if self._unread[Lane.L2]:
                await self._derive(Lane.L2, self._derivation)
                if not self._unread[Lane.L2]:
                    self._has_derived = True
                    self._wake_batcher()
            elif not is_due and not fills_ahead:
                is_waiting = self._l1_is_missing or sequencer.on_demand or not sequencer.is_active
                await self._sleep(Lane.L2, None if is_waiting else sequencer.next_block_time)
            await asyncio.sleep(0)
        await self._turns.change(self._steps.after_derivation, Lane.BATCHER)  # what is not reported yet

    async def _post(self) -> None:
        while True:
            if not self._batcher_is_due:
                await self._sleep(Lane.BATCHER, None)
                continue
            await self._rush.over(self._steps.can_post_later)
            if not self._has_derived:
                await self._rest(Lane.BATCHER, min(self._catching_up.wait(), _BATCHER_RESTS))
            self._batcher_is_due = False
            has_derived, self._has_derived = self._has_derived, False
            await self._turns.change(self._steps.after_derivation if has_derived else self._steps.post, Lane.BATCHER)

    async def _verify(self, verifier: Verifier) -> None:
        while True:
            if not self._unread[Lane.VERIFIER]:
                await self._sleep(Lane.VERIFIER, None)
                continue
            await self._rush.over()
            await self._derive(Lane.VERIFIER, verifier)
            if not self._unread[Lane.VERIFIER]:
                self._steps.after_verification()
                self._wakeups[Lane.L2].set()

    # ------------------------------------------------------------ inside
    def _wake_batcher(self) -> None:
        self._batcher_is_due = True
        if Lane.BATCHER not in self._resting or self._has_derived:
            self._wakeups[Lane.BATCHER].set()

    def _mines_now(self) -> bool:
        return self._miner.is_due() or (self._l1_is_missing and not self._miner.on_demand)

    def _mine_block(self) -> None:
        if self._mines_now():  # what was due may no longer be when the lane is free
            self._steps.mine_l1_block(self._catching_up.slot())
            self._catching_up.mined()

    def _build_block(self) -> None:
        if not self._sequencer.is_due():
            return
        if self._clock.now() < self._sequencer.next_block_time:
            self._catching_up.moved()
        self._steps.build_l2_block()
        if Lane.L1 not in self._resting or not self._catching_up.wait():
            self._wakeups[Lane.L1].set()

    async def _build(self) -> None:
        try:
            await self._turns.change(self._build_block, Lane.L2)
        except OriginMissing:
            self._l1_is_missing = True
            self._wakeups[Lane.L1].set()

    async def _derive(self, lane: Lane, derivation: Verifier) -> None:
        """Some steps; afterwards the lane is read, unless there is more or L1 has got a new block meanwhile."""
        self._unread[lane] = False
        progress = await self._turns.change(lambda: derivation.sync(_STEPS_AT_ONCE), lane)
        if progress not in (Progress.IDLE, Progress.RETRY):
            self._unread[lane] = True

    async def _wait_for_l1(self) -> None:
        """An L1 block that is due before the L2 block goes first where it does not take long."""
        miner = self._miner
        due = miner.next_block_time
        if not miner.is_due() or self._steps.is_l2_first() or self._waited_for == due or self._catching_up.wait():
            return
        self._waited_for = due
        with suppress(TimeoutError):
            async with asyncio.timeout(_HEAD_START):
                while miner.next_block_time == due:
                    await self._wait(Lane.L2)

    async def _rest(self, lane: Lane, seconds: float) -> None:
        """Waits while instant blocks are built, until it is woken for another reason."""
        if seconds <= 0:
            return
        self._resting.add(lane)
        try:
            await self._wait_for(lane, seconds)
        finally:
            self._resting.discard(lane)

    async def _sleep(self, lane: Lane, until: float | None) -> None:
        """Waits for a time of the clock, for a wake-up, or for a second."""
        seconds = _LONGEST_SLEEP if until is None else min(until - self._clock.now(), _LONGEST_SLEEP)
        if seconds > 0:
            await self._wait_for(lane, seconds)

    async def _wait_for(self, lane: Lane, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wait(lane)

    async def _wait(self, lane: Lane) -> None:
        self._wakeups[lane].clear()
        await self._wakeups[lane].wait()
