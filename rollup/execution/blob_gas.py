"""The blob gas of a block: that of blobs on L1, and the DA footprint of an OP chain from Jovian on."""

from rollup.execution.block_context import BlockContext
from rollup.execution.config import L1Config, L2Config
from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.execution.l1_block import da_footprint_gas_scalar
from rollup.execution.vms.rules import EvmRules
from rollup.protocol.fees import GAS_PER_BLOB, da_footprint
from rollup.protocol.forks import Fork
from rollup.protocol.transaction import Transaction


class BlobGasMeter:
    """Counts a block's blob gas against its limit. `used` is what the included transactions have used."""

    def __init__(self, config: L1Config | L2Config, context: BlockContext, rules: EvmRules) -> None:
        self.used = 0
        self._gas_limit = context.gas_limit
        self._rules = rules
        self._scalar: int | None = None  # of the DA footprint, from the first transaction
        times = context.timestamp, context.parent.timestamp
        forks = config.forks if isinstance(config, L2Config) else None
        self._activates_jovian = forks is not None and forks.activates(Fork.JOVIAN, *times)
        self._must_be_empty = forks is not None and forks.first_block_is_empty(*times)

    def needed(self, transaction: Transaction, is_first: bool) -> int:
        """The blob gas that a transaction would use. Raises InvalidTransaction above the block's limit.

        is_first: the transaction is the block's first. From Jovian on it has the scalar of the DA footprint.
        """
        # spec: jovian.first-block-empty, jovian.da-footprint
        fork = self._rules.fork
        if fork is None:
            return self._blobs_needed(len(transaction.blob_versioned_hashes))
        if fork < Fork.JOVIAN:
            return 0
        if is_first:
            self._scalar = da_footprint_gas_scalar(transaction, self._activates_jovian)
        if transaction.is_deposit:
            return 0
        if self._must_be_empty or self._scalar is None:
            # jovian/derivation.md, "Activation Block Rules".
            raise InvalidTransaction(Refusal.ACTIVATION_BLOCK)
        footprint = da_footprint(transaction, self._scalar)
        left = self._gas_limit - self.used
        if footprint > left:
            raise InvalidTransaction(Refusal.DA_FOOTPRINT, have=footprint, want=left)
        return footprint

    def _blobs_needed(self, count: int) -> int:
        blobs = self._rules.l1_row.blobs
        if not count or blobs is None:
            return 0
        left = blobs.max - self.used // GAS_PER_BLOB
        if count > left:
            raise InvalidTransaction(Refusal.BLOCK_BLOB_GAS, have=count, want=left)
        return count * GAS_PER_BLOB
