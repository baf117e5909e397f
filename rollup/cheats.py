"""Developer cheats over both layers: mining, time, state, snapshots and L1 reorganisations.

The JSON-RPC methods (rollup/rpc/cheat_api.py) and `openrollup ctl` call these functions. A cheat acts through the
node's own actors, so L1, L2 and the verifier go on agreeing; what cannot be done so raises CheatRefused and changes
nothing. Not to be called while a step of the node is under way (rollup.cooperative.Turns.change_all).

There is one clock. L1 may skip slots, and L2 may not: moving the time forward builds the L2 blocks of that time, at
most MAX_BLOCKS, without users' transactions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from derivation.errors import Critical
from rollup.execution.chain import ChainHeads
from rollup.execution.overrides import StateOverride
from rollup.l1.miner import MockL1
from rollup.node import Node
from rollup.pool.mempool import Mempool
from rollup.protocol.primitives import Address, Hash
from sequencer.sequencer import Sequencer

MAX_BLOCKS = 2_000  # of either layer, that one cheat makes
MAX_SNAPSHOTS = 1_000


class CheatRefused(ValueError):
    """A cheat that cannot be applied to L1, L2 and the verifier alike; nothing has changed."""


@dataclass(slots=True, frozen=True)
class Effect:
    """What a cheat changed: blocks that each layer's head moved by, and seconds that the clock was moved by."""

    l1_blocks: int
    l2_blocks: int
    seconds: float


class Cheats:
    """The cheats that concern the whole node. `l1` and `l2` are those of one layer."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.l1: LayerCheats = L1Cheats(self)
        self.l2: LayerCheats = L2Cheats(self)
        self.moved = 0.0  # seconds that increase_time and move_to have moved the clock by

    # ------------------------------------------------------------ time
    def increase_time(self, seconds: float) -> Effect:
        """Moves the clock ahead, and both chains with it."""
        return self.move_to(self.node.clock.now() + seconds)

    def move_to(self, time: float) -> Effect:
        """Moves the clock to a time in Unix seconds.

        L1 mines one block, in the newest slot that has then begun, and L2 its blocks up to that time.
        """
        seconds = time - self.node.clock.now()
        if seconds < 0:
            raise CheatRefused(f"time goes back only by reverting to a snapshot: {-seconds:.0f} s asked for")
        self.check_l2_blocks_until(time)

        def act() -> None:
            self.advance_clock(time)
            self.mine_skipping_slots()
            self.fill_l2(time)

        effect = self.do(act)
        self.moved += seconds
        return effect

    # ------------------------------------------------------------ snapshots
    def snapshot(self) -> int:
        """Takes a snapshot of both layers and returns its number."""
        if self.node.snapshots.count >= MAX_SNAPSHOTS:
            raise CheatRefused(f"{MAX_SNAPSHOTS} snapshots are kept: revert to one of them first")
        return self.node.snapshots.take()

    def revert(self, number: int) -> bool:
        """Restores a snapshot; False for a number that is not known. Later snapshots are forgotten."""
        found = self.node.snapshots.revert(number)
        self.node.changed()
        return found

    def snapshot_heads(self, layer: str) -> dict[int, ChainHeads]:
        """The heads that each snapshot keeps of a layer, "l1" or "l2", by the snapshot's number."""
        chain = self.node.l1.chain if layer == "l1" else self.node.l2.chain
        return self.node.snapshots.heads_of(chain)

    # ------------------------------------------------------------ for the layers
    def do(self, action: Callable[[], object]) -> Effect:
        """Runs an action and says what it changed."""
        node = self.node
        before, l1, l2 = node.clock.now(), node.l1.chain.head.number, node.l2.chain.head.number
        try:
            action()
        except Critical as error:
            raise CheatRefused(str(error)) from error
        finally:
            node.changed()
        blocks = node.l1.chain.head.number - l1, node.l2.chain.head.number - l2
        return Effect(*blocks, node.clock.now() - before)

    def advance_clock(self, time: float) -> None:
        """Moves the clock alone to a time, unless that has passed."""
        self.node.clock.advance(max(time - self.node.clock.now(), 0))

    def check_l2_blocks_until(self, time: float) -> None:
        """Raises CheatRefused where the L2 blocks up to a time are too many, or L1 must have another block first."""
        node = self.node
        head, block_time = node.l2.chain.head.timestamp, node.devnet.params.l2_block_time
        if not node.sequencer.is_active:
            return
        blocks = int(time - head) // block_time
        if blocks > MAX_BLOCKS:
            raise CheatRefused(
                f"{blocks} L2 blocks come before time {time:.0f}: at most {MAX_BLOCKS} are built at once"
            )
        last = head + blocks * block_time
        if node.l1.miner.on_demand and node.sequencer.origins.is_past_drift(last, node.l1.source.head()):
            raise CheatRefused(f"L2 time {last} is past the sequencer drift of L1's head, and L1's mining is paused")

    def fill_l2(self, time: float) -> None:
        """Builds the L2 blocks up to a time, without users' transactions, unless the sequencer is stopped."""
        sequencer = self.node.sequencer
        while sequencer.is_active and sequencer.next_block_time <= time:
            self.build_l2(takes_pool=False)

    def build_l2(self, takes_pool: bool) -> None:
        """Builds one L2 block, after the L1 block that it may need."""
        if self.node.build_l2(takes_pool) is None and self.node.build_l2(takes_pool) is None:
            reasons = self.node.view().waiting_for
            raise CheatRefused(reasons.get("sequencer", "the sequencer cannot build a block now"))

    def mine_skipping_slots(self) -> None:
        """Mines one L1 block in the newest slot that has begun, if no block is in it, unless mining is paused."""
        miner = self.node.l1.miner
        newest = miner.slots.time_of(miner.slots.slot_at(int(self.node.clock.now())))
        if not miner.on_demand and newest >= miner.next_block_time:
            self.node.mine_l1(newest)


class LayerCheats:
    """The cheats of one layer: those that both layers have. `shared` are the whole node's."""

    name: str
    layer: Literal["l1", "l2"]
    block_time: int  # seconds
    pool: Mempool

    def __init__(self, shared: Cheats) -> None:
        self.shared = shared
        self._node = shared.node

    def mine(self, count: int = 1, interval: int = 0, timestamp: int | None = None) -> Effect:
        """Makes blocks, interval seconds apart, the first one at a time in Unix seconds or at the next that may be."""
        raise NotImplementedError

    def set_next_time(self, timestamp: int) -> None:
        """Makes the next block have this time, in Unix seconds."""
        raise NotImplementedError

    def reorg(self, depth: int, blocks: Sequence[Sequence[bytes]] | None = None) -> Effect:
        """Replaces the newest blocks by as many others, which hold these raw transactions."""
        raise NotImplementedError

    def patch(self, address: Address, override: StateOverride) -> Effect:
        """Changes an account at the beginning of a new block, which both nodes apply (rollup/patches.py)."""
        patches = self._node.patches
        before = patches.capture()
        self._node.patch(self.layer, address, override)
        try:
            return self.mine()
        except CheatRefused:
            patches.restore(before)
            raise

    @property
    def actor(self) -> MockL1 | Sequencer:
        """What makes the blocks."""
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


class L1Cheats(LayerCheats):
    """The mock L1: blocks come in slots, which may be skipped."""

    def __init__(self, shared: Cheats) -> None:
        super().__init__(shared)
        self.name, self.layer, self.pool = "L1", "l1", self._node.l1.pool
        self.block_time = self._node.l1.miner.block_time

    @property
    def actor(self) -> MockL1:
        """What makes the blocks."""
        return self._node.l1.miner

    def mine(self, count: int = 1, interval: int = 0, timestamp: int | None = None) -> Effect:
        """Mines blocks, in slots that are at least interval seconds apart. L2 builds the blocks of that time."""
        self._check_count(count)
        miner = self.actor
        step = max(-(-interval // self.block_time), 1) * self.block_time
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

    def reorg(self, depth: int, blocks: Sequence[Sequence[bytes]] | None = None) -> Effect:
        """Replaces the newest blocks, by at least as many; an empty list only removes. Both L2 nodes follow at once."""

        def act() -> None:
            padded = [*blocks, *[()] * (depth - len(blocks))] if blocks else blocks
            self.actor.reorg(depth, padded)
            self._node.read_l1()
            if self._node.sequencer.is_active:
                self._node.sequencer.recover()

        self._check_count(depth)
        return self.shared.do(act)

    def set_automatic(self, is_automatic: bool) -> None:
        """False pauses mining. True is refused: L1 has one block in each slot."""
        if is_automatic:
            raise CheatRefused(f"L1 blocks come in slots of {self.block_time} s, not for each transaction")
        self.set_interval(0)


class L2Cheats(LayerCheats):
    """The sequencer's chain: a block every block time, none of them left out."""

    def __init__(self, shared: Cheats) -> None:
        super().__init__(shared)
        assert self._node.l2.pool is not None
        self.name, self.layer, self.pool = "L2", "l2", self._node.l2.pool
        self.block_time = self._node.devnet.params.l2_block_time

    @property
    def actor(self) -> Sequencer:
        """What makes the blocks."""
        return self._node.sequencer

    def mine(self, count: int = 1, interval: int = 0, timestamp: int | None = None) -> Effect:
        """Builds blocks a block time apart; interval, in seconds, may not be longer. L1 mines what they need."""
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

    def reorg(self, depth: int, blocks: Sequence[Sequence[bytes]] | None = None) -> Effect:
        """Refused: what L2 has is decided by L1."""
        raise CheatRefused("L2 follows L1: reorganise L1 (anvil_reorg on its port), or revert to a snapshot")

    @property
    def is_automatic(self) -> bool:
        """True where each transaction gets a block at once."""
        return self.actor.instant and not self.actor.on_demand

    def set_automatic(self, is_automatic: bool) -> None:
        """True: as `openrollup run --instant`, beside the blocks by the clock. False: blocks come only on demand."""
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
