"""The price of gas on one layer, in wei: base fees, blob base fees, tips."""

from rollup.execution.block_context import l1_base_fee, l1_blob_base_fee_after, l2_base_fee
from rollup.execution.config import L1Config
from rollup.protocol.blob_schedule import blob_base_fee_under
from rollup.protocol.block import Block
from rollup.protocol.fees import GAS_PER_BLOB, MIN_BLOB_BASE_FEE
from rollup.protocol.forks import L1_FORKS
from rollup.rpc.backend import ExecutionBackend

HIGHEST_TIP = 500 * 10**9  # op-geth's --gpo.maxprice
DEFAULT_TIP = 1_000_000  # the suggestion on a quiet chain, as op-geth's --gpo.minsuggestedpriorityfee


class Fees:
    """The fees of one layer's blocks, and those that the next block will ask for."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._chain = backend.chain

    def next_base_fee(self) -> int:
        """The base fee per gas of the next block."""
        return self.base_fee_after(self._chain.head)

    def base_fee_after(self, block: Block) -> int:
        """The base fee per gas of the block after this one."""
        config = self._backend.config
        if isinstance(config, L1Config):
            return l1_base_fee(block.header)
        return l2_base_fee(config, block.header, block.timestamp + 1)

    def gas_price(self) -> int:
        """Base fee and a tip: enough for the next block, and for a call in the head, which checks its own base fee."""
        head = self._chain.head.header.base_fee_per_gas or 0
        return max(head, self.next_base_fee()) + self.suggested_tip()

    def suggested_tip(self) -> int:
        """A tip that gets a transaction in: on L1 the head's median tip, on L2 op-geth's suggestion; at least the
        default.

        op-geth (eth/gasprice/optimism-gasprice.go) suggests more than the default only after a block that may have had
        no room for another transaction: then a tenth above that block's median.
        """
        head = self._chain.head
        tips = sorted(self.tips(head))
        median = tips[len(tips) // 2][0] if tips else 0
        if isinstance(self._backend.config, L1Config):
            return max(DEFAULT_TIP, median)
        room = head.header.gas_limit - head.header.gas_used
        if room >= max((gas for _, gas in tips), default=0):
            return DEFAULT_TIP
        return min(max(DEFAULT_TIP, median + median // 10), HIGHEST_TIP)

    def tips(self, block: Block) -> list[tuple[int, int]]:
        """Tip and gas used of each transaction of a block. A deposit tips nothing (op-geth: EffectiveGasTip)."""
        base_fee = block.header.base_fee_per_gas or 0
        receipts = self._chain.receipts(block.hash) or []
        return [
            (0 if transaction.is_deposit else transaction.effective_gas_price(base_fee) - base_fee, receipt.gas_used)
            for transaction, receipt in zip(block.transactions, receipts, strict=False)
        ]

    def rewards(self, block: Block, shares: list[float]) -> list[int]:
        """Tips at shares of the block's gas, in per cent (op-geth eth/gasprice/feehistory.go: processBlock)."""
        tips = sorted(self.tips(block), key=lambda item: item[0])
        if not tips:
            return [0] * len(shares)
        rewards, index, seen = [], 0, tips[0][1]
        for share in shares:
            threshold = int(block.header.gas_used * share / 100)
            while index < len(tips) - 1 and seen < threshold:
                index += 1
                seen += tips[index][1]
            rewards.append(tips[index][0])
        return rewards

    # ------------------------------------------------------------ blobs
    def blob_base_fee(self, block: Block) -> int:
        """The blob base fee of a block. L2 has no blobs, so it is always 1 wei there."""
        config = self._backend.config
        if not isinstance(config, L1Config):
            return MIN_BLOB_BASE_FEE
        return blob_base_fee_under(config.fork_at(block.timestamp), block.header.excess_blob_gas or 0)

    def blob_base_fee_after(self, block: Block) -> int:
        """The blob base fee of the block after this one. L2 has no blobs, so it is always 1 wei there."""
        config = self._backend.config
        if not isinstance(config, L1Config):
            return MIN_BLOB_BASE_FEE
        return l1_blob_base_fee_after(config, block.header, block.timestamp + 1)

    def next_blob_base_fee(self) -> int | None:
        """The blob base fee of the next block; None on an L1 before Cancun, as in geth."""
        head, config = self._chain.head, self._backend.config
        if isinstance(config, L1Config) and L1_FORKS[config.fork_at(head.timestamp + 1)].blobs is None:
            return None
        return self.blob_base_fee_after(head)

    def blob_gas_ratio(self, block: Block) -> float:
        """Blob gas used, as a share of the block's limit; 0 on L2 and before blobs."""
        config = self._backend.config
        blobs = L1_FORKS[config.fork_at(block.timestamp)].blobs if isinstance(config, L1Config) else None
        return 0 if blobs is None else (block.header.blob_gas_used or 0) / (blobs.max * GAS_PER_BLOB)
