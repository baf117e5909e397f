"""The cheats that both layers have."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from rollup.cheats.effects import MAX_BLOCKS, CheatRefused, Effect
from rollup.cheats.impersonation import Impersonation
from rollup.execution.overrides import StateOverride
from rollup.l1.miner import MockL1
from rollup.pool.mempool import Mempool
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import Transaction
from sequencer.sequencer import Sequencer

if TYPE_CHECKING:
    from rollup.cheats.shared import Cheats


class LayerCheats:
    """The cheats of one layer: those that both layers have. `shared` are the whole node's."""

    name: str
    layer: Literal["l1", "l2"]
    block_time: int  # seconds
    pool: Mempool

    def __init__(self, shared: "Cheats") -> None:
        self.shared = shared
        self._node = shared.node
        self.impersonation = Impersonation()

    @property
    def own_accounts(self) -> frozenset[Address]:
        """The accounts with code that the layer begins with: contracts that the rollup itself needs."""
        devnet = self._node.devnet
        alloc = (devnet.l1 if self.layer == "l1" else devnet.l2).alloc
        return frozenset(address for address, account in alloc.items() if account.code)

    def mine(self, count: int = 1, interval: int = 0, timestamp: int | None = None) -> Effect:
        """Makes blocks, interval seconds apart, the first one at a time in Unix seconds or at the next that may be."""
        raise NotImplementedError

    def set_next_time(self, timestamp: int) -> None:
        """Makes the next block have this time, in Unix seconds."""
        raise NotImplementedError

    def reorg(self, depth: int, blocks: Sequence[Sequence[bytes | Transaction]] | None = None) -> Effect:
        """Replaces the newest blocks by as many others, which hold these transactions, raw ones or those of blocks."""
        raise NotImplementedError

    def patch(self, address: Address, override: StateOverride) -> Effect:
        """Changes an account at the beginning of a new block, which both nodes apply (rollup/patches.py)."""
        return self.patch_all({address: override})

    def patch_all(self, overrides: Mapping[Address, StateOverride]) -> Effect:
        """Changes accounts at the beginning of one new block, which both nodes apply."""
        patches = self._node.patches
        before = patches.capture()
        for address, override in overrides.items():
            self._node.patch(self.layer, address, override)
        try:
            return self.mine()
        except CheatRefused:
            patches.restore(before)
            raise

    @property
    def actor(self) -> MockL1 | Sequencer:
        """The actor that makes this layer's blocks."""
        raise NotImplementedError

    @property
    def is_automatic(self) -> bool:
        """True where each transaction gets a block at once (anvil_getAutomine)."""
        return False

    def set_automatic(self, is_automatic: bool) -> None:
        """Makes a block for each transaction at once, or blocks only on demand."""
        raise NotImplementedError

    @property
    def interval(self) -> int | None:
        """Seconds between blocks; None while blocks come only on demand."""
        return None if self.actor.on_demand else self.block_time

    def set_interval(self, seconds: int) -> None:
        """Makes blocks by the clock again; 0 seconds: blocks come only on demand."""
        if seconds not in (0, self.block_time):
            raise CheatRefused(
                f"{self.name} blocks come every {self.block_time} s, as rollup.json and L1's slots say: "
                f"{seconds} s cannot be (0: only on demand)"
            )
        self.actor.on_demand = seconds == 0
        self._node.changed()

    # ------------------------------------------------------------ the next blocks
    def set_coinbase(self, address: Address) -> None:
        """Sets who gets the tips of the next blocks."""
        raise NotImplementedError

    def set_next_base_fee(self, wei: int) -> None:
        """Sets the base fee of the next block."""
        raise NotImplementedError

    def set_next_prev_randao(self, value: Hash) -> None:
        """Sets the prevRandao of the next block."""
        raise NotImplementedError

    def set_gas_limit(self, gas: int) -> None:
        """Sets the gas limit of the next blocks."""
        raise NotImplementedError

    def set_block_interval(self, seconds: int | None) -> bool:
        """Sets the seconds between the next blocks; None ends it. Returns whether an interval was set before."""
        raise NotImplementedError

    # ------------------------------------------------------------ transactions
    def send_as(self, sender: Address, transaction: Transaction) -> Hash:
        """Sends an unsigned transaction as a sender whose key nobody needs; returns its hash on this layer."""
        raise NotImplementedError

    def drop(self, tx_hash: Hash) -> bool:
        """Forgets a waiting transaction; False when it is not in the pool."""
        return self.pool.remove(tx_hash) is not None

    def drop_all(self) -> None:
        """Forgets every waiting transaction."""
        self.pool.clear()

    def drop_of(self, sender: Address) -> None:
        """Forgets every waiting transaction of a sender."""
        content = self.pool.content()
        for transaction in [*content.pending.get(sender, ()), *content.queued.get(sender, ())]:
            self.pool.remove(transaction.hash)

    @staticmethod
    def _check_count(count: int) -> None:
        if count > MAX_BLOCKS:
            raise CheatRefused(f"{count} blocks asked for: at most {MAX_BLOCKS} are made at once")
