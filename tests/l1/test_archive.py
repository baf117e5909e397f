"""Blobs in the store: as small as what is in them, and the same when they come out."""

import pytest

from rollup.l1.archive import L1Archive
from rollup.l1.kzg import BLOB_SIZE, COMMITMENT_SIZE, PROOF_SIZE, verify_blobs
from rollup.l1.sidecar import BlobSidecar, make_sidecar
from rollup.store.kv import MemoryStore

COMMITMENT, PROOF = b"\xc0" + bytes(COMMITMENT_SIZE - 1), bytes(PROOF_SIZE - 1) + b"\x01"
BLOBS = {
    "empty": b"",
    "one byte": b"\x01",
    "zeros inside": b"\x01" + bytes(1_000) + b"\x02",
    "full": b"\x07" * BLOB_SIZE,
    "one zero at the end": b"\x07" * (BLOB_SIZE - 1),
}


@pytest.mark.parametrize("content", BLOBS.values(), ids=BLOBS)
def test_a_blob_takes_the_room_of_its_content(content):
    store, blob = MemoryStore(), content.ljust(BLOB_SIZE, b"\0")
    archive = L1Archive(store)
    (versioned_hash,) = archive.add(BlobSidecar((blob,), (COMMITMENT,), (PROOF,)))
    stored = archive.get(versioned_hash)
    assert (stored.blob, stored.commitment, archive.proof(versioned_hash)) == (blob, COMMITMENT, PROOF)
    assert len(store.get("l1_blobs", versioned_hash)) == len(content) + COMMITMENT_SIZE + PROOF_SIZE


def test_a_blob_that_was_kept_whole_is_read_too():
    store, blob = MemoryStore(), b"\x01".ljust(BLOB_SIZE, b"\0")
    with store.write() as batch:
        batch.put("l1_blobs", bytes(32), blob + COMMITMENT + PROOF)
    archive = L1Archive(store)
    stored = archive.get(bytes(32))
    assert (stored.blob, stored.commitment, archive.proof(bytes(32))) == (blob, COMMITMENT, PROOF)


def test_a_proof_is_computed_when_it_is_asked_for_and_then_kept(monkeypatch):
    store, sidecar = MemoryStore(), make_sidecar((b"\x01".ljust(BLOB_SIZE, b"\0"),))
    archive = L1Archive(store)
    (versioned_hash,) = archive.add(sidecar)
    proof = archive.proof(versioned_hash)
    assert verify_blobs(sidecar.blobs, sidecar.commitments, (proof,))
    monkeypatch.delattr("rollup.l1.archive.blob_proof")
    assert L1Archive(store).proof(versioned_hash) == proof


def test_a_blob_that_comes_again_without_its_proof_keeps_it():
    archive, blob = L1Archive(MemoryStore()), bytes(BLOB_SIZE)
    (versioned_hash,) = archive.add(BlobSidecar((blob,), (COMMITMENT,), (PROOF,)))
    assert archive.add(BlobSidecar((blob,), (COMMITMENT,))) == []
    assert archive.proof(versioned_hash) == PROOF


def test_a_blob_that_is_not_stored_has_no_proof():
    assert L1Archive(MemoryStore()).proof(bytes(32)) is None
