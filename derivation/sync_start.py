"""The point where derivation begins after a start or reset (specs derivation.md, "Finding the sync starting point")."""

from derivation.errors import Critical, NotFound
from derivation.safe_heads import SafeHeads, SafeRecord
from derivation.sources import L1Source, is_canonical
from rollup.execution.chain import Chain
from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig, SystemConfig
from rollup.protocol.l2_blocks import l2_block_ref, system_config_of_block


class SyncStart:
    """Finds heads that agree with L1, and the L1 block to read from."""

    def __init__(self, config: RollupConfig, l1: L1Source, chain: Chain, safe_heads: SafeHeads) -> None:
        self._config = config
        self._l1 = l1
        self._chain = chain
        self._safe_heads = safe_heads

    def settled_l1(self, safe: Block) -> int:
        """The L1 block that a safe block was derived from: L1 was read up to it before; -1 if it was not."""
        newest = next(self._safe_heads.newest_first(), None)
        if newest is None or newest.l2.hash != safe.hash or safe.number == self._config.genesis.l2.number:
            return -1
        return newest.derived_from.number

    def find_safe(self) -> Block:
        """The newest recorded safe block whose L1 block is still there; without records the finalized block."""
        # spec: driver.sync-start
        finalized, older = self._chain.finalized, None
        for record in self._safe_heads.newest_first():
            if record.l2.number < finalized.number:
                older = record
                break
            if is_canonical(self._l1, record.derived_from) and self._chain.is_canonical(record.l2.hash):
                block = self._chain.block(record.l2.hash)
                if block is not None:
                    self._safe_heads.drop_after(record)
                    return block
        origin = l2_block_ref(self._config, finalized).l1_origin
        if self._l1.ref_by_number(origin.number).hash != origin.hash:
            raise Critical(
                f"L1 was reorganised below the finalized L2 block {finalized.number}: its origin "
                f"{origin.number} 0x{origin.hash.hex()} is no longer in L1's chain"
            )
        self._safe_heads.drop_after(older)
        if finalized.number == self._config.genesis.l2.number:
            self._record_genesis(finalized)
        return finalized

    def _record_genesis(self, genesis: Block) -> None:
        """Genesis is safe as of every L1 block, also of one before the rollup's own (op-node/rollup/driver)."""
        try:
            first = self._l1.ref_by_number(0)
        except NotFound:
            return  # a source of later blocks alone
        self._safe_heads.record(SafeRecord(BlockId(genesis.hash, genesis.number), first.id))

    def find_unsafe(self, safe: Block) -> Block:
        """The newest block above the safe one whose L1 origin is still there, or not known yet."""
        block = self._chain.head
        while block.number > safe.number:
            origin = l2_block_ref(self._config, block).l1_origin
            try:
                if self._l1.ref_by_number(origin.number).hash == origin.hash:
                    return block
            except NotFound:
                pass  # this L1 source is behind the one used before, or was reorganised to a shorter chain
            parent = self._chain.block(block.header.parent_hash)
            if parent is None:
                raise Critical(f"L2 block {block.number - 1} is missing")
            block = parent
        return safe

    def pipeline_start(self, safe: L2BlockRef) -> tuple[L1BlockRef, SystemConfig]:
        """The L1 block a channel timeout before the safe head's origin, and the system config as of it."""
        # spec: driver.sync-start
        config = self._config
        origin = self._l1.ref_by_hash(safe.l1_origin.hash)
        timeout = config.channel_timeout_at(origin.timestamp)
        start = max(origin.number - timeout, config.genesis.l1.number)
        base = self._l1.ref_by_number(start)
        block: Block | None = self._chain.block(safe.hash)
        while block is not None and block.number > config.genesis.l2.number:
            if l2_block_ref(self._config, block).l1_origin.number <= start:
                break
            block = self._chain.block(block.header.parent_hash)
        if block is None:
            raise Critical(f"no L2 block of L1 origin {start} is kept")
        return base, system_config_of_block(config, block)
