"""Output roots (specs protocol/proposals.md, "L2 Output Commitment Construction")."""

from dataclasses import dataclass

from rollup.protocol.primitives import ZERO_HASH, Hash, keccak256

_SIZE = 4 * 32


class OutputError(ValueError):
    """Bytes that are not a version 0 output."""


@dataclass(slots=True, frozen=True)
class Output:
    """The content of an output root: three hashes of an L2 block, 32 bytes each."""

    state_root: Hash
    message_passer_storage_root: Hash
    block_hash: Hash

    def encode(self) -> bytes:
        """The preimage of the output root, version 0 first."""
        return ZERO_HASH + self.state_root + self.message_passer_storage_root + self.block_hash

    @classmethod
    def decode(cls, data: bytes) -> "Output":
        """The reverse of encode; raises OutputError."""
        if len(data) < 32 or any(data[:32]):
            raise OutputError(f"not an output of version 0: 0x{data[:32].hex()}")
        if len(data) != _SIZE:
            raise OutputError(f"an output has {_SIZE} bytes, not {len(data)}")
        return cls(data[32:64], data[64:96], data[96:])

    @property
    def root(self) -> Hash:
        """The output root."""
        return keccak256(self.encode())


def output_root(state_root: Hash, message_passer_storage_root: Hash, block_hash: Hash) -> Hash:
    """The version 0 output root of an L2 block."""
    # spec: output.root
    return Output(state_root, message_passer_storage_root, block_hash).root
