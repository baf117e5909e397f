"""Precompiles that OP forks add or bound."""

from collections.abc import Callable
from typing import Any

from Crypto.PublicKey import ECC
from eth.exceptions import VMError

Precompile = Callable[[Any], Any]

P256VERIFY_ADDRESS = (0x100).to_bytes(20, "big")
_P256_GAS, _P256_GAS_OSAKA = 3_450, 6_900  # RIP-7212, EIP-7951
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF


class InputTooLong(VMError):
    """More input than an OP fork lets a precompile have: the call fails and burns its gas, whatever gas it had."""


def p256verify(computation: Any) -> Any:
    """secp256r1 verification (RIP-7212): hash, r, s, x, y of 32 bytes each; 1 or nothing."""
    return _p256verify(computation, _P256_GAS)


def p256verify_osaka(computation: Any) -> Any:
    """The same at EIP-7951's price."""
    return _p256verify(computation, _P256_GAS_OSAKA)


def _p256verify(computation: Any, gas: int) -> Any:
    computation.consume_gas(gas, reason="P256VERIFY precompile")
    data = computation.msg.data_as_bytes
    valid = len(data) == 160 and _p256_is_valid(*(int.from_bytes(data[i : i + 32], "big") for i in range(0, 160, 32)))
    computation.output = (1).to_bytes(32, "big") if valid else b""
    return computation


def _p256_is_valid(digest: int, r: int, s: int, x: int, y: int) -> bool:
    # (0, 0) stands for the point at infinity (EIP-7951), which EccPoint takes for one.
    if not (0 < r < _N and 0 < s < _N and x < _P and y < _P) or x == y == 0:
        return False
    try:
        key = ECC.EccPoint(x, y, curve="p256")
    except ValueError:
        return False
    inverse = pow(s, -1, _N)
    generator = ECC.EccPoint(
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
        curve="p256",
    )
    point = generator * (digest * inverse % _N) + key * (r * inverse % _N)
    return not point.is_point_at_infinity() and int(point.x) % _N == r


def limited(precompile: Precompile, max_input: int) -> Precompile:
    """The same precompile, failing on inputs above max_input bytes (granite, isthmus, jovian, karst/exec-engine.md)."""

    def bounded(computation: Any) -> Any:
        if len(computation.msg.data) > max_input:
            raise InputTooLong(f"input of {len(computation.msg.data)} bytes, at most {max_input} are allowed")
        return precompile(computation)

    return bounded
