"""Block references, as op-node writes them (op-service/eth/id.go, L1BlockRef and L2BlockRef)."""

from dataclasses import dataclass

from rollup.protocol.primitives import Hash


@dataclass(slots=True, frozen=True)
class BlockId:
    """A hash and a number."""

    hash: Hash
    number: int


@dataclass(slots=True, frozen=True)
class L1BlockRef:
    """An L1 block; timestamp in seconds."""

    hash: Hash
    number: int
    parent_hash: Hash
    timestamp: int

    @property
    def id(self) -> BlockId:
        """Hash and number alone."""
        return BlockId(self.hash, self.number)


@dataclass(slots=True, frozen=True)
class L2BlockRef:
    """An L2 block, its L1 origin (epoch) and its place in the epoch."""

    hash: Hash
    number: int
    parent_hash: Hash
    timestamp: int
    l1_origin: BlockId
    sequence_number: int

    @property
    def id(self) -> BlockId:
        """Hash and number alone."""
        return BlockId(self.hash, self.number)
