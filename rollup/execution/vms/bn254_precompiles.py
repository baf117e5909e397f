"""The precompiles of alt_bn128 (EIP-196, EIP-197) at Istanbul's prices (EIP-1108)."""

from typing import Any

from eth.exceptions import VMError

from rollup.execution.vms.bn254 import (
    G1,
    G2,
    NotOnCurve,
    g1_add,
    g1_multiply,
    g1_point,
    g2_point,
    pairing_is_one,
)

ECADD_ADDRESS, ECMUL_ADDRESS, ECPAIRING_ADDRESS = ((number).to_bytes(20, "big") for number in (0x06, 0x07, 0x08))
_ADD_GAS, _MULTIPLY_GAS, _PAIRING_GAS, _PAIR_GAS = 150, 6_000, 45_000, 34_000
_PAIR_SIZE = 192  # bytes: two coordinates of the first group, four of the second


def ecadd(computation: Any) -> Any:
    """The sum of two points; fails with VMError where one is not on the curve."""
    computation.consume_gas(_ADD_GAS, reason="ECADD precompile")
    x1, y1, x2, y2 = _words(computation.msg.data_as_bytes, 4)
    return _answer(computation, g1_add(_point(x1, y1), _point(x2, y2)))


def ecmul(computation: Any) -> Any:
    """A point, so many times; fails with VMError where it is not on the curve."""
    computation.consume_gas(_MULTIPLY_GAS, reason="ECMUL precompile")
    x, y, scalar = _words(computation.msg.data_as_bytes, 3)
    return _answer(computation, g1_multiply(_point(x, y), scalar))


def ecpairing(computation: Any) -> Any:
    """Returns 1 if the product of the pairings is one, else 0. Fails with VMError on inputs that are not pairs of
    points.
    """
    data = computation.msg.data_as_bytes
    count, rest = divmod(len(data), _PAIR_SIZE)
    computation.consume_gas(_PAIRING_GAS + count * _PAIR_GAS, reason="ECPAIRING precompile")
    if rest:
        raise VMError(f"ECPAIRING: {len(data)} bytes are not pairs of points")
    check_interrupt = computation.state.execution_context.check_interrupt
    pairs = []
    for start in range(0, len(data), _PAIR_SIZE):
        check_interrupt()
        pairs.append(_pair(data[start : start + _PAIR_SIZE]))
    computation.output = int(pairing_is_one(pairs, check_interrupt)).to_bytes(32, "big")
    return computation


def _pair(data: bytes) -> tuple[G1, G2 | None]:
    x, y, x_imaginary, x_real, y_imaginary, y_real = _words(data, 6)
    try:
        return g1_point(x, y), g2_point((x_real, x_imaginary), (y_real, y_imaginary))
    except NotOnCurve as error:
        raise VMError(f"ECPAIRING: {error}") from error


def _point(x: int, y: int) -> G1:
    try:
        return g1_point(x, y)
    except NotOnCurve as error:
        raise VMError(str(error)) from error


def _words(data: bytes, count: int) -> list[int]:
    """Numbers of 32 bytes. Missing bytes at the end are zero, extra bytes are ignored."""
    padded = data[: 32 * count].ljust(32 * count, b"\0")
    return [int.from_bytes(padded[start : start + 32], "big") for start in range(0, 32 * count, 32)]


def _answer(computation: Any, point: G1) -> Any:
    computation.output = b"".join(coordinate.to_bytes(32, "big") for coordinate in point)
    return computation
