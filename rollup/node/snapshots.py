"""Snapshots of a node: everything that decides its next blocks, taken at one moment and restored later.

Each actor captures its own state and restores it. A snapshot is in memory; what the actors keep on disk is written as
they always write it, so a node that is killed while it restores starts again like any other: the L2 chains go back
before L1 does, and L1 data that is ahead of an L2 chain is derived again.

Filters, subscriptions and the attribution index follow the chains: for them a revert is a reorganisation.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from rollup.clock import ManualClock, SystemClock
from rollup.execution.chain import Chain, ChainHeads
from rollup.execution.chain_recovery import newest_with_state
from rollup.node.actors import Actors


class Actor(Protocol):
    """Something whose state decides later blocks."""

    def capture(self) -> Any:
        """The state now. What it returns is handed to restore, and is not changed by what the actor does later."""

    def restore(self, state: Any, /) -> None:
        """Acts from now on as it would have acted then. A state may be restored more than once."""


@dataclass(slots=True, frozen=True)
class _Snapshot:
    time: float
    heads: list[ChainHeads]
    states: list[Any]


class Snapshots:
    """The snapshots of one node, by number."""

    def __init__(self, clock: SystemClock | ManualClock, chains: Sequence[Chain], actors: Sequence[Actor]) -> None:
        """chains and actors are restored in the order in which they are given."""
        self._clock = clock
        self._chains = chains
        self._actors = actors
        self._taken: dict[int, _Snapshot] = {}
        self._last = 0
        self._genesis = self._capture() if all(chain.head.number == 0 for chain in chains) else None
        if self._genesis is not None:
            self._release(self._genesis)  # pruning does not wait for a reset

    @property
    def count(self) -> int:
        """How many snapshots are kept."""
        return len(self._taken)

    def heads_of(self, chain: Chain) -> dict[int, ChainHeads]:
        """The heads that each snapshot keeps of one of the chains, by the snapshot's number."""
        index = self._chains.index(chain)
        return {number: snapshot.heads[index] for number, snapshot in self._taken.items()}

    def take(self) -> int:
        """Takes a snapshot and returns its number. Numbers begin at 1 and are not used again."""
        self._last += 1
        self._taken[self._last] = self._capture()
        return self._last

    def revert(self, number: int, keeps: bool = False) -> bool:
        """Restores a snapshot; False for a number that is not known.

        Those taken after it are forgotten, and without keeps the snapshot too (as in ganache's evm_revert). Not to be
        called while a step of the node is under way (rollup.cooperative.Turns.change_all).
        """
        snapshot = self._taken.get(number)
        if snapshot is None:
            return False
        self._restore(snapshot)
        self.forget(number + 1 if keeps else number)
        return True

    def reset(self) -> str | None:
        """Restores the beginning and forgets all snapshots; says why not, with nothing changed, where it cannot."""
        if self._genesis is None:
            return "this node began with a chain that was kept: its state at genesis is not known"
        for chain in self._chains:
            if newest_with_state(chain, 0) is None:
                return "the states of the first blocks are no longer kept: use openrollup run --archive"
        self._restore(self._genesis)
        self.forget(0)
        return None

    def _capture(self) -> _Snapshot:
        heads = [chain.capture() for chain in self._chains]
        return _Snapshot(self._clock.now(), heads, [actor.capture() for actor in self._actors])

    def _restore(self, snapshot: _Snapshot) -> None:
        self._clock.rewind_to(snapshot.time)
        for chain, heads in zip(self._chains, snapshot.heads, strict=True):
            chain.restore(heads)
        for actor, state in zip(self._actors, snapshot.states, strict=True):
            actor.restore(state)

    def _release(self, snapshot: _Snapshot) -> None:
        for chain, heads in zip(self._chains, snapshot.heads, strict=True):
            chain.release(heads)

    def forget(self, number: int) -> None:
        """Forgets a snapshot and those taken after it, and lets the states go that only they needed."""
        for later in [taken for taken in self._taken if taken >= number]:
            self._release(self._taken.pop(later))

    @contextmanager
    def anchor(self) -> Iterator[None]:
        """Undoes, at the end of the block, all that happened in it."""
        number = self.take()
        try:
            yield
        finally:
            self.revert(number)


def snapshots_of(actors: Actors) -> Snapshots:
    """The snapshots of a whole node."""
    l1, l2, verifier = actors.l1, actors.l2, actors.verifier
    pools = [pool for pool in (l1.pool, l2.pool) if pool is not None]
    return Snapshots(
        actors.clock,
        [l2.chain, verifier.chain, l1.chain],  # L1 last: a kill in between leaves L1 ahead, never behind
        [
            actors.patches,
            *pools,
            l1.miner,
            l2.derivation,
            verifier.derivation,
            actors.sequencer,
            actors.throttle,
            actors.batcher,
            actors.proposer,
        ],
    )
