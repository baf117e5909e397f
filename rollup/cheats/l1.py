"""The cheats of L1."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from rollup.cheats.effects import CheatRefused, Effect
from rollup.cheats.layer import LayerCheats
from rollup.l1.miner import MockL1
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import Transaction

if TYPE_CHECKING:
    from rollup.cheats.shared import Cheats

LEAST_GAS_LIMIT: Final = 2_000_000  # room for a batch with blobs, and for outputs
MOST_GAS_LIMIT: Final = 1_000_000_000


class L1Cheats(LayerCheats):
    """The mock L1: blocks come in slots, which may be skipped."""

    def __init__(self, shared: "Cheats") -> None:
        super().__init__(shared)
        self.name, self.layer, self.pool = "L1", "l1", self._node.l1.pool
        self.block_time = self._node.l1.miner.block_time

    @property
    def actor(self) -> MockL1:
        """The actor that makes this layer's blocks."""
        return self._node.l1.miner

    def mine(self, count: int = 1, interval: int = 0, timestamp: int | None = None) -> Effect:
        """Mines blocks, in slots that are at least interval seconds apart. L2 builds the blocks of that time."""
        self._check_count(count)
        miner = self.actor
        step = max(-(-interval // self.block_time) * self.block_time, miner.interval or self.block_time)
        first = miner.next_block_time
        if timestamp is not None:
            first = miner.slots.check(timestamp, miner.chain.head.timestamp)
        times = [first + index * step for index in range(count)]
        if times:
            self.shared.check_l2_blocks_until(times[-1])

        def act() -> None:
            for time in times:
                self.shared.advance_clock(time)
                self.shared.fill_l2(time - 1)  # L2 blocks of earlier times come first, as without cheats
                if miner.chain.head.timestamp < time:  # one of them may have needed this block
                    self._node.mine_l1(time)
                self.shared.fill_l2(time)

        return self.shared.do(act)

    def set_next_time(self, timestamp: int) -> None:
        """Skips the slots before this one for the next block."""
        self.actor.set_next_time(timestamp)
        self._node.changed()

    def reorg(self, depth: int, blocks: Sequence[Sequence[bytes | Transaction]] | None = None) -> Effect:
        """Replaces the newest blocks, by at least as many; an empty list only removes. Both L2 nodes follow at once."""

        def act() -> None:
            padded = [*blocks, *[()] * (depth - len(blocks))] if blocks else blocks
            self.actor.reorg(depth, padded)
            self._node.read_l1()
            if self._node.sequencer.is_active:
                self._node.sequencer.recover()

        self._check_count(depth)
        return self.shared.do(act)

    def set_coinbase(self, address: Address) -> None:
        """Sets who gets the tips of the next blocks."""
        self.actor.coinbase = address

    def set_next_base_fee(self, wei: int) -> None:
        """Sets the base fee of the next block; those after it follow from it by EIP-1559."""
        self._set_next(base_fee=wei)

    def set_next_prev_randao(self, value: Hash) -> None:
        """Sets the prevRandao of the next block, and so of the L2 blocks with that origin."""
        self._set_next(prev_randao=value)

    def set_gas_limit(self, gas: int) -> None:
        """Sets the gas limit of the next blocks."""
        if not LEAST_GAS_LIMIT <= gas <= MOST_GAS_LIMIT:
            raise CheatRefused(f"a gas limit from {LEAST_GAS_LIMIT} to {MOST_GAS_LIMIT} is expected, got {gas}")
        self.actor.gas_limit = gas
        self._set_next(gas_limit=gas)

    def set_block_interval(self, seconds: int | None) -> bool:
        """Leaves slots out, so that blocks are this many seconds apart. With None every slot has a block again."""
        if seconds is not None and (seconds < self.block_time or seconds % self.block_time):
            raise CheatRefused(f"L1 blocks come in slots of {self.block_time} s: {seconds} s cannot be")
        before, self.actor.interval = self.actor.interval, seconds
        self._node.changed()
        return before is not None

    def _set_next(self, **values: Any) -> None:
        self.actor.next_block = replace(self.actor.next_block, **values)
        self._node.changed()

    def send_as(self, sender: Address, transaction: Transaction) -> Hash:
        """Puts the transaction into the pool, for the next block. It pays like any other. Raises PoolError."""
        if transaction.to == self._node.devnet.params.batch_inbox_address:
            raise CheatRefused("a batch needs its batcher's signature: derivation recovers the sender from it")
        return self.pool.add_transaction(transaction.impersonated(sender))

    def contents(self, depth: int, with_batches: bool) -> list[list[Transaction]]:
        """The transactions of the newest blocks, for blocks that replace them; oldest first."""
        chain, inbox = self._node.l1.chain, self._node.devnet.params.batch_inbox_address
        numbers = range(max(chain.head.number - depth, 0) + 1, chain.head.number + 1)
        blocks = [block for number in numbers if (block := chain.block_by_number(number)) is not None]
        return [[item for item in block.transactions if with_batches or item.to != inbox] for block in blocks]

    def finalize(self) -> Effect:
        """Makes L1's head final at once, and with it the L2 blocks that are derived from it."""

        def act() -> None:
            self.actor.finalize()
            self._node.read_l1()

        return self.shared.do(act)

    def set_automatic(self, is_automatic: bool) -> None:
        """False pauses mining. True is refused: L1 has one block in each slot."""
        if is_automatic:
            raise CheatRefused(f"L1 blocks come in slots of {self.block_time} s, not for each transaction")
        self.set_interval(0)
