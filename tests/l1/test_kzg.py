"""KZG beyond the vectors: sizes, field elements, cells."""

import hashlib
from importlib import resources

import pytest

from rollup.l1 import kzg

BLOB = (b"\0" + b"\x2a" * 31) * 4096
MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


def test_the_trusted_setup_is_the_public_ceremonys():
    setup = (resources.files("eth") / "_utils" / "kzg_trusted_setup.txt").read_bytes()
    # ethereum/c-kzg-4844 src/trusted_setup.txt
    assert hashlib.sha256(setup).hexdigest() == "d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7"


def test_the_empty_blob_has_the_commitment_at_infinity():
    assert kzg.blob_to_commitment(bytes(kzg.BLOB_SIZE)) == b"\xc0" + bytes(47)


def test_a_proof_verifies_for_its_own_blob_only():
    commitment = kzg.blob_to_commitment(BLOB)
    proof = kzg.blob_proof(BLOB, commitment)
    assert kzg.verify_blobs([BLOB], [commitment], [proof])
    assert not kzg.verify_blobs([bytes(kzg.BLOB_SIZE)], [commitment], [proof])
    assert kzg.verify_blobs([BLOB, BLOB], [commitment] * 2, [proof] * 2)
    assert kzg.verify_blobs([], [], [])


def test_a_field_element_must_be_below_the_modulus():
    below = (MODULUS - 1).to_bytes(32, "big") + BLOB[32:]
    assert len(kzg.blob_to_commitment(below)) == kzg.COMMITMENT_SIZE
    not_below = MODULUS.to_bytes(32, "big") + BLOB[32:]
    with pytest.raises(kzg.KzgError, match="BLS modulus"):
        kzg.blob_to_commitment(not_below)
    assert not kzg.verify_blobs([not_below], [b"\xc0" + bytes(47)], [b"\xc0" + bytes(47)])


@pytest.mark.parametrize("size", [0, 1, kzg.BLOB_SIZE - 1, kzg.BLOB_SIZE + 1])
def test_a_blob_of_another_size_is_refused(size: int):
    with pytest.raises(kzg.KzgError, match=f"{size} bytes, 131072 expected"):
        kzg.blob_to_commitment(bytes(size))
    assert not kzg.verify_blobs([bytes(size)], [b"\xc0" + bytes(47)], [b"\xc0" + bytes(47)])


def test_commitments_that_are_not_curve_points_do_not_verify():
    commitment = kzg.blob_to_commitment(BLOB)
    proof = kzg.blob_proof(BLOB, commitment)
    assert not kzg.verify_blobs([BLOB], [b"\x00" * 48], [proof])
    assert not kzg.verify_blobs([BLOB], [commitment], [b"\xff" * 48])
    assert not kzg.verify_blobs([BLOB], [commitment[:47]], [proof])
    with pytest.raises(kzg.KzgError):
        kzg.blob_proof(BLOB, b"\x00" * 48)


def test_cell_proofs_verify_in_their_order_only():
    commitment = kzg.blob_to_commitment(BLOB)
    proofs = kzg.cell_proofs((b"\0" + b"\x07" * 31) * 2048 + BLOB[65536:])
    other = (b"\0" + b"\x07" * 31) * 2048 + BLOB[65536:]
    assert kzg.verify_cells([other], [kzg.blob_to_commitment(other)], proofs)
    assert not kzg.verify_cells([BLOB], [commitment], proofs)
    assert not kzg.verify_cells([other], [kzg.blob_to_commitment(other)], tuple(reversed(proofs)))
    assert not kzg.verify_cells([other], [kzg.blob_to_commitment(other)], proofs[:-1])


def test_no_module_computes_kzg_while_it_is_collected(collection: dict[str, bool]):
    """Each worker collects all tests, and KZG's setup takes two seconds to load."""
    assert collection == {"computes KZG": False}
