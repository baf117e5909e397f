"""The official predeploys, as the network upgrade transactions carry their creation code (vectors/upgrades)."""

from rollup.protocol.primitives import rlp_decode
from tests.vector_files import load


def creation_code(fork: str, intent: str) -> bytes:
    """The data of the deposit with this intent (specs protocol/<fork>/derivation.md, upgrade transactions)."""
    for deposit in load("upgrades", "upgrade_deposits")["forks"][fork]:
        if deposit["intent"] == intent:
            data: bytes = rlp_decode(bytes.fromhex(deposit["raw"][4:]))[7]
            return data
    raise LookupError(intent)
