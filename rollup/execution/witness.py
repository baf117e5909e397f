"""A block's witness: the nodes, codes and ancestors from which a program without a database can execute it again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rollup.execution.block_builder import BlockHashes
from rollup.execution.config import L1Config, L2Config
from rollup.execution.reexecution import Reexecution
from rollup.execution.state.database import StateDatabase
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.primitives import Hash


@dataclass(slots=True)
class Witness:
    """Trie nodes and codes by hash; oldest_ancestor: the lowest number that BLOCKHASH answered, or the parent's."""

    nodes: dict[Hash, bytes]
    codes: dict[Hash, bytes]
    oldest_ancestor: int


class _Recorded(Mapping[Hash, bytes]):
    """Nodes and codes of a database; records those that were read."""

    def __init__(self, states: StateDatabase) -> None:
        self._states = states
        self.nodes: dict[Hash, bytes] = {}
        self.codes: dict[Hash, bytes] = {}

    def __getitem__(self, key: Hash) -> bytes:
        found = self.nodes.get(key) or self._states.node(key)
        if found is not None:
            self.nodes[key] = found
            return found
        found = self._states.code(key)
        if found is None:
            raise KeyError(key)
        self.codes[key] = found
        return found

    def __iter__(self) -> Iterator[Hash]:
        return iter((*self.nodes, *self.codes))

    def __len__(self) -> int:
        return len(self.nodes) + len(self.codes)


class _RecordedAncestors:
    """BLOCKHASH that remembers the lowest number it answered."""

    def __init__(self, block_hash: BlockHashes, parent: int) -> None:
        self._block_hash = block_hash
        self.lowest = parent

    def __call__(self, number: int) -> Hash | None:
        found = self._block_hash(number)
        if found is not None:
            self.lowest = min(self.lowest, number)
        return found


def make_witness(
    config: L1Config | L2Config, parent: Header, states: StateDatabase, block_hash: BlockHashes, block: Block
) -> Witness:
    """Executes a block again and returns the data it read; raises StateUnavailable, MissingNode, InvalidBlock."""
    recorded, ancestors = _Recorded(states), _RecordedAncestors(block_hash, parent.number)
    Reexecution(config, parent, StateDatabase.of_witness(recorded), ancestors, block).run()
    return Witness(recorded.nodes, recorded.codes, ancestors.lowest)
