"""Blob transactions in both network forms."""

from functools import cache

import pytest
from coincurve import PrivateKey
from eth_account import Account

from rollup.l1 import kzg
from rollup.l1.sidecar import BlobSidecar, SidecarError, make_sidecar, unwrap
from rollup.protocol.primitives import keccak256, rlp_decode, rlp_encode
from rollup.protocol.transaction import BLOB, Transaction, TransactionError

KEY = b"\x01" * 32


def blob_of(text: bytes) -> bytes:
    """A blob with some bytes in its first field element."""
    return (b"\0" + text).ljust(32, b"\0").ljust(kzg.BLOB_SIZE, b"\0")


@cache
def sidecar() -> BlobSidecar:
    return make_sidecar((blob_of(b"one"), blob_of(b"two")))


def blob_transaction(hashes: tuple[bytes, ...], nonce: int = 0) -> Transaction:
    return Transaction(
        BLOB,
        nonce=nonce,
        gas_limit=21_000,
        to=b"\xff" * 20,
        chain_id=900,
        max_fee_per_gas=10**10,
        max_priority_fee_per_gas=10**9,
        max_fee_per_blob_gas=10**9,
        blob_versioned_hashes=hashes,
    ).signed(KEY)


def rewrapped(raw: bytes, **changes: object) -> bytes:
    fields = dict(zip(("tx", "blobs", "commitments", "proofs"), rlp_decode(raw[1:]), strict=True))
    return raw[:1] + rlp_encode(list((fields | changes).values()))


def test_the_eip_4844_form_comes_apart_into_transaction_and_sidecar():
    transaction = blob_transaction(sidecar().versioned_hashes)
    unwrapped, found = unwrap(sidecar().wrap(transaction))
    assert unwrapped.hash == transaction.hash
    assert unwrapped.encode() == transaction.encode()
    assert found == sidecar()


def test_cell_proofs_of_osaka_are_verified_and_become_blob_proofs():
    single = make_sidecar((blob_of(b"cells"),))
    transaction = blob_transaction(single.versioned_hashes)
    unwrapped, found = unwrap(single.wrap_with_cell_proofs(transaction))
    assert unwrapped.hash == transaction.hash
    assert found == single


@pytest.mark.slow
def test_eth_account_wraps_a_blob_transaction_with_the_same_cell_proofs():
    single = make_sidecar((blob_of(b"cells"),))
    transaction = blob_transaction(single.versioned_hashes)
    fields = {
        "type": 3,
        "chainId": 900,
        "nonce": 0,
        "to": b"\xff" * 20,
        "value": 0,
        "gas": 21_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 10**9,
        "maxFeePerBlobGas": 10**9,
        "accessList": [],
    }
    signed = Account.from_key(KEY).sign_transaction(fields, blobs=list(single.blobs))
    unwrapped, found = unwrap(bytes(signed.raw_transaction))
    assert found == single
    assert unwrapped.signing_hash() == transaction.signing_hash()
    assert bytes(signed.raw_transaction) == single.wrap_with_cell_proofs(unwrapped)


def test_a_sidecar_survives_the_store():
    assert BlobSidecar.decode(sidecar().encode()) == sidecar()


def test_a_proof_of_another_blob_is_refused():
    raw = sidecar().wrap(blob_transaction(sidecar().versioned_hashes))
    with pytest.raises(SidecarError, match="invalid blob proof"):
        unwrap(rewrapped(raw, proofs=list(reversed(sidecar().proofs))))


def test_a_changed_blob_is_refused():
    raw = sidecar().wrap(blob_transaction(sidecar().versioned_hashes))
    with pytest.raises(SidecarError, match="invalid blob proof"):
        unwrap(rewrapped(raw, blobs=[blob_of(b"one"), blob_of(b"tow")]))


def test_a_commitment_that_the_transaction_does_not_name_is_refused():
    raw = sidecar().wrap(blob_transaction(tuple(reversed(sidecar().versioned_hashes))))
    with pytest.raises(SidecarError, match="blob 0: commitment does not match"):
        unwrap(raw)


def test_fewer_blobs_than_hashes_are_refused():
    raw = sidecar().wrap(blob_transaction(sidecar().versioned_hashes))
    with pytest.raises(SidecarError, match="invalid number of 1 blobs compared to 2 blob hashes"):
        unwrap(rewrapped(raw, blobs=[blob_of(b"one")]))


def test_a_blob_transaction_without_blobs_is_refused():
    with pytest.raises(SidecarError, match="blobless"):
        unwrap(BlobSidecar((), (), ()).wrap(blob_transaction(())))


def test_a_blob_transaction_without_its_sidecar_is_refused():
    with pytest.raises(SidecarError, match="missing blobs"):
        unwrap(blob_transaction(sidecar().versioned_hashes).encode())


@pytest.mark.parametrize("garbage", [b"\x03", b"\x03\x80", b"\x03\xc0", b"\x03\xc1\xc0", b"\x03" + b"\xff" * 40])
def test_garbage_is_a_clear_error(garbage: bytes):
    with pytest.raises((SidecarError, TransactionError)):
        unwrap(garbage)


def test_an_unknown_wrapper_version_is_refused():
    fields = rlp_decode(sidecar().wrap(blob_transaction(sidecar().versioned_hashes))[1:])
    with pytest.raises(SidecarError, match="unknown version"):
        unwrap(b"\x03" + rlp_encode([fields[0], b"\x02", *fields[1:]]))


def test_the_sender_of_an_unwrapped_transaction_is_its_signer():
    unwrapped, _ = unwrap(sidecar().wrap(blob_transaction(sidecar().versioned_hashes)))
    public = PrivateKey(KEY).public_key.format(compressed=False)[1:]
    assert unwrapped.sender == keccak256(public)[12:]
