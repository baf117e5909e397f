"""BLS12-381's precompiles against py-evm's, which are on py_ecc: same output, same gas, same refusals."""

from types import SimpleNamespace

import pytest
from eth.exceptions import VMError
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bls12_381 as curve

from rollup.execution.vms.bls12_precompiles import PRECOMPILES

G1_ADD, G1_MSM, G2_ADD, G2_MSM, PAIRING, MAP_G1, MAP_G2 = sorted(PRECOMPILES)
P, N = curve.field_modulus, curve.curve_order


class Call:
    """A stand-in for a computation, with the parts that a precompile uses."""

    def __init__(self, data):
        self.msg = SimpleNamespace(data=data, data_as_bytes=data)
        self.gas = 0
        self.output = b""
        self.checks = 0
        self.state = SimpleNamespace(execution_context=SimpleNamespace(check_interrupt=self.check))

    def check(self):
        self.checks += 1

    def consume_gas(self, amount, reason):
        self.gas += amount


def run(precompile, data):
    call = Call(data)
    try:
        precompile(call)
    except VMError:
        return "refused"
    return call.gas, call.output


def must_agree(address, data):
    ours = run(PRECOMPILES[address], data)
    assert ours == run(PRAGUE_PRECOMPILES[address], data)
    return ours


def words(*numbers):
    return b"".join(int(number).to_bytes(64, "big") for number in numbers)


def g1(scalar):
    point = curve.multiply(curve.G1, scalar % N)
    return bytes(128) if curve.is_inf(point) else words(*curve.normalize(point))


def g2(scalar):
    point = curve.multiply(curve.G2, scalar % N)
    if curve.is_inf(point):
        return bytes(256)
    x, y = curve.normalize(point)
    return words(*x.coeffs, *y.coeffs)


def outside_the_subgroup():
    """A point of the curve that is not in the subgroup."""
    x = 4
    while True:
        square = (x**3 + 4) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square:
            return words(x, y)
        x += 1


SCALARS = st.one_of(st.integers(0, 2**256 - 1), st.sampled_from([0, 1, 2, N - 1, N, N + 1, 2**256 - 1]))


@settings(max_examples=10, deadline=None)
@given(SCALARS, SCALARS, st.integers(1, 3))
def test_points(one, two, count):
    assert must_agree(G1_ADD, g1(one) + g1(two))[1] == g1(one + two)
    assert must_agree(G2_ADD, g2(one) + g2(two))[1] == g2(one + two)
    scalar = two.to_bytes(32, "big")
    assert must_agree(G1_MSM, (g1(one) + scalar) * count)[1] == g1(one * two * count)
    assert must_agree(G2_MSM, (g2(one) + scalar) * count)[1] == g2(one * two * count)


@settings(max_examples=3, deadline=None)
@given(SCALARS, SCALARS)
def test_pairings(one, two):
    good = g1(one) + g2(two) + g1(-one * two) + g2(1)
    assert must_agree(PAIRING, good)[1] == (1).to_bytes(32, "big")
    assert run(PRECOMPILES[PAIRING], good + g1(1) + g2(1))[1] == bytes(32)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, P - 1), st.integers(0, P - 1))
def test_maps(real, imaginary):
    must_agree(MAP_G1, words(real))
    must_agree(MAP_G2, words(real, imaginary))


@pytest.mark.parametrize("address", sorted(PRECOMPILES), ids=lambda address: f"{address[-1]:#04x}")
@pytest.mark.parametrize(
    "data", [b"", bytes(1), bytes(63), bytes(65), bytes(129), bytes(255), bytes(257), bytes(385), bytes(513)], ids=len
)
def test_other_sizes_are_refused(address, data):
    assert must_agree(address, data) == "refused"


def test_bytes_that_are_not_a_point_are_refused():
    one, other = g1(5), g2(7)
    off, off2 = one[:-1] + bytes([one[-1] ^ 1]), other[:-1] + bytes([other[-1] ^ 1])
    large, large2 = words(P, 0), words(0, P, 0, 0)
    padded, padded2 = b"\1" + one[1:], b"\1" + other[1:]
    for bad in (off, large, padded):
        assert must_agree(G1_ADD, one + bad) == must_agree(G1_ADD, bad + one) == "refused"
        assert must_agree(G1_MSM, bad + bytes(32)) == "refused"
        assert must_agree(PAIRING, bad + other) == "refused"
    for bad in (off2, large2, padded2):
        assert must_agree(G2_ADD, other + bad) == must_agree(G2_ADD, bad + other) == "refused"
        assert must_agree(G2_MSM, bad + bytes(32)) == "refused"
        assert must_agree(PAIRING, one + bad) == "refused"
    assert (
        must_agree(MAP_G1, words(P)) == must_agree(MAP_G2, words(P, 0)) == must_agree(MAP_G2, words(0, P)) == "refused"
    )


def test_only_addition_takes_points_outside_the_subgroup():
    point = outside_the_subgroup()
    assert must_agree(G1_ADD, point + g1(3)) != "refused"
    assert must_agree(G1_MSM, point + (1).to_bytes(32, "big")) == "refused"
    assert must_agree(PAIRING, point + g2(1)) == "refused"


@pytest.mark.parametrize("count", [1, 2, 3, 127, 128, 129, 200])
def test_many_points_are_cheaper(count):
    """py-evm's multiplications would take minutes: the gas alone is compared, by what is refused at the last point."""
    for address, point in ((G1_MSM, g1(1)), (G2_MSM, g2(1))):
        pair = point + (1).to_bytes(32, "big")
        gas, output = run(PRECOMPILES[address], pair * count)
        assert output == (g1(count) if address == G1_MSM else g2(count))
        call = Call(b"\1" + (pair * count)[1:])
        with pytest.raises(VMError):
            PRAGUE_PRECOMPILES[address](call)
        assert call.gas == gas
