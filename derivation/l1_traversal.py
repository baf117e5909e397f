"""Stage 1: L1 blocks one after the other, and the system config as of each."""

from derivation.errors import EndOfSource, Reset
from derivation.journal import Journal
from derivation.sources import L1Source
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig, SystemConfig
from rollup.protocol.system_config import apply_config_updates


class L1Traversal:
    """Holds one L1 block, the pipeline's origin, and returns it once."""

    def __init__(self, config: RollupConfig, l1: L1Source, journal: Journal | None = None) -> None:
        self._journal = journal or Journal()
        self._config = config
        self._l1 = l1
        self.origin: L1BlockRef | None = None
        self.system_config: SystemConfig = config.genesis.system_config
        self._given = False

    def reset(self, origin: L1BlockRef, system_config: SystemConfig) -> None:
        """Moves to a block; system_config is the one as of that block."""
        self.origin = origin
        self._journal.open_block(origin)
        self.system_config = system_config
        self._given = False

    def next_l1_block(self) -> L1BlockRef:
        """The current block, once; raises EndOfSource afterwards."""
        if self._given or self.origin is None:
            raise EndOfSource
        self._given = True
        return self.origin

    def advance(self) -> None:
        """Moves to the next L1 block. Raises NotFound if there is none yet, Reset if its parent is another block."""
        # spec: retrieval.every-block
        origin = self.origin
        if origin is None:
            raise Reset("the pipeline has no L1 origin yet")
        following = self._l1.ref_by_number(origin.number + 1)
        if following.parent_hash != origin.hash:
            raise Reset(
                f"L1 reorg: block {following.number} has parent 0x{following.parent_hash.hex()}, "
                f"not 0x{origin.hash.hex()}"
            )
        receipts = self._l1.receipts(following.hash)
        self.system_config = apply_config_updates(self._config, self.system_config, receipts, following.timestamp)
        self.origin = following
        self._journal.open_block(following)
        self._given = False
