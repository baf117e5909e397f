"""P256VERIFY (RIP-7212, EIP-7951) against pycryptodome's signatures: its signatures are good, and no others."""

from types import SimpleNamespace

from Crypto.PublicKey import ECC
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.execution.vms.precompiles import p256verify, p256verify_osaka

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
GOOD, BAD = (1).to_bytes(32, "big"), b""
GENERATOR = ECC.EccPoint(
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    curve="p256",
)


def verify(*words, precompile=p256verify, gas=3_450):
    spent = []
    data = b"".join(word.to_bytes(32, "big") if isinstance(word, int) else word for word in words)
    call = SimpleNamespace(msg=SimpleNamespace(data_as_bytes=data), output=None)
    call.consume_gas = lambda amount, reason: spent.append(amount)
    precompile(call)
    assert spent == [gas]
    return call.output


def sign(key, nonce, digest):
    """FIPS 186-5, 6.4.1, on pycryptodome's points."""
    r = int((GENERATOR * nonce).x) % N
    return r, pow(nonce, -1, N) * (digest + r * key) % N


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, N - 1),
    st.integers(1, N - 1),
    st.one_of(st.integers(0, 2**256 - 1), st.sampled_from([0, 1, N - 1, N, N + 1, 2**256 - 1])),
    st.integers(0, 4),
    st.integers(0, 255),
)
def test_a_signature_is_valid_only_for_the_signed_message(key, nonce, digest, word, bit):
    # spec: fjord.p256
    public = GENERATOR * key
    r, s = sign(key, nonce, digest)
    words = [digest, r, s, int(public.x), int(public.y)]
    assert verify(*words) == GOOD
    assert verify(*words, precompile=p256verify_osaka, gas=6_900) == GOOD
    assert verify(digest, r, N - s, *words[3:]) == GOOD  # both halves of s, other than on secp256k1
    words[word] ^= 1 << bit
    assert verify(*words) == BAD


def test_numbers_out_of_range_and_other_lengths_are_bad():
    key, digest = 5, 2**255 + 7
    public = GENERATOR * key
    x, y = int(public.x), int(public.y)
    r, s = sign(key, 9, digest)
    assert verify(digest, r, s, x, y) == GOOD
    for words in (
        *((digest, number, s, x, y) for number in (0, N, N + 1)),
        *((digest, r, number, x, y) for number in (0, N, N + 1)),
        *((digest, r, s, *point) for point in ((0, 0), (P, 0), (x, P - y), (P, y), (x, 2**256 - 1), (x, 0))),
    ):
        assert verify(*words) == BAD
    for more in (b"", b"\0", bytes(160)):
        assert verify(digest, r, s, x, y, b"\0" + more) == BAD
    assert verify(digest, r, s, x, y.to_bytes(32, "big")[:-1]) == BAD
    assert verify() == BAD
