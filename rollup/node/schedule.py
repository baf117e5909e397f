"""When each step of a node is due, and running the node.

With the machine's clock each chain has a lane of its own (rollup/lanes.py) and waits between its steps. A virtual
clock has one lane and jumps to the next step, so that the same seed, genesis time and commands give the same hashes.
"""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from derivation.errors import Critical
from rollup.catching_up import CatchingUp
from rollup.clock import ManualClock, SystemClock
from rollup.cooperative import Turns
from rollup.execution.vms.kzg_worker import starting_early
from rollup.lanes import Lanes
from rollup.node.actors import Actors
from rollup.node.params import NodeError, NodeParams
from rollup.node.steps import NodeSteps
from rollup.protocol.blockref import L2BlockRef
from rollup.rush import Rush
from rollup.store.kv import StoreDamaged, StoreError

# Of new objects that are not freed, then of collections of the younger generation. A transaction leaves about six that
# stay. Each second collection is of the second generation. So none walks through more than 100,000 objects, which takes
# about a tenth of a second.
_GC_THRESHOLDS = 50_000, 0, 30


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Spares a node the walks of the garbage collector through objects that stay.

    What was loaded before is never walked through, 0.1 s each time. Blocks, transactions and receipts stay in caches
    and are in no cycles, so collections are rarer than by Python's own thresholds. All is as before afterwards: a
    program that has frozen its objects itself keeps them frozen, and no others.
    """
    before, is_frozen = gc.get_threshold(), gc.get_freeze_count() > 0
    if not is_frozen:
        gc.collect()
        gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not is_frozen:
            gc.unfreeze()  # the program may continue and open other nodes


class Schedule:
    """Does a node's steps when they are due."""

    def __init__(self, params: NodeParams, actors: Actors, steps: NodeSteps, turns: Turns, rush: Rush) -> None:
        self._params = params
        self._actors = actors
        self._steps = steps
        self._turns = turns
        self._rush = rush
        self._stopping = False
        self._lanes: Lanes | None = None
        self._running: asyncio.Task[None] | None = None

    def catch_up_clock(self) -> None:
        """Sets the clock so that a kept chain continues at its head's time, and its first block is due at once.

        A chain's clock stands still while no node runs it. The first block is not due at once where that would put
        the chain ahead of the machine's clock.
        """
        actors = self._actors
        newest = max(actors.l1.chain.head.timestamp, actors.l2.chain.head.timestamp)
        now = actors.clock.now()
        if isinstance(actors.clock, SystemClock):
            first = newest if self._params.instant else min(actors.sequencer.next_block_time, now)
            actors.clock.offset += max(newest, first) - now
        elif newest > now:
            actors.clock.advance(newest - now)

    # ------------------------------------------------------------ step by step
    def next_due(self) -> float:
        """Seconds: when the next actor has something to do."""
        actors = self._actors
        due = [] if actors.l1.miner.on_demand else [float(actors.l1.miner.next_block_time)]
        if actors.sequencer.is_active and not actors.sequencer.on_demand:
            is_due = actors.sequencer.is_due()
            due.append(actors.clock.now() if is_due else float(actors.sequencer.next_block_time))
        return min(due, default=actors.clock.now() + 1)

    def advance(self, limit: int = 50) -> int:
        """Does what is due, L1 first where both are, at most limit steps; returns how many it did.

        Raises NodeError if derivation cannot continue, or if nothing can be written.
        """
        done = 0
        self._steps.begin_round()
        with self._failures():
            while done < limit and not self._stopping:
                if self._actors.l1.miner.is_due() and not self._steps.is_l2_first():
                    self._steps.mine_l1()
                elif self._actors.sequencer.is_due():
                    self._steps.build_l2()
                else:
                    break
                done += 1
        return done

    def run_until_safe(self, number: int) -> L2BlockRef:
        """Advances a virtual clock, without servers, until an L2 block is safe on both nodes.

        Returns the safe head. Raises NodeError.
        """
        if number and not self._actors.posts:
            raise NodeError("no block becomes safe with --da none")
        if not isinstance(self._actors.clock, ManualClock):
            raise NodeError("only a virtual clock can be run without waiting")
        while not self._is_safe(number):
            if not self.advance():
                self._jump(self._actors.clock)
        return self._actors.l2.derivation.safe_head

    # ------------------------------------------------------------ running
    async def run(self, until_safe: int | None = None) -> None:
        """Acts until stopped, or until an L2 block is safe on both nodes; raises NodeError."""
        clock = self._actors.clock
        running = (
            self._run_virtually(clock, until_safe) if isinstance(clock, ManualClock) else self._in_lanes(until_safe)
        )
        self._running = asyncio.create_task(running)
        try:
            await self._running
        except asyncio.CancelledError:
            if not self._stopping:
                raise

    def stop(self) -> None:
        """Makes run return at once.

        A step that is under way ends at its next check point. What it has written is whole, and the next start
        continues from there, as after a kill.
        """
        self._stopping = True
        if self._running is not None:
            self._running.cancel()

    @property
    def is_running(self) -> bool:
        """Whether steps are done as they become due."""
        return self._running is not None and not self._running.done()

    def wake(self) -> None:
        """Makes run look at once whether something is due."""
        if self._lanes is not None:
            self._lanes.wake()

    def transaction_came(self) -> None:
        """Makes run look at once whether an L2 block is due."""
        if self._lanes is not None:
            self._lanes.transaction_came()

    def changed(self) -> None:
        """Makes run look at everything again, after chains, clock or actors were changed from outside."""
        if self._lanes is not None:
            self._lanes.changed()

    async def _run_virtually(self, clock: ManualClock, until_safe: int | None) -> None:
        while not self._stopping:
            await self._turns.change(lambda: self.advance(1))
            if self._is_safe(until_safe):
                return
            self._jump(clock)
            await asyncio.sleep(0)

    async def _in_lanes(self, until_safe: int | None) -> None:
        actors = self._actors
        derivations = actors.l2.derivation, actors.verifier.derivation if actors.verifies else None
        config = actors.l2.derivation.config
        drift = config.max_sequencer_drift_at(actors.l1.chain.head.timestamp)
        catching_up = CatchingUp(actors.l1.miner, actors.clock, drift, time.monotonic)
        self._lanes = Lanes(
            self._steps,
            actors.l1.miner,
            actors.sequencer,
            derivations,
            actors.clock,
            self._turns,
            catching_up,
            self._rush,
        )
        loop = asyncio.get_running_loop()
        early = starting_early(loop) if self._params.may_post_blobs else nullcontext()
        with collecting_rarely(), self._failures(), early:
            await self._lanes.run(lambda: self._is_safe(until_safe))

    def _jump(self, clock: ManualClock) -> None:
        clock.advance(max(self.next_due() - clock.now(), 0))

    def _is_safe(self, number: int | None) -> bool:
        """The block is safe on both nodes, or on one where no verifier runs."""
        actors = self._actors
        nodes = (actors.l2, actors.verifier) if actors.verifies else (actors.l2,)
        return number is not None and number <= min(node.derivation.safe_head.number for node in nodes)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turns the errors that end the node into a NodeError."""
        try:
            yield
        except (Critical, StoreDamaged) as error:
            raise NodeError(str(error)) from error
        except StoreError as error:
            where = self._params.data_dir or "memory"
            raise NodeError(f"{where}: {error} (is the disk full?); everything announced is kept") from error
