"""KZG commitments and proofs of blobs (EIP-4844, EIP-7594), on the public ceremony's trusted setup.

The setup is the one of the point evaluation precompile. In a node another process computes (kzg_worker.py).
"""

import hashlib
from collections.abc import Sequence
from typing import cast

from rollup.execution.vms.kzg_worker import call_ckzg
from rollup.protocol.primitives import Hash

BLOB_SIZE = 131_072  # 4,096 field elements of 32 bytes
COMMITMENT_SIZE = PROOF_SIZE = 48
CELLS_PER_BLOB = 128  # EIP-7594, CELLS_PER_EXT_BLOB
_VERSION = b"\x01"  # EIP-4844, VERSIONED_HASH_VERSION_KZG


class KzgError(ValueError):
    """Bytes that are not a blob, commitment or proof."""


def blob_to_commitment(blob: bytes) -> bytes:
    """The KZG commitment (48 bytes) of a blob of 131,072 bytes; raises KzgError if the bytes are not a blob."""
    _check_blob(blob)
    try:
        return cast(bytes, call_ckzg("blob_to_kzg_commitment", blob))
    except RuntimeError as error:
        raise KzgError("not a blob: a field element is not below the BLS modulus") from error


def blob_proof(blob: bytes, commitment: bytes) -> bytes:
    """The proof (48 bytes) that a blob has this commitment, as EIP-4844 sends it; raises KzgError."""
    _check_blob(blob)
    _check_size("commitment", commitment, COMMITMENT_SIZE)
    try:
        return cast(bytes, call_ckzg("compute_blob_kzg_proof", blob, commitment))
    except RuntimeError as error:
        raise KzgError("not a blob and its commitment") from error


def cell_proofs(blob: bytes) -> tuple[bytes, ...]:
    """The 128 cell proofs of a blob, as EIP-7594 (Osaka) sends them; raises KzgError."""
    _check_blob(blob)
    try:
        _, proofs = call_ckzg("compute_cells_and_kzg_proofs", blob)
    except RuntimeError as error:
        raise KzgError("not a blob: a field element is not below the BLS modulus") from error
    return tuple(proofs)


def versioned_hash(commitment: bytes) -> Hash:
    """The hash that names a blob in a transaction: a version byte and the tail of the commitment's sha256."""
    return _VERSION + hashlib.sha256(commitment).digest()[1:]


def blob_versioned_hash(blob: bytes) -> Hash:
    """The versioned hash of a blob, by its commitment; raises KzgError."""
    return versioned_hash(blob_to_commitment(blob))


def verify_blobs(blobs: Sequence[bytes], commitments: Sequence[bytes], proofs: Sequence[bytes]) -> bool:
    """Whether every blob has its commitment, with one proof per blob (EIP-4844). False also for invalid bytes."""
    if not len(blobs) == len(commitments) == len(proofs):
        return False
    if not _are_sized(blobs, BLOB_SIZE) or not _are_sized(commitments, COMMITMENT_SIZE):
        return False
    if not _are_sized(proofs, PROOF_SIZE):
        return False
    arguments = (b"".join(blobs), b"".join(commitments), b"".join(proofs))
    try:
        return bool(call_ckzg("verify_blob_kzg_proof_batch", *arguments))
    except RuntimeError:
        return False


def verify_cells(blobs: Sequence[bytes], commitments: Sequence[bytes], proofs: Sequence[bytes]) -> bool:
    """Whether every blob has its commitment, with 128 cell proofs per blob in one sequence (EIP-7594)."""
    if len(blobs) != len(commitments) or len(proofs) != CELLS_PER_BLOB * len(blobs):
        return False
    if not _are_sized(blobs, BLOB_SIZE) or not _are_sized(commitments, COMMITMENT_SIZE):
        return False
    if not _are_sized(proofs, PROOF_SIZE):
        return False
    try:
        cells = [cell for blob in blobs for cell in call_ckzg("compute_cells", blob)]
        named = [commitment for commitment in commitments for _ in range(CELLS_PER_BLOB)]
        indices = list(range(CELLS_PER_BLOB)) * len(blobs)
        return bool(call_ckzg("verify_cell_kzg_proof_batch", named, indices, cells, list(proofs)))
    except RuntimeError:
        return False


def _are_sized(items: Sequence[bytes], size: int) -> bool:
    return all(len(item) == size for item in items)


def _check_blob(blob: bytes) -> None:
    _check_size("blob", blob, BLOB_SIZE)


def _check_size(name: str, data: bytes, size: int) -> None:
    if len(data) != size:
        raise KzgError(f"not a {name}: {len(data)} bytes, {size} expected")
