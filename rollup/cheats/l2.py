"""The cheats of L2."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rollup.cheats.effects import CheatRefused, Effect
from rollup.cheats.impersonation import (
    NotForDeposits,
    call_on_l1,
    deposit_call,
    deposit_of,
    free_call,
    refusal_on_l1,
)
from rollup.cheats.layer import LayerCheats
from rollup.l1 import contracts
from rollup.protocol.primitives import Address, Hash, keccak256
from rollup.protocol.transaction import Transaction
from sequencer.sequencer import Sequencer

if TYPE_CHECKING:
    from rollup.cheats.shared import Cheats

_L1_BLOCKS = 4  # that are mined until an impersonated transaction is in one of them
OWNER, SET_GAS_LIMIT = keccak256(b"owner()")[:4], keccak256(b"setGasLimit(uint64)")[:4]


class L2Cheats(LayerCheats):
    """The sequencer's chain: a block every block time, none of them left out."""

    def __init__(self, shared: "Cheats") -> None:
        super().__init__(shared)
        assert self._node.l2.pool is not None
        self.name, self.layer, self.pool = "L2", "l2", self._node.l2.pool
        self.block_time = self._node.devnet.params.l2_block_time

    @property
    def actor(self) -> Sequencer:
        """The actor that makes this layer's blocks."""
        return self._node.sequencer

    def mine(self, count: int = 1, interval: int = 0, timestamp: int | None = None) -> Effect:
        """Builds blocks at intervals of the block time. L1 mines the blocks that they need. interval: seconds, at most
        that.
        """
        self._check_count(count)
        self._check_is_active()
        if interval > self.block_time and count > 1:
            raise CheatRefused(
                f"L2 has a block every {self.block_time} s: blocks {interval} s apart cannot be "
                "(evm_increaseTime builds those in between)"
            )
        first = self.actor.next_block_time if timestamp is None else self._checked(timestamp)
        self.shared.check_l2_blocks_until(first + max(count - 1, 0) * self.block_time)

        def act() -> None:
            if timestamp is not None:
                self._go_before(timestamp)
            for _ in range(count):
                self.shared.advance_clock(self.actor.next_block_time)
                self.shared.mine_skipping_slots()
                self.shared.build_l2(takes_pool=True)

        return self.shared.do(act)

    def set_next_time(self, timestamp: int) -> None:
        """Builds the blocks before this time, so that the next block has it."""
        self._check_is_active()
        self.shared.check_l2_blocks_until(self._checked(timestamp))
        self.shared.do(lambda: self._go_before(timestamp))

    def reorg(self, depth: int, blocks: Sequence[Sequence[bytes | Transaction]] | None = None) -> Effect:
        """Refused: what L2 has is decided by L1."""
        raise CheatRefused("L2 follows L1: reorganise L1 (anvil_reorg on its port), or revert to a snapshot")

    def set_coinbase(self, address: Address) -> None:
        """Refused: derivation gives every block the same recipient."""
        raise CheatRefused("L2's fee recipient is the SequencerFeeVault, as derivation says: it cannot be set")

    def set_next_base_fee(self, wei: int) -> None:
        """Refused: the base fee follows from the parent block."""
        raise CheatRefused("L2's base fee follows from the parent block by rule: it cannot be set")

    def set_next_prev_randao(self, value: Hash) -> None:
        """Refused: prevRandao is that of the L1 origin."""
        raise CheatRefused("L2's prevRandao is its L1 origin's: set it on L1")

    def set_gas_limit(self, gas: int) -> None:
        """Changes the gas limit in L1's SystemConfig as its owner, and answers when L2 blocks have it."""
        self._check_is_active()
        node = self._node
        owner = call_on_l1(node.l1.miner, bytes(20), contracts.SYSTEM_CONFIG, OWNER)[12:]
        if not 0 <= gas < 2**64:
            raise CheatRefused("a gas limit of 64 bits is expected")
        request = SET_GAS_LIMIT + gas.to_bytes(32, "big")
        reason = refusal_on_l1(node.l1.miner, owner, contracts.SYSTEM_CONFIG, request)
        if reason is not None:
            raise CheatRefused(reason)
        self.shared.check_l2_blocks_until(node.l1.miner.next_block_time)
        self._run_on_l1(owner, free_call(node.devnet.l1_config, contracts.SYSTEM_CONFIG, request))
        number = node.l1.chain.head.number

        def include() -> None:
            while node.sequencer.unsafe_head.l1_origin.number < number:
                self._build_next()

        self.shared.do(include)

    def set_block_interval(self, seconds: int | None) -> bool:
        """Refused for any other than the block time, which L2 has in any case."""
        if seconds not in (None, self.block_time):
            raise CheatRefused(f"L2 has a block every {self.block_time} s, as rollup.json says: {seconds} s cannot be")
        return False

    def send_as(self, sender: Address, transaction: Transaction) -> Hash:
        """Sends the transaction as a forced deposit from L1, and answers when an L2 block has it.

        The L1 call of depositTransaction costs nothing. L1 mines a block for it at once, with the L2 blocks of that
        time. L1 data contains the deposit like any other, so every node that derives the chain has it too.
        """
        self._check_is_active()
        node = self._node
        try:
            call = deposit_call(transaction, node.devnet.l1_config)
        except NotForDeposits as error:
            raise CheatRefused(str(error)) from error
        reason = refusal_on_l1(node.l1.miner, sender, contracts.OPTIMISM_PORTAL, call.data)
        if reason is not None:
            raise CheatRefused(f"the portal refuses the deposit: {reason}")
        self.shared.check_l2_blocks_until(node.l1.miner.next_block_time)
        on_l1 = self._run_on_l1(sender, call)
        deposit = deposit_of(node.l1.chain, on_l1)
        if deposit is None:
            raise CheatRefused(f"the deposit failed on L1, as transaction 0x{on_l1.hex()}")

        def include() -> None:
            while node.l2.chain.find_transaction(deposit) is None:
                self._build_next()

        self.shared.do(include)
        return deposit

    def _build_next(self) -> None:
        self.shared.advance_clock(self.actor.next_block_time)
        self.shared.build_l2(takes_pool=True)

    def _run_on_l1(self, sender: Address, request: Transaction) -> Hash:
        """Sends a free L1 call as a sender, and mines it; its hash."""
        l1 = self.shared.l1
        request.nonce = l1.pool.nonce(sender)
        on_l1 = l1.send_as(sender, request)
        self.shared.do(lambda: self._mine_on_l1(on_l1))
        return on_l1

    def _mine_on_l1(self, on_l1: Hash) -> None:
        for _ in range(_L1_BLOCKS):
            self.shared.l1.mine()
            if self._node.l1.chain.find_transaction(on_l1) is not None:
                return
        self.shared.l1.drop(on_l1)
        raise CheatRefused("L1 has no room for the transaction: other transactions of the sender wait in L1's pool")

    @property
    def is_automatic(self) -> bool:
        """True where each transaction gets a block at once."""
        return self.actor.instant and not self.actor.on_demand

    def set_automatic(self, is_automatic: bool) -> None:
        """True: a block per transaction, in addition to those by the clock. False: blocks come only on demand."""
        self.actor.instant, self.actor.on_demand = is_automatic, not is_automatic
        self._node.changed()

    def _check_is_active(self) -> None:
        if not self.actor.is_active:
            raise CheatRefused("the sequencer is stopped: admin_startSequencer starts it")

    def _checked(self, timestamp: int) -> int:
        """A later block's time; raises CheatRefused where none has it."""
        head = self._node.l2.chain.head.timestamp
        if timestamp <= head:
            raise CheatRefused(f"{timestamp} is lower than or equal to the previous block's timestamp {head}")
        beyond = (timestamp - head) % self.block_time
        if beyond:
            raise CheatRefused(
                f"no L2 block has the time {timestamp}: there is one every {self.block_time} s, "
                f"so {timestamp - beyond} and {timestamp - beyond + self.block_time} are the nearest"
            )
        return timestamp

    def _go_before(self, timestamp: int) -> None:
        before = timestamp - self.block_time
        self.shared.advance_clock(before)
        self.shared.mine_skipping_slots()
        self.shared.fill_l2(before)
