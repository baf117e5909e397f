"""A blob transaction in network form: the transaction with its blobs, commitments and proofs. There are two forms:
EIP-4844's `3 ‖ rlp([tx, blobs, commitments, proofs])` with one proof per blob, and EIP-7594's (Osaka) `3 ‖ rlp([tx, 1,
blobs, commitments, cell proofs])` with 128 proofs per blob.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rollup.l1 import kzg
from rollup.protocol.primitives import Hash, RlpError, RlpItem, rlp_decode, rlp_encode
from rollup.protocol.transaction import BLOB, Transaction, TransactionError, decode_transaction

_CELL_PROOFS_VERSION = b"\x01"


class SidecarError(ValueError):
    """A blob transaction whose sidecar is malformed or belongs to another transaction. Texts as in geth's blob pool."""


@dataclass(slots=True)
class BlobSidecar:
    """The blobs (131,072 bytes each) of one transaction with their commitments (48 bytes each).

    known_proofs: the EIP-4844 proofs as far as they were sent or computed. A proof takes as long as a commitment, and
    inside the node nobody needs it, so it is computed when it is asked for.
    """

    blobs: tuple[bytes, ...]
    commitments: tuple[bytes, ...]
    known_proofs: tuple[bytes, ...] | None = field(default=None, compare=False)

    @property
    def proofs(self) -> tuple[bytes, ...]:
        """The EIP-4844 proofs (48 bytes each); raises kzg.KzgError."""
        if self.known_proofs is None:
            pairs = zip(self.blobs, self.commitments, strict=True)
            self.known_proofs = tuple(kzg.blob_proof(blob, commitment) for blob, commitment in pairs)
        return self.known_proofs

    @property
    def versioned_hashes(self) -> tuple[Hash, ...]:
        """The versioned hashes by the commitments, one per blob."""
        return tuple(kzg.versioned_hash(commitment) for commitment in self.commitments)

    def wrap(self, transaction: Transaction) -> bytes:
        """The EIP-4844 network form of the transaction with these blobs."""
        return _network_form(transaction, list(self.blobs), list(self.commitments), list(self.proofs))

    def wrap_with_cell_proofs(self, transaction: Transaction) -> bytes:
        """The EIP-7594 network form (wrapper version 1)."""
        proofs = tuple(proof for blob in self.blobs for proof in kzg.cell_proofs(blob))
        return wrap_cells(transaction, self.blobs, self.commitments, proofs)

    def encode(self) -> bytes:
        """The encoding in the store: rlp([blobs, commitments, proofs])."""
        return rlp_encode([list(self.blobs), list(self.commitments), list(self.proofs)])

    @classmethod
    def decode(cls, data: bytes) -> "BlobSidecar":
        """The reverse of encode; raises RlpError. The proofs are not verified."""
        blobs, commitments, proofs = rlp_decode(data)
        return cls(tuple(blobs), tuple(commitments), tuple(proofs))


def wrap_cells(
    transaction: Transaction, blobs: Sequence[bytes], commitments: Sequence[bytes], proofs: Sequence[bytes]
) -> bytes:
    """The EIP-7594 network form of a transaction with 128 cell proofs per blob."""
    return _network_form(transaction, _CELL_PROOFS_VERSION, list(blobs), list(commitments), list(proofs))


def make_sidecar(blobs: tuple[bytes, ...]) -> BlobSidecar:
    """Commits to blobs; raises kzg.KzgError."""
    return BlobSidecar(blobs, tuple(kzg.blob_to_commitment(blob) for blob in blobs))


def is_blob_transaction(raw: bytes) -> bool:
    """Whether these bytes begin like a transaction of type 3."""
    return raw[:1] == bytes((BLOB,))


def unwrap(raw: bytes) -> tuple[Transaction, BlobSidecar]:
    """Splits a blob transaction in either network form and verifies its sidecar.

    Cell proofs give way to the EIP-4844 proof of each blob, which beacon clients ask for. Raises SidecarError,
    TransactionError.
    """
    try:
        fields = rlp_decode(raw[1:])
    except RlpError as error:
        raise TransactionError(f"malformed transaction: {error}") from error
    if not isinstance(fields, list) or not fields or not isinstance(fields[0], list):
        raise SidecarError("missing blobs: a blob transaction is sent with its sidecar")
    with_cells = len(fields) == 5
    if with_cells and fields[1] != _CELL_PROOFS_VERSION:
        raise SidecarError("unknown version of the blob transaction wrapper")
    if len(fields) not in (4, 5):
        raise SidecarError("malformed blob transaction wrapper: 4 or 5 fields are expected")
    transaction = decode_transaction(raw[:1] + rlp_encode(fields[0]))
    blobs, commitments, proofs = (_byte_strings(item) for item in fields[-3:])
    check_hashes(transaction, BlobSidecar(blobs, commitments))
    if with_cells:
        if not kzg.verify_cells(blobs, commitments, proofs):
            raise SidecarError("invalid blob proof: the cell proofs do not verify")
        return transaction, BlobSidecar(blobs, commitments)
    if not kzg.verify_blobs(blobs, commitments, proofs):
        raise SidecarError("invalid blob proof: the KZG proofs do not verify")
    return transaction, BlobSidecar(blobs, commitments, proofs)


def _network_form(transaction: Transaction, *fields: RlpItem) -> bytes:
    return bytes((BLOB,)) + rlp_encode([rlp_decode(transaction.encode()[1:]), *fields])


def check_hashes(transaction: Transaction, sidecar: BlobSidecar) -> None:
    """The cheap checks of geth core/txpool/validation.go, validateBlobTx, which come before the expensive one; raises
    SidecarError."""
    hashes, blobs, commitments = transaction.blob_versioned_hashes, sidecar.blobs, sidecar.commitments
    if not hashes:
        raise SidecarError("blobless blob transaction")
    if len(blobs) != len(hashes) or len(commitments) != len(hashes):
        raise SidecarError(f"invalid number of {len(blobs)} blobs compared to {len(hashes)} blob hashes")
    for index, (commitment, expected) in enumerate(zip(commitments, hashes, strict=True)):
        if kzg.versioned_hash(commitment) != expected:
            raise SidecarError(f"blob {index}: commitment does not match its versioned hash")


def _byte_strings(item: Any) -> tuple[bytes, ...]:
    if not isinstance(item, list) or not all(isinstance(entry, bytes) for entry in item):
        raise SidecarError("malformed blob transaction wrapper: a list of byte strings is expected")
    return tuple(item)
