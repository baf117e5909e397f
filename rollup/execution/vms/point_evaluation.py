"""The point evaluation precompile (EIP-4844), on a trusted setup that is loaded once.

py-evm's own reads the setup anew at every call (about two seconds), and checks by assertions.
"""

import hashlib
from typing import Any

from eth.exceptions import VMError

from rollup.execution.vms.kzg_worker import call_ckzg

POINT_EVALUATION_ADDRESS = (0x0A).to_bytes(20, "big")
_GAS = 50_000
_INPUT_SIZE = 192  # versioned hash, z, y: 32 bytes each; commitment, proof: 48 each
_VERSION = b"\x01"
_FIELD_ELEMENTS_PER_BLOB = 4_096
_BLS_MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_OUTPUT = _FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + _BLS_MODULUS.to_bytes(32, "big")


def point_evaluation(computation: Any) -> Any:
    """Checks that a blob's polynomial, given by its versioned hash, has the value y at z; fails with VMError."""
    computation.consume_gas(_GAS, reason="point evaluation precompile")
    data = computation.msg.data_as_bytes
    if len(data) != _INPUT_SIZE:
        raise VMError(f"point evaluation: {len(data)} bytes, {_INPUT_SIZE} expected")
    versioned_hash, z, y, commitment, proof = data[:32], data[32:64], data[64:96], data[96:144], data[144:]
    if _VERSION + hashlib.sha256(commitment).digest()[1:] != versioned_hash:
        raise VMError("point evaluation: the commitment is not the versioned hash's")
    if not _is_proven(commitment, z, y, proof):
        raise VMError("point evaluation: the proof does not hold")
    computation.output = _OUTPUT
    return computation


def _is_proven(commitment: bytes, z: bytes, y: bytes, proof: bytes) -> bool:
    try:
        return bool(call_ckzg("verify_kzg_proof", commitment, z, y, proof))
    except RuntimeError:  # a point off the curve, a scalar not below the modulus
        return False
