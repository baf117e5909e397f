"""The cheats that concern the whole node: time, snapshots, and what the cheats of the layers share."""

import hashlib
from collections.abc import Callable

from derivation.errors import Critical
from rollup.cheats.effects import MAX_BLOCKS, MAX_SNAPSHOTS, CheatRefused, Effect
from rollup.cheats.l1 import L1Cheats
from rollup.cheats.l2 import L2Cheats
from rollup.execution.chain import ChainHeads
from rollup.node import Node


class Cheats:
    """The cheats that concern the whole node. `l1` and `l2` are those of one layer."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.l1 = L1Cheats(self)
        self.l2 = L2Cheats(self)
        self._dumps: dict[bytes, int] = {}  # snapshots by the digest of the dump that was made with them
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

    def reset(self) -> None:
        """Takes both layers, the verifier and the clock back to the beginning."""
        reason = self.node.snapshots.reset()
        if reason is not None:
            raise CheatRefused(reason)
        self.moved = 0.0
        self._dumps.clear()
        self.node.changed()

    def dump(self) -> bytes:
        """The whole node as the bytes of a file; `load` takes this node back to it."""
        content = self.node.dump()
        self._dumps[hashlib.sha256(content).digest()] = self.snapshot()
        return content

    def load(self, content: bytes) -> bool:
        """Takes the node back to its own dump; False for a dump of another node, or one that is gone."""
        number = self._dumps.get(hashlib.sha256(content).digest())
        found = number is not None and self.node.snapshots.revert(number, keeps=True)
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
