"""The two layers of a chain, with what one can do to each."""

from dataclasses import dataclass

from rollup.node import Node
from rollup.protocol.block import Block


@dataclass(slots=True, frozen=True)
class Head:
    """A block that a label points to: number, hash (0x text) and time in Unix seconds.

    >>> Head(7, "0x" + "ab" * 32, 1_700_000_014).number
    7
    """

    number: int
    hash: str
    timestamp: int


def head_of(block: Block) -> Head:
    """A block as a Head."""
    return Head(block.number, "0x" + block.hash.hex(), block.timestamp)


class _Layer:
    def __init__(self, node: Node) -> None:
        self._node = node

    def _advance_clock_to(self, time: float) -> None:
        """Moves the node's clock ahead to a time; a time that has passed changes nothing."""
        self._node.clock.advance(max(time - self._node.clock.now(), 0))


class L1(_Layer):
    """The mock L1: it mines when its slot comes, or when asked to.

    >>> before = chain.l1.head
    >>> chain.l1.mine(3).number == before.number + 3
    True
    >>> replaced = chain.l1.head
    >>> chain.l1.reorg(2).hash != replaced.hash
    True
    >>> chain.l1.base_fee > 0
    True
    """

    @property
    def head(self) -> Head:
        """The newest block."""
        return head_of(self._node.l1.chain.head)

    @property
    def base_fee(self) -> int:
        """The head's base fee in wei per gas."""
        return self._node.l1.chain.head.header.base_fee_per_gas or 0

    def mine(self, count: int = 1) -> Head:
        """Mines `count` blocks, each in its slot, which every actor reads; the clock jumps to each slot."""
        for _ in range(count):
            self._advance_clock_to(self._node.l1.miner.next_block_time)
            self._node.mine_l1()
        return self.head

    def reorg(self, depth: int) -> Head:
        """Replaces the newest `depth` blocks by as many empty ones, which every actor reads.

        What was in them returns to L1's pool. The L2 follows: blocks whose L1 origin is gone are built again.
        Raises rollup.l1.miner.ReorgError when `depth` reaches below genesis or the finalized block.
        """
        self._node.l1.miner.reorg(depth)
        self._advance_clock_to(self.head.timestamp)
        self._node.read_l1()
        return self.head


class L2(_Layer):
    """The rollup: the blocks that the sequencer built, and those that were derived from L1.

    >>> chain.l2.stop_batcher()
    >>> head = chain.l2.build(2)
    >>> head == chain.l2.head, chain.l2.safe.number < head.number
    (True, True)
    >>> chain.l2.start_batcher()
    >>> safe = chain.run_until_safe(head.number)
    >>> chain.l2.verified == chain.l2.safe, chain.l2.finalized.number <= safe.number
    (True, True)
    >>> chain.l2.base_fee > 0
    True
    """

    @property
    def head(self) -> Head:
        """The newest block, safe or not."""
        return head_of(self._node.l2.chain.head)

    @property
    def safe(self) -> Head:
        """The newest block that derivation found on L1."""
        return head_of(self._node.l2.chain.safe)

    @property
    def finalized(self) -> Head:
        """The newest block whose L1 data is final."""
        return head_of(self._node.l2.chain.finalized)

    @property
    def verified(self) -> Head:
        """The verifier's safe head: another chain, derived from L1 alone."""
        return head_of(self._node.verifier.chain.safe)

    @property
    def base_fee(self) -> int:
        """The head's base fee in wei per gas."""
        return self._node.l2.chain.head.header.base_fee_per_gas or 0

    def build(self, count: int = 1) -> Head:
        """Builds `count` blocks, and the L1 blocks that are due before them; the clock jumps from one to the next."""
        wanted = self.head.number + count
        while self.head.number < wanted:
            if not self._node.advance(1):
                self._advance_clock_to(self._node.next_due())
        return self.head

    def stop_batcher(self) -> None:
        """Stops the batcher: the safe head does not move until `start_batcher`."""
        self._node.batcher.stop()

    def start_batcher(self) -> None:
        """Starts the batcher again; it continues where it stopped."""
        self._node.batcher.start()
