"""Output roots (specs protocol/proposals.md, "L2 Output Commitment Construction")."""

from rollup.protocol.primitives import ZERO_HASH, Hash, keccak256


def output_root(state_root: Hash, message_passer_storage_root: Hash, block_hash: Hash) -> Hash:
    """The version 0 output root of an L2 block."""
    return keccak256(ZERO_HASH + state_root + message_passer_storage_root + block_hash)
