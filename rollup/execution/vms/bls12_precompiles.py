"""The precompiles of BLS12-381 (EIP-2537), on the arkworks library.

A number of the field has 64 bytes, of which the first 16 are zero; the point at infinity is all zeros.
"""

from collections.abc import Iterator
from typing import Any

from eth.exceptions import VMError
from eth.precompiles.bls12_381.constants import (
    BLS12_G1_ADD_GAS,
    BLS12_G1_MSM_GAS,
    BLS12_G2_ADD_GAS,
    BLS12_G2_MSM_GAS,
    BLS12_MAP_FP2_G2_GAS,
    BLS12_MAP_FP_G1_GAS,
    G1_MSM_DISCOUNTS,
    G2_MSM_DISCOUNTS,
    MSM_MULTIPLIER,
)
from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

_PAIRING_GAS, _PAIR_GAS = 37_700, 32_600
_PADDING = bytes(16)
_FIELD, _G1, _G2, _SCALAR = 64, 128, 256, 32  # bytes
_POINTS_AT_ONCE, _PAIRINGS_AT_ONCE = 128, 16  # between two check points; the pairings themselves are one call


def g1_add(computation: Any) -> Any:
    """The sum of two points of the curve, which need not be in the subgroup; VMError on anything else."""
    computation.consume_gas(BLS12_G1_ADD_GAS, reason="BLS12_G1ADD precompile")
    one, other = _pieces(computation, _G1, 2)
    return _answer(computation, _g1_on_curve(one) + _g1_on_curve(other))


def g2_add(computation: Any) -> Any:
    """The sum of two points of the twist, which need not be in the subgroup; VMError on anything else."""
    computation.consume_gas(BLS12_G2_ADD_GAS, reason="BLS12_G2ADD precompile")
    one, other = _pieces(computation, _G2, 2)
    return _answer(computation, _g2_on_curve(one) + _g2_on_curve(other))


def g1_msm(computation: Any) -> Any:
    """The sum of points, each so many times; VMError where one is not in the subgroup."""
    _consume_for_msm(computation, _G1, BLS12_G1_MSM_GAS, G1_MSM_DISCOUNTS)
    total = G1Point.identity()
    for pairs in _portions(computation, _G1 + _SCALAR, _POINTS_AT_ONCE):
        points = [_g1(pair[:_G1]) for pair in pairs]
        total += G1Point.multiexp_unchecked(points, [_scalar(pair[_G1:]) for pair in pairs])
    return _answer(computation, total)


def g2_msm(computation: Any) -> Any:
    """Multi-scalar multiplication in the second group (EIP-2537)."""
    _consume_for_msm(computation, _G2, BLS12_G2_MSM_GAS, G2_MSM_DISCOUNTS)
    total = G2Point.identity()
    for pairs in _portions(computation, _G2 + _SCALAR, _POINTS_AT_ONCE):
        points = [_g2(pair[:_G2]) for pair in pairs]
        total += G2Point.multiexp_unchecked(points, [_scalar(pair[_G2:]) for pair in pairs])
    return _answer(computation, total)


def pairing_check(computation: Any) -> Any:
    """1 where the product of the pairings is one, else 0; VMError where a point is not in its subgroup."""
    count = len(computation.msg.data_as_bytes) // (_G1 + _G2)
    computation.consume_gas(_PAIRING_GAS + count * _PAIR_GAS, reason="BLS12_PAIRING_CHECK precompile")
    firsts: list[G1Point] = []
    seconds: list[G2Point] = []
    for pairs in _portions(computation, _G1 + _G2, _PAIRINGS_AT_ONCE):
        firsts += [_g1(pair[:_G1]) for pair in pairs]
        seconds += [_g2(pair[_G1:]) for pair in pairs]
    computation.output = int(GT.pairing_check(firsts, seconds)).to_bytes(32, "big")
    return computation


def map_fp_to_g1(computation: Any) -> Any:
    """The point of the subgroup that belongs to an element of the field."""
    computation.consume_gas(BLS12_MAP_FP_G1_GAS, reason="BLS12_MAP_FP_TO_G1 precompile")
    (element,) = _pieces(computation, _FIELD, 1)
    return _answer(computation, _read(G1Point.map_from_fp_be, element))


def map_fp2_to_g2(computation: Any) -> Any:
    """The point of the second subgroup that belongs to an element of the extended field."""
    computation.consume_gas(BLS12_MAP_FP2_G2_GAS, reason="BLS12_MAP_FP2_TO_G2 precompile")
    (element,) = _pieces(computation, 2 * _FIELD, 1)
    return _answer(computation, _read(G2Point.map_from_fp2_be, element))


PRECOMPILES = {
    number.to_bytes(20, "big"): precompile
    for number, precompile in enumerate(
        (g1_add, g1_msm, g2_add, g2_msm, pairing_check, map_fp_to_g1, map_fp2_to_g2), start=0x0B
    )
}


def _consume_for_msm(computation: Any, point_size: int, gas: int, discounts: list[int]) -> None:
    count = len(computation.msg.data_as_bytes) // (point_size + _SCALAR)
    if count:
        discount = discounts[min(count, len(discounts)) - 1]
        computation.consume_gas(count * gas * discount // MSM_MULTIPLIER, reason="BLS12 MSM precompile")


def _pieces(computation: Any, size: int, count: int | None = None) -> Iterator[bytes]:
    """The input in pieces of one size: so many, or any number but none."""
    data = computation.msg.data_as_bytes
    if len(data) != size * count if count else not data or len(data) % size:
        raise VMError(f"BLS12: {len(data)} bytes of input, {count or 'pieces'} of {size} are expected")
    return (data[start : start + size] for start in range(0, len(data), size))


def _portions(computation: Any, size: int, most: int) -> Iterator[list[bytes]]:
    """The pieces of the input, in portions of a maximal size, with a check point between two portions."""
    check_interrupt = computation.state.execution_context.check_interrupt
    pieces = list(_pieces(computation, size))
    for start in range(0, len(pieces), most):
        check_interrupt()
        yield pieces[start : start + most]


def _g1(data: bytes) -> G1Point:
    return _read(G1Point.from_xy_bytes_be, data)


def _g2(data: bytes) -> G2Point:
    return _read(G2Point.from_xy_bytes_be, data)


def _g1_on_curve(data: bytes) -> G1Point:
    return _read(G1Point.from_xy_bytes_unchecked_be, data)


def _g2_on_curve(data: bytes) -> G2Point:
    return _read(G2Point.from_xy_bytes_unchecked_be, data)


def _read(make: Any, data: bytes) -> Any:
    """The point that the library reads from coordinates, once their padding is checked and removed."""
    coordinates = []
    for start in range(0, len(data), _FIELD):
        if data[start : start + 16] != _PADDING:
            raise VMError("BLS12: a number of the field begins with 16 zero bytes")
        coordinates.append(data[start + 16 : start + _FIELD])
    try:
        return make(b"".join(coordinates))
    except ValueError as error:
        raise VMError(f"BLS12: {error}") from error


def _scalar(data: bytes) -> Scalar:
    return Scalar.from_be_bytes_mod_order(data)


def _answer(computation: Any, point: G1Point | G2Point) -> Any:
    coordinates = bytes(point.to_xy_bytes_be())
    computation.output = b"".join(
        _PADDING + coordinates[start : start + 48] for start in range(0, len(coordinates), 48)
    )
    return computation
