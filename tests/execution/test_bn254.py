"""alt_bn128 on plain integers against py_ecc's objects; the pairing by its bilinearity."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as other

from rollup.execution.vms.bn254 import (
    INFINITY,
    N,
    NotOnCurve,
    P,
    _last_exponentiation,
    g1_add,
    g1_multiply,
    g1_point,
    g2_point,
    pairing_is_one,
)

GENERATOR = (1, 2)
SCALARS = st.one_of(
    st.integers(0, 2**256 - 1), st.sampled_from([0, 1, 2, 15, 16, 17, N - 1, N, N + 1, 2 * N, 2**256 - 1])
)


def theirs(point):
    return INFINITY if other.is_inf(point) else tuple(int(value) for value in other.normalize(point))


def second(scalar):
    """A multiple of the second group's generator."""
    x, y = other.normalize(other.multiply(other.G2, scalar))
    return g2_point(*(tuple(int(value) for value in coordinate.coeffs) for coordinate in (x, y)))


@settings(max_examples=20, deadline=None)
@given(SCALARS, SCALARS)
def test_the_first_group(one, two):
    a, b = other.multiply(other.G1, one % N), other.multiply(other.G1, two % N)
    assert g1_multiply(GENERATOR, one) == theirs(a)
    assert g1_multiply(theirs(a), two) == theirs(other.multiply(a, two % N))
    assert g1_add(theirs(a), theirs(b)) == theirs(other.add(a, b))
    assert g1_add(theirs(a), theirs(a)) == theirs(other.double(a))
    assert g1_add(theirs(a), theirs(other.neg(a))) == INFINITY


@settings(max_examples=8, deadline=None)
@given(st.integers(1, N - 1), st.integers(1, N - 1))
def test_the_pairing_is_bilinear(one, two):
    """e(aP, bQ) e(-abP, Q) is one, and no other product is."""
    left = (g1_multiply(GENERATOR, one), second(two))
    opposite = g1_multiply(GENERATOR, -one * two)
    assert pairing_is_one([left, (opposite, second(1))])
    assert not pairing_is_one([left, (g1_add(opposite, GENERATOR), second(1))])
    assert not pairing_is_one([left])


def test_infinity_pairs_to_one():
    assert pairing_is_one([])
    assert pairing_is_one([(INFINITY, second(1)), (GENERATOR, g2_point((0, 0), (0, 0)))])
    assert not pairing_is_one([(INFINITY, second(1)), (GENERATOR, second(1))])


def test_the_last_exponentiation():
    """py_ecc's by plain square and multiply; its field is Fp[w]/(w^12 - 18 w^6 + 82): i is w^6 - 9."""
    halves = [[(7 * k + 3) ** 5 for k in range(6)], [(11 * k + 5) ** 6 for k in range(6)]]

    def flat(value):
        coefficients = [0] * 12
        for odd, half in enumerate(value):
            for k in range(3):
                real, imaginary = half[2 * k : 2 * k + 2]
                coefficients[2 * k + odd] = (real - 9 * imaginary) % P
                coefficients[2 * k + odd + 6] = imaginary % P
        return coefficients

    expected = other.final_exponentiate(other.FQ12(flat(halves)))
    assert flat(_last_exponentiation(tuple(map(tuple, halves)))) == [int(value) for value in expected.coeffs]


@pytest.mark.parametrize(("x", "y"), [(1, 1), (1, 2 + P), (P, 0), (0, 1)])
def test_points_outside_the_first_group_are_refused(x, y):
    with pytest.raises(NotOnCurve):
        g1_point(x, y)


def test_points_outside_the_second_group_are_refused():
    with pytest.raises(NotOnCurve, match="no point"):
        g2_point((1, 0), (1, 0))
    x, y = second(1)
    with pytest.raises(NotOnCurve, match="modulus"):
        g2_point((x[0] + P, x[1]), y)
    with pytest.raises(NotOnCurve, match="outside"):
        g2_point(*_on_the_twist_only())


def _on_the_twist_only():
    """A point of the curve that the group's order does not bring to infinity: most of its points are such."""
    for real in range(1, 100):
        x = other.FQ2([real, 1])
        root = _root(x * x * x + other.b2)
        if root is not None:
            assert not other.is_inf(other.multiply((x, root, other.FQ2.one()), N))
            return tuple(tuple(int(value) for value in coordinate.coeffs) for coordinate in (x, root))
    raise AssertionError("no point found")


def _root(square):
    """A square root in Fp2. Its real part is the root of half the sum of the norm's root and the square's real part."""
    real, imaginary = (int(value) for value in square.coeffs)
    norm = pow(real * real + imaginary * imaginary, (P + 1) // 4, P)
    for sign in (1, -1):
        part = pow((real + sign * norm) * pow(2, -1, P), (P + 1) // 4, P)
        root = other.FQ2([part, imaginary * pow(2 * part, -1, P) % P])
        if root * root == square:
            return root
    return None


def test_a_pairing_is_asked_whether_to_go_on():
    class Enough(Exception):
        pass

    def enough():
        raise Enough

    with pytest.raises(Enough):
        pairing_is_one([(GENERATOR, second(1))], enough)
