"""KZG against blobs and commitments of real chains."""

import pytest

from rollup.l1 import kzg
from tests.vector_files import load

CODEC = load("blobs", "blob_codec")


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.mark.parametrize("case", CODEC["kzg"], ids=lambda case: case["versioned_hash"][:12])
def test_a_real_blob_has_its_commitment_proof_and_versioned_hash(case):
    blob = unhex(case["blob"]).ljust(kzg.BLOB_SIZE, b"\0")
    commitment, proof = unhex(case["kzg_commitment"]), unhex(case["kzg_proof"])
    assert kzg.blob_to_commitment(blob) == commitment
    assert kzg.blob_proof(blob, commitment) == proof
    assert kzg.blob_versioned_hash(blob) == unhex(case["versioned_hash"])
    assert kzg.verify_blobs([blob], [commitment], [proof])
    assert not kzg.verify_blobs([blob[:-1] + b"\x01"], [commitment], [proof])


@pytest.mark.parametrize("case", CODEC["kzg_commitments"], ids=lambda case: case["kzg_commitment"][:12])
def test_a_versioned_hash_is_made_of_its_commitment(case):
    assert kzg.versioned_hash(unhex(case["kzg_commitment"])) == unhex(case["collector_versioned_hash"])
