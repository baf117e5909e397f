"""A8 and EIP-712: an attestation is good once, on one chain, for one payer, with one influence, until its deadline."""

from typing import Any

import pytest
from eth_keys import keys

from attribution_precompile import explain
from attribution_precompile.signatures import CURVE_ORDER, recover_address

from . import calls
from .harness import CHAIN_ID, MODES, Evm
from .scene import (
    ATTRIBUTOR,
    DEADLINE,
    FEE,
    INFLUENCE,
    KEY,
    OWNER,
    PAYER,
    attestation,
    build,
    signed,
)


@pytest.fixture(params=MODES)
def evm(request: pytest.FixtureRequest) -> Evm:
    return build(request.param)


def reason(evm: Evm, data: bytes, caller: int = PAYER, value: int = FEE) -> str:
    root = evm.storage_root()
    result = evm.call(data, caller=caller, value=value)
    assert not result.success
    assert evm.storage_root() == root
    return explain(result.output)


def with_signature(signature: bytes, given: tuple[Any, ...] | None = None, influence: list[int] | None = None) -> bytes:
    words = INFLUENCE if influence is None else influence
    return calls.call("inferAttested", given or attestation(), words, signature)


GOOD = calls.attest(attestation(), INFLUENCE, KEY, CHAIN_ID)


def test_a_wallets_signature_is_good_once(evm: Evm) -> None:
    """eth_account hashes the same typed data from its JSON form."""
    assert evm.call(with_signature(GOOD), caller=PAYER, value=FEE).success
    assert calls.result("nonces", evm.call(calls.call("nonces", calls.hexed(PAYER)), caller=1).output) == 1
    assert evm.call(signed(1, []), caller=PAYER, value=FEE).success


def test_a08_replayed(evm: Evm) -> None:
    assert evm.call(with_signature(GOOD), caller=PAYER, value=FEE).success
    assert reason(evm, with_signature(GOOD)) == "InvalidNonce(0, 1)"


def test_a08_from_another_chain(evm: Evm) -> None:
    foreign = calls.attest(attestation(), INFLUENCE, KEY, CHAIN_ID + 1)
    assert reason(evm, with_signature(foreign)) == "InvalidSignature()"


def test_a08_by_another_payer(evm: Evm) -> None:
    evm.fund(OWNER)
    assert reason(evm, with_signature(GOOD), caller=OWNER) == f"Unauthorized({calls.hexed(OWNER)})"
    stolen = attestation(payer=OWNER)
    assert reason(evm, with_signature(GOOD, stolen), caller=OWNER) == "InvalidSignature()"


def test_a08_with_another_influence(evm: Evm) -> None:
    for other in ([], INFLUENCE[:2], [*INFLUENCE[:2], INFLUENCE[2] + (1 << 160)]):
        assert reason(evm, with_signature(GOOD, None, other)) == "InvalidSignature()"


@pytest.mark.parametrize("field", range(9))
def test_a08_with_any_other_field(evm: Evm, field: int) -> None:
    given = list(attestation())
    given[field] = {0: 2, 1: calls.hexed(OWNER), 2: 1, 3: DEADLINE + 1}.get(
        field, 11 if isinstance(given[field], int) else b"\x99" * 32
    )
    caller = OWNER if field == 1 else PAYER
    evm.fund(OWNER)
    if field == 2:
        assert evm.call(signed(0), caller=PAYER, value=FEE).success
    assert reason(evm, with_signature(GOOD, tuple(given)), caller=caller) == "InvalidSignature()"


def test_a08_expired(evm: Evm) -> None:
    at_last = attestation(deadline=evm.timestamp)
    data = with_signature(calls.attest(at_last, INFLUENCE, KEY, CHAIN_ID), at_last)
    late = evm.copy()
    late.advance(1)
    assert evm.call(data, caller=PAYER, value=FEE).success, "the deadline is the last second at which it holds"
    assert reason(late, data) == f"Expired({evm.timestamp})"


def test_a08_malleable_or_malformed(evm: Evm) -> None:
    r, s, v = GOOD[:32], int.from_bytes(GOOD[32:64], "big"), GOOD[64]
    mirrored = r + (CURVE_ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    digestible = [mirrored, GOOD[:64], GOOD + b"\0", b"", bytes(65), bytes(64) + b"\x1b"]
    digestible += [GOOD[:64] + bytes([other]) for other in (0, 1, 26, 29, 255, 55 - v)]
    digestible += [bytes(32) + GOOD[32:], CURVE_ORDER.to_bytes(32, "big") + GOOD[32:], r + bytes(32) + GOOD[64:]]
    for signature in digestible:
        assert reason(evm, with_signature(signature)) == "InvalidSignature()"


def test_without_an_attributor_the_owner_signs(evm: Evm) -> None:
    assert evm.call(calls.call("transferModel", 1, calls.hexed(ATTRIBUTOR)), caller=OWNER).success
    assert evm.call(calls.call("setAttributor", 1, calls.hexed(0)), caller=ATTRIBUTOR).success
    assert evm.call(with_signature(GOOD), caller=PAYER, value=FEE).success


def test_recovery_agrees_with_eth_keys() -> None:
    """Recovery agrees with eth_keys, another implementation, for valid and invalid signatures."""
    key = keys.PrivateKey(KEY.secret)
    for i in range(50):
        digest = bytes([i]) * 32
        signature = key.sign_msg_hash(digest)
        r, s, v = signature.r, signature.s, signature.v + 27
        assert recover_address(digest, v, r, s) == ATTRIBUTOR
        flipped = keys.Signature(vrs=(28 - v if v == 28 else 1, r, s)).recover_public_key_from_msg_hash(digest)
        assert recover_address(digest, 55 - v, r, s) == int.from_bytes(flipped.to_canonical_address(), "big")
    # 5 is the x of no point of the curve.
    assert recover_address(bytes(32), 27, 5, 1) == 0
    for v, r, s in ((26, 1, 1), (29, 1, 1), (27, 0, 1), (27, 1, 0), (27, CURVE_ORDER, 1), (27, 1, CURVE_ORDER)):
        assert recover_address(bytes(32), v, r, s) == 0
