"""Epochs, for both batch stages: the L1 blocks a batch may take as origin, and the blocks made when no batch comes."""

from derivation.batches import SingularBatch
from derivation.errors import Critical, EndOfSource, Reset
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig


class Epochs:
    """L1 blocks from the safe head's epoch to the pipeline's origin."""

    __slots__ = ("_config", "blocks", "origin")

    def __init__(self, config: RollupConfig) -> None:
        self._config = config
        self.origin: L1BlockRef | None = None
        self.blocks: list[L1BlockRef] = []

    def reset(self, base: L1BlockRef) -> None:
        """Begins at an L1 block."""
        self.origin = base
        self.blocks = [base]

    def update(self, origin: L1BlockRef | None, parent: L2BlockRef) -> None:
        """Takes in the pipeline's origin, and lets go of epochs before the parent's."""
        if origin is not None and self.origin != origin:
            self.origin = origin
            if self.is_behind(parent):
                self.blocks = []
            else:
                self.blocks.append(origin)
        if self.blocks and parent.l1_origin.number > self.blocks[0].number:
            for index, block in enumerate(self.blocks):
                if block.number == parent.l1_origin.number:
                    self.blocks = self.blocks[index:]
                    break

    def is_behind(self, parent: L2BlockRef) -> bool:
        """Whether the pipeline has not reached the parent's epoch yet."""
        return self.origin is None or self.origin.number < parent.l1_origin.number

    def check(self, parent: L2BlockRef) -> None:
        """Raises Reset when the parent's epoch is not the one at hand."""
        if not self.blocks:
            raise Critical("no L1 block to take as origin: derivation did not begin at a safe head")
        epoch = self.blocks[0]
        if parent.l1_origin.hash != epoch.hash and parent.l1_origin.number != epoch.number - 1:
            raise Reset(f"L2 block {parent.number} has origin {parent.l1_origin.number}, the epoch is {epoch.number}")

    def empty_batch(self, parent: L2BlockRef, out_of_data: bool) -> SingularBatch:
        """The block that replaces a missing one once the sequencing window is over; raises EndOfSource.

        specs protocol/derivation.md, "Batch Queue": blocks of the same epoch up to the next origin's time, at least one
        per epoch.
        """
        # spec: epoch.has-a-block, epoch.block-every-block-time
        if self.origin is None or len(self.blocks) < 2:
            raise EndOfSource
        epoch, following = self.blocks[0], self.blocks[1]
        expiry = epoch.number + self._config.seq_window_size
        if not (expiry < self.origin.number or (expiry == self.origin.number and out_of_data)):
            raise EndOfSource
        timestamp = parent.timestamp + self._config.block_time
        is_first = epoch.number == parent.l1_origin.number + 1
        if timestamp < following.timestamp or is_first:
            return SingularBatch(parent.hash, epoch.number, epoch.hash, timestamp)
        del self.blocks[0]
        raise EndOfSource
