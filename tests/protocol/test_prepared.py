"""A front process prepares the same values that the node would compute, or none."""

import marshal
from dataclasses import fields

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollup.protocol.accounts import USERS
from rollup.protocol.fees import fjord_size_scaled, forget_compressed_sizes
from rollup.protocol.prepared import prepare, restore
from rollup.protocol.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SECP256K1_N,
    SET_CODE,
    Authorization,
    Transaction,
    TransactionError,
    decode_transaction,
    deposit_transaction,
    recover_address,
)

ADDRESSES = st.binary(min_size=20, max_size=20)
HASHES = st.binary(min_size=32, max_size=32)
WORDS = st.integers(0, 2**256 - 1)
NONCES = st.integers(0, 2**64 - 1)
AUTHORIZATIONS = st.builds(Authorization, WORDS, ADDRESSES, NONCES, st.integers(0, 255), WORDS, WORDS)


@st.composite
def signed(draw):
    """A signed transaction of any type."""
    tx_type = draw(st.sampled_from((LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE)))
    cap = draw(WORDS)
    must_have_recipient = tx_type in (BLOB, SET_CODE)
    return Transaction(
        tx_type,
        nonce=draw(NONCES),
        gas_limit=draw(NONCES),
        to=draw(ADDRESSES if must_have_recipient else st.none() | ADDRESSES),
        value=draw(WORDS),
        data=draw(st.binary(max_size=400) | st.binary(max_size=8).map(lambda part: part * 60)),
        chain_id=draw(st.integers(1, 2**40) if tx_type != LEGACY else st.none() | st.integers(1, 2**40)),
        max_fee_per_gas=cap,
        max_priority_fee_per_gas=cap if tx_type in (LEGACY, ACCESS_LIST) else draw(WORDS),
        access_list=tuple(draw(st.lists(st.tuples(ADDRESSES, st.lists(HASHES, max_size=2).map(tuple)), max_size=2)))
        if tx_type != LEGACY
        else (),
        max_fee_per_blob_gas=draw(WORDS) if tx_type == BLOB else 0,
        blob_versioned_hashes=tuple(draw(st.lists(HASHES, max_size=2))) if tx_type == BLOB else (),
        authorization_list=tuple(draw(st.lists(AUTHORIZATIONS, max_size=2))) if tx_type == SET_CODE else (),
    ).signed(draw(st.sampled_from(USERS)).private_key)


def sent_over(prepared):
    return marshal.loads(marshal.dumps(prepared))


def values_of(transaction):
    """Every field, those that comparing leaves out too, with the properties worked out first."""
    _ = transaction.sender, transaction.hash, transaction.encode()
    return {item.name: getattr(transaction, item.name) for item in fields(transaction)}


def is_valid(raw):
    try:
        transaction = decode_transaction(raw)
        return transaction.tx_type not in (BLOB, 0x7E) and bool(transaction.sender)
    except TransactionError:
        return False


@settings(max_examples=200, deadline=None)
@given(signed())
def test_the_bytes_without_the_signature_are_what_the_sender_signed(transaction):
    signer = recover_address(transaction.signing_hash(), transaction.y_parity, transaction.r, transaction.s)
    assert decode_transaction(transaction.encode()).sender == signer


@given(signed())
def test_a_prepared_transaction_is_the_decoded_one_in_every_field(transaction):
    raw = transaction.encode()
    prepared = prepare(raw)
    if transaction.tx_type == BLOB:
        assert prepared is None
        return
    assert values_of(restore(raw, sent_over(prepared))) == values_of(decode_transaction(raw))


@settings(deadline=None)
@given(signed())
def test_the_compressed_size_is_handed_over(transaction):
    raw = transaction.encode()
    expected = fjord_size_scaled(raw)
    prepared = prepare(raw)
    if prepared is not None:
        forget_compressed_sizes()
        restore(raw, sent_over(prepared))
        assert fjord_size_scaled(raw) == expected


@settings(max_examples=200, deadline=None)
@given(signed(), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=3), st.integers(-3, 3))
def test_bytes_are_prepared_if_and_only_if_they_are_a_valid_transaction(transaction, changes, cut):
    raw = bytearray(transaction.encode())
    for position, value in changes:
        raw[position % len(raw)] = value
    changed = bytes(raw[:cut]) if cut < 0 else bytes(raw) + b"\x80" * cut
    assert (prepare(changed) is not None) == is_valid(changed)


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(b"")
@example(b"\x04")
@example(b"\xc0")
def test_any_bytes_are_taken(raw):
    assert (prepare(raw) is not None) == is_valid(raw)


def test_deposits_and_signatures_in_the_upper_half_are_not_prepared():
    deposit = deposit_transaction(
        source_hash=bytes(32), sender=bytes(20), to=None, mint=1, value=0, gas_limit=21_000, is_system=False, data=b""
    )
    assert prepare(deposit.encode()) is None
    transaction = Transaction(DYNAMIC_FEE, chain_id=901, to=bytes(20)).signed(USERS[0].private_key)
    assert prepare(transaction.encode()) is not None
    transaction.s, transaction.v = SECP256K1_N - transaction.s, 1 - transaction.v
    transaction._raw = None
    assert prepare(transaction.encode()) is None
