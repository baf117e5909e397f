"""The steps of a node's actors, one at a time. Each step changes one chain, so that steps can run in lanes."""

import time

from derivation.errors import Reset, Temporary
from rollup.node.actors import Actors
from rollup.node.reports import Reports
from rollup.protocol.block import Block
from sequencer.origin_selector import OriginMissing
from sequencer.proposer import OutputUnavailable, ProposalRefused

_MAY_WAIT = 0.75  # of the throttle's threshold: the data of blocks that may wait in a rush


class NodeSteps:
    """The steps of each chain (rollup/lanes.py), and of both chains together."""

    def __init__(self, actors: Actors, reports: Reports) -> None:
        self._actors = actors
        self._reports = reports

    # ------------------------------------------------------------ one chain's steps
    def begin_round(self) -> None:
        """Reports which actors were started or stopped since."""
        self._reports.switches()

    def mine_l1_block(self, timestamp: int | None = None) -> Block:
        """Mines an L1 block, in the slot of a time or in the next one."""
        return self._actors.l1.miner.mine(timestamp)

    def build_l2_block(self, takes_pool: bool = True) -> Block | None:
        """Builds an L2 block; None while L1 does not answer. Raises OriginMissing while L1 must come first."""
        started = time.perf_counter()
        actors = self._actors
        if actors.clock.now() < actors.sequencer.next_block_time:
            # Instant blocks run ahead of the clock: it jumps, and L1 follows it.
            actors.clock.advance(actors.sequencer.next_block_time - actors.clock.now())
        actors.throttle.step()
        try:
            block = actors.sequencer.build_block(takes_pool)
        except OriginMissing as error:
            self._reports.waiting("sequencer", str(error))
            raise
        except (Temporary, Reset) as error:
            self._reports.waiting("sequencer", str(error))
            return None
        self._reports.moved("sequencer")
        self._reports.built(block, time.perf_counter() - started)
        return block

    def post(self) -> None:
        """Has the batcher post what it has, and reports what L1 has included."""
        batcher = self._actors.batcher
        self._reports.posted(batcher.step())
        if batcher.waiting_for:
            self._reports.waiting("batcher", batcher.waiting_for)
        else:
            self._reports.moved("batcher")

    def can_post_later(self) -> bool:
        """Whether the batcher may wait without a throttle of the builder."""
        throttle = self._actors.throttle
        return throttle.backlog <= _MAY_WAIT * throttle.config.lower_threshold

    def after_derivation(self) -> None:
        """Batcher, proposer and reports, after the sequencer's derivation has read all of L1."""
        self.post()  # first, so that a batch is reported before the safe head that it moved
        self._reports.safe_head()
        self._reports.stalls()
        self.post()
        try:
            proposed = self._actors.proposer.step()
        except (ProposalRefused, OutputUnavailable, Temporary) as error:
            self._reports.waiting("proposer", str(error))
        else:
            self._reports.moved("proposer")
            for output in proposed:
                self._reports.proposed(output)

    def after_verification(self) -> None:
        """Reports, after the verifier has read all of L1."""
        self._reports.verified()

    def is_l2_first(self) -> bool:
        """The L2 block that is due has an earlier time than the L1 block that is due."""
        actors = self._actors
        return actors.sequencer.is_due() and actors.sequencer.next_block_time < actors.l1.miner.next_block_time

    # ------------------------------------------------------------ both chains
    def mine_l1(self, timestamp: int | None = None) -> Block:
        """Mines an L1 block, which derivation, batcher and proposer then read."""
        block = self.mine_l1_block(timestamp)
        self.read_l1()
        return block

    def build_l2(self, takes_pool: bool = True) -> Block | None:
        """Builds an L2 block; None while L1 does not answer, or must come first, which then mines unless on demand."""
        try:
            block = self.build_l2_block(takes_pool)
        except OriginMissing:
            if not self._actors.l1.miner.on_demand:
                self.mine_l1()
            return None
        if block is not None:
            self.post()
        return block

    def read_l1(self) -> None:
        """Has the derivations read all of L1, then batcher and proposer act."""
        self._actors.l2.derivation.sync()
        if self._actors.verifies:
            self._actors.verifier.derivation.sync()
            self._reports.note_verified()
        self.after_derivation()
