"""The way from a chain's head to another known block, and where the safe and finalized labels are after it."""

from dataclasses import dataclass

from rollup.execution.chain_view import ChainView, UnknownBlock
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.primitives import Hash


@dataclass(slots=True)
class Path:
    """A path between two heads: the common ancestor, blocks undone newest first, blocks applied oldest first."""

    ancestor: Header
    removed: list[Hash]
    added: list[Hash]


def path_to(chain: ChainView, target: Hash) -> Path:
    """The way from the head to another known block; raises UnknownBlock."""
    removed: list[Hash] = []
    added: list[Hash] = []
    old, new = chain.head.hash, target
    while old != new:
        old_header, new_header = chain.known_header(old), chain.known_header(new)
        if new_header.number > old_header.number:
            added.append(new)
            new = new_header.parent_hash
        else:
            removed.append(old)
            old = old_header.parent_hash
    added.reverse()
    return Path(chain.known_header(old), removed, added)


def label_after(chain: ChainView, path: Path, wanted: Hash | None, current: Block) -> Block:
    """The block of a label after a move of the head; raises UnknownBlock if it is not an ancestor of the new head."""
    if wanted is None:
        on_branch = current.number <= path.ancestor.number
        return current if on_branch else chain.known_block(path.ancestor.hash)
    block = chain.block(wanted)
    if block is None:
        raise UnknownBlock(f"block 0x{wanted.hex()} is not known")
    is_common = block.number <= path.ancestor.number and chain.is_canonical(wanted)
    if not is_common and wanted not in path.added:
        raise UnknownBlock(f"block 0x{wanted.hex()} is not an ancestor of the head")
    return block
