"""Which L1 block the next L2 block names as its origin.

Rules: specs protocol/derivation.md, "Eager Block Derivation" (the drift) and op-node's sequencer, whose choice this is:
it moves on to the next L1 block as soon as the L2 time allows.
"""

from derivation.errors import NotFound
from derivation.sources import L1Source
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig


class OriginReorged(Exception):
    """The parent's origin is no longer in L1's chain. The sequencer must go back to a block with a canonical origin."""


class OriginMissing(Exception):
    """The drift is used up and L1 has no further block that could be the origin: wait for L1."""


class OriginSelector:
    """Picks origins from an L1 source, at least confirmation_depth blocks behind L1's head."""

    def __init__(self, config: RollupConfig, l1: L1Source, confirmation_depth: int = 0) -> None:
        self._config = config
        self._l1 = l1
        self.confirmation_depth = confirmation_depth

    def next_origin(self, parent: L2BlockRef) -> L1BlockRef:
        """The origin of the block after parent: the parent's own or its child.

        Raises OriginReorged when the parent's origin left L1's chain, OriginMissing when the block must not be built
        yet: the origin may not stay, and the next one is not there.
        """
        # spec: batch.drift
        current = self._current(parent)
        following = self._following(current)
        time = parent.timestamp + self._config.block_time
        if following is not None and time >= following.timestamp:
            return following
        if not self.is_past_drift(time, current):
            return current
        # Past the drift the next origin must be known before one may stay: it may be that it could be taken
        # (specs protocol/derivation.md, batch queue: "next_epoch ... must advance" when batch.timestamp allows it).
        if following is None:
            raise OriginMissing(
                f"L2 time {time} is past the sequencer drift of L1 origin {current.number} "
                f"({current.timestamp}), and L1 block {current.number + 1} is not there yet"
            )
        return current

    def is_past_drift(self, l2_time: int, origin: L1BlockRef) -> bool:
        """True when a block at this L2 time (seconds) on this origin must be empty of user transactions."""
        return l2_time > origin.timestamp + self._config.max_sequencer_drift_at(origin.timestamp)

    def _current(self, parent: L2BlockRef) -> L1BlockRef:
        try:
            canonical = self._l1.ref_by_number(parent.l1_origin.number)
        except NotFound as error:
            raise OriginReorged(f"L1 block {parent.l1_origin.number} is gone") from error
        if canonical.hash != parent.l1_origin.hash:
            raise OriginReorged(
                f"L1 block {canonical.number} is 0x{canonical.hash.hex()}, no longer 0x{parent.l1_origin.hash.hex()}"
            )
        return canonical

    def _following(self, current: L1BlockRef) -> L1BlockRef | None:
        number = current.number + 1
        if number + self.confirmation_depth > self._l1.head().number:
            return None
        try:
            following = self._l1.ref_by_number(number)
        except NotFound:
            return None
        if following.parent_hash != current.hash:
            raise OriginReorged(f"L1 block {number} does not follow 0x{current.hash.hex()}")
        return following
