"""Precompiles that OP forks add or bound."""

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from eth.exceptions import VMError

Precompile = Callable[[Any], Any]

_ECDSA = ec.ECDSA(utils.Prehashed(SHA256()))

P256VERIFY_ADDRESS = (0x100).to_bytes(20, "big")
_P256_GAS, _P256_GAS_OSAKA = 3_450, 6_900  # RIP-7212, EIP-7951
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF


class InputTooLong(VMError):
    """More input than an OP fork allows for a precompile: the call fails and burns all of its gas."""


def p256verify(computation: Any) -> Any:
    """secp256r1 verification (RIP-7212): hash, r, s, x, y of 32 bytes each; 1 or nothing."""
    # spec: fjord.p256
    return _p256verify(computation, _P256_GAS)


def p256verify_osaka(computation: Any) -> Any:
    """P256VERIFY at EIP-7951's price."""
    return _p256verify(computation, _P256_GAS_OSAKA)


def _p256verify(computation: Any, gas: int) -> Any:
    computation.consume_gas(gas, reason="P256VERIFY precompile")
    data = computation.msg.data_as_bytes
    numbers = (int.from_bytes(data[i : i + 32], "big") for i in range(32, 160, 32))
    valid = len(data) == 160 and _p256_is_valid(data[:32], *numbers)
    computation.output = (1).to_bytes(32, "big") if valid else b""
    return computation


def _p256_is_valid(digest: bytes, r: int, s: int, x: int, y: int) -> bool:
    if not (0 < r < _N and 0 < s < _N and x < _P and y < _P):
        return False
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(utils.encode_dss_signature(r, s), digest, _ECDSA)
    except (ValueError, InvalidSignature):  # no point of the curve; not its signature
        return False
    return True


def limited(precompile: Precompile, max_input: int) -> Precompile:
    """A precompile that fails on inputs above max_input bytes (granite, isthmus, jovian, karst/exec-engine.md)."""
    # spec: precompile.granite-pairing

    def bounded(computation: Any) -> Any:
        if len(computation.msg.data) > max_input:
            raise InputTooLong(f"input of {len(computation.msg.data)} bytes, at most {max_input} are allowed")
        return precompile(computation)

    return bounded
