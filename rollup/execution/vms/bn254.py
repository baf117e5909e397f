"""The curve alt_bn128 (EIP-196, EIP-197) on plain integers: addition, multiplication, the pairing check.

py_ecc makes an object of every field element: one pairing took a third of a second, so that the gas of one call could
hold a node for minutes. The field of the pairing is Fp[i]/(i^2 + 1), then w with w^6 = 9 + i; an element of it is two
halves, the coefficients of (1, w^2, w^4) and of (w, w^3, w^5), each six integers: real and imaginary parts in turn.
"""

from collections.abc import Callable, Sequence

from rollup.cooperative import pause

P = 21888242871839275222246405745257275088696311157297823662689037894645226208583  # the field
N = 21888242871839275222246405745257275088548364400416034343698204186575808495617  # the order of both groups
X = 4965661367192848881  # the parameter of the curve (Barreto and Naehrig): all else follows from it

G1 = tuple[int, int]  # (0, 0) is the point at infinity
Fp2 = tuple[int, int]
G2 = tuple[Fp2, Fp2]
Half = tuple[int, int, int, int, int, int]
Fp12 = tuple[Half, Half]

INFINITY: G1 = (0, 0)
_NIL: Half = (0, 0, 0, 0, 0, 0)
_ONE: Fp12 = ((1, 0, 0, 0, 0, 0), _NIL)
_LOOP = bin(6 * X + 2)[3:]
_WINDOW = 4


class NotOnCurve(ValueError):
    """Coordinates that are not an element of the group."""


# ---------------------------------------------------------------- the first group: y^2 = x^3 + 3
def g1_point(x: int, y: int) -> G1:
    """The point of these coordinates; raises NotOnCurve."""
    if x >= P or y >= P or ((x or y) and (y * y - x * x * x - 3) % P):
        raise NotOnCurve("no point of y^2 = x^3 + 3")
    return x, y


def g1_add(one: G1, other: G1) -> G1:
    """The sum of two points."""
    if one == INFINITY:
        return other
    if other == INFINITY:
        return one
    (x1, y1), (x2, y2) = one, other
    if x1 == x2:
        if (y1 + y2) % P == 0:
            return INFINITY
        slope = 3 * x1 * x1 * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def g1_multiply(point: G1, scalar: int) -> G1:
    """The point, so many times: four bits of the scalar at a time, in Jacobian coordinates (x/z^2, y/z^3)."""
    scalar %= N
    if point == INFINITY or not scalar:
        return INFINITY
    table = [INFINITY, point]
    for _ in range((1 << _WINDOW) - 2):
        table.append(g1_add(table[-1], point))
    x, y, z = 0, 1, 0
    for shift in range((scalar.bit_length() - 1) // _WINDOW * _WINDOW, -1, -_WINDOW):
        if z:
            for _ in range(_WINDOW):
                x, y, z = _double(x, y, z)
        digit = scalar >> shift & (1 << _WINDOW) - 1
        if digit:
            x, y, z = _add_affine(x, y, z, *table[digit])
    if not z:
        return INFINITY
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P


def _double(x: int, y: int, z: int) -> tuple[int, int, int]:
    square = y * y % P
    s, m = 4 * x * square % P, 3 * x * x % P
    doubled = (m * m - 2 * s) % P
    return doubled, (m * (s - doubled) - 8 * square * square) % P, 2 * y * z % P


def _add_affine(x: int, y: int, z: int, x2: int, y2: int) -> tuple[int, int, int]:
    if not z:
        return x2, y2, 1
    square = z * z % P
    h, r = (x2 * square - x) % P, (y2 * square * z - y) % P
    if not h:
        return _double(x, y, z) if not r else (0, 1, 0)
    h2 = h * h % P
    h3, v = h * h2 % P, x * h2 % P
    result = (r * r - h3 - 2 * v) % P
    return result, (r * (v - result) - y * h3) % P, z * h % P


# ---------------------------------------------------------------- the second group: y^2 = x^3 + 3 / (9 + i)
def _times(a: Fp2, b: Fp2) -> Fp2:
    return (a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P


def _inverted(a: Fp2) -> Fp2:
    inverse = pow(a[0] * a[0] + a[1] * a[1], -1, P)
    return a[0] * inverse % P, -a[1] * inverse % P


def _power(a: Fp2, exponent: int) -> Fp2:
    result: Fp2 = (1, 0)
    for bit in bin(exponent)[2:]:
        result = _times(result, result)
        if bit == "1":
            result = _times(result, a)
    return result


_XI: Fp2 = (9, 1)
_TWIST_B = _times((3, 0), _inverted(_XI))
# xi^(k (p - 1) / 6): what the Frobenius map, x to x^p, does to w^k.
_GAMMAS = [_power(_XI, k * (P - 1) // 6) for k in range(6)]


def g2_point(x: Fp2, y: Fp2) -> G2 | None:
    """The element of the second group of these coordinates, None for infinity; raises NotOnCurve.

    The Frobenius map is multiplication by 6 X^2, the trace less one, on the group and nowhere else on the curve: its
    characteristic polynomial at that number is the group's order.
    """
    if max(*x, *y) >= P:
        raise NotOnCurve("a coordinate is not below the modulus")
    if x == y == (0, 0):
        return None
    cube = _times(_times(x, x), x)
    square = _times(y, y)
    if any((square[k] - cube[k] - _TWIST_B[k]) % P for k in (0, 1)):
        raise NotOnCurve("no point of the twist")
    if not _is_multiple((x, y), 6 * X * X, _frobenius((x, y))):
        raise NotOnCurve("a point of the twist outside the group")
    return x, y


def _frobenius(point: G2) -> G2:
    (xr, xi), (yr, yi) = point
    return _times((xr, -xi), _GAMMAS[2]), _times((yr, -yi), _GAMMAS[3])


def _is_multiple(point: G2, scalar: int, expected: G2) -> bool:
    """Whether scalar times the point is another point; Jacobian coordinates, as above."""
    (px, py), one = point, (1, 0)
    x, y, z = px, py, one
    for bit in bin(scalar)[3:]:
        x, y, z = _double2(x, y, z)
        if bit == "1":
            x, y, z = _add2(x, y, z, px, py)
    square = _times(z, z)
    return z != (0, 0) and x == _times(expected[0], square) and y == _times(expected[1], _times(square, z))


def _double2(x: Fp2, y: Fp2, z: Fp2) -> tuple[Fp2, Fp2, Fp2]:
    square, xx = _times(y, y), _times(x, x)
    sr, si = _times(x, square)
    mr, mi = 3 * xx[0], 3 * xx[1]
    m2 = _times((mr, mi), (mr, mi))
    doubled = (m2[0] - 8 * sr) % P, (m2[1] - 8 * si) % P
    fourth = _times(square, square)
    last = _times((mr, mi), (4 * sr - doubled[0], 4 * si - doubled[1]))
    zr, zi = _times(y, z)
    return doubled, ((last[0] - 8 * fourth[0]) % P, (last[1] - 8 * fourth[1]) % P), (2 * zr % P, 2 * zi % P)


def _add2(x: Fp2, y: Fp2, z: Fp2, x2: Fp2, y2: Fp2) -> tuple[Fp2, Fp2, Fp2]:
    if z == (0, 0):
        return x2, y2, (1, 0)
    square = _times(z, z)
    u, s = _times(x2, square), _times(_times(y2, square), z)
    h, r = ((u[0] - x[0]) % P, (u[1] - x[1]) % P), ((s[0] - y[0]) % P, (s[1] - y[1]) % P)
    if h == (0, 0):
        return _double2(x, y, z) if r == (0, 0) else ((0, 0), (1, 0), (0, 0))
    h2 = _times(h, h)
    h3, v, r2 = _times(h, h2), _times(x, h2), _times(r, r)
    result = (r2[0] - h3[0] - 2 * v[0]) % P, (r2[1] - h3[1] - 2 * v[1]) % P
    left, right = _times(r, (v[0] - result[0], v[1] - result[1])), _times(y, h3)
    return result, ((left[0] - right[0]) % P, (left[1] - right[1]) % P), _times(z, h)


# ---------------------------------------------------------------- the field of the pairing
def _half_product(a: Half, b: Half) -> Half:
    """The product of two polynomials of three coefficients in v = w^2, where v^3 is 9 + i."""
    a0, a1, a2, a3, a4, a5 = a
    b0, b1, b2, b3, b4, b5 = b
    # Coefficients of v^3 and v^4, folded back by 9 + i.
    r3, i3 = a2 * b4 - a3 * b5 + a4 * b2 - a5 * b3, a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2
    r4, i4 = a4 * b4 - a5 * b5, a4 * b5 + a5 * b4
    return (
        (a0 * b0 - a1 * b1 + 9 * r3 - i3) % P,
        (a0 * b1 + a1 * b0 + 9 * i3 + r3) % P,
        (a0 * b2 - a1 * b3 + a2 * b0 - a3 * b1 + 9 * r4 - i4) % P,
        (a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + 9 * i4 + r4) % P,
        (a0 * b4 - a1 * b5 + a2 * b2 - a3 * b3 + a4 * b0 - a5 * b1) % P,
        (a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0) % P,
    )


def _by_v(a: Half) -> Half:
    a0, a1, a2, a3, a4, a5 = a
    return 9 * a4 - a5, 9 * a5 + a4, a0, a1, a2, a3


def _sum(a: Half, b: Half) -> Half:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4], a[5] + b[5]


def _difference(a: Half, b: Half) -> Half:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3], a[4] - b[4], a[5] - b[5]


def _product(a: Fp12, b: Fp12) -> Fp12:
    (g, h), (k, m) = a, b
    low, high = _half_product(g, k), _half_product(h, m)
    cross = _half_product(_sum(g, h), _sum(k, m))
    return _sum(low, _by_v(high)), _difference(cross, _sum(low, high))


def _square(a: Fp12) -> Fp12:
    g, h = a
    both = _half_product(g, h)
    whole = _half_product(_sum(g, h), _sum(g, _by_v(h)))
    return _difference(whole, _sum(both, _by_v(both))), _sum(both, both)


def _conjugate(a: Fp12) -> Fp12:
    """a^(p^6); the inverse of what the first part of the last exponentiation leaves."""
    g, h = a
    return g, _difference(_NIL, h)


def _inverse(a: Fp12) -> Fp12:
    g, h = a
    norm = _half_inverse(_difference(_half_product(g, g), _by_v(_half_product(h, h))))
    return _half_product(g, norm), _half_product(_difference(_NIL, h), norm)


def _half_inverse(a: Half) -> Half:
    """The inverse: the product of the other two conjugates, divided by the norm to Fp2."""
    c0, c1, c2 = a[0:2], a[2:4], a[4:6]
    s0, s1, s2 = _times(c0, c0), _times(c1, c1), _times(c2, c2)
    p01, p02, p12 = _times(c0, c1), _times(c0, c2), _times(c1, c2)
    x12, x2 = _times(_XI, p12), _times(_XI, s2)
    t0, t1, t2 = (s0[0] - x12[0], s0[1] - x12[1]), (x2[0] - p01[0], x2[1] - p01[1]), (s1[0] - p02[0], s1[1] - p02[1])
    u0, u1, u2 = _times(c0, t0), _times(_XI, _times(c2, t1)), _times(_XI, _times(c1, t2))
    inverse = _inverted((u0[0] + u1[0] + u2[0], u0[1] + u1[1] + u2[1]))
    return (*_times(t0, inverse), *_times(t1, inverse), *_times(t2, inverse))


def _frobenius12(a: Fp12) -> Fp12:
    """a^p."""
    g, h = a
    even = [_times((g[2 * k], -g[2 * k + 1]), _GAMMAS[2 * k]) for k in range(3)]
    odd = [_times((h[2 * k], -h[2 * k + 1]), _GAMMAS[2 * k + 1]) for k in range(3)]
    return (*even[0], *even[1], *even[2]), (*odd[0], *odd[1], *odd[2])


def _power_x(a: Fp12) -> Fp12:
    result = a
    for bit in bin(X)[3:]:
        result = _square(result)
        if bit == "1":
            result = _product(result, a)
    return result


# ---------------------------------------------------------------- the pairing
def pairing_is_one(pairs: Sequence[tuple[G1, G2 | None]], check_interrupt: Callable[[], None] = pause) -> bool:
    """Whether the product of the optimal ate pairings (Vercauteren) of these pairs is one.

    check_interrupt is called at every step of the loop; what it raises ends the computation.
    """
    lines = [_Lines(point, q) for point, q in pairs if point != INFINITY and q is not None]
    if not lines:
        return True
    f = _ONE
    for bit in _LOOP:
        check_interrupt()
        f = _square(f)
        for each in lines:
            f = each.double(f)
        if bit == "1":
            for each in lines:
                f = each.add(f, each.q)
    for each in lines:
        first = _frobenius(each.q)
        (x, y) = _frobenius(first)
        f = each.add(f, first)
        f = each.add(f, (x, (-y[0] % P, -y[1] % P)))
    (one, *others), odd = _last_exponentiation(f)
    return one % P == 1 and not any(value % P for value in (*others, *odd))


class _Lines:
    """The lines of Miller's loop through multiples of q, at a point of the first group, divided by its y."""

    __slots__ = ("_t", "_x", "_y", "q")

    def __init__(self, point: G1, q: G2) -> None:
        self.q = self._t = q
        self._y = pow(point[1], -1, P)
        self._x = -point[0] * self._y % P

    def double(self, f: Fp12) -> Fp12:
        """f times the tangent's value; moves to twice the multiple."""
        (xr, xi), (yr, yi) = self._t
        slope = _times((3 * (xr * xr - xi * xi), 6 * xr * xi), _inverted((2 * yr, 2 * yi)))
        return self._go_on(f, slope, xr, xi)

    def add(self, f: Fp12, q: G2) -> Fp12:
        """f times the value of the line through q; moves to the sum."""
        ((xr, xi), (yr, yi)), ((qxr, qxi), (qyr, qyi)) = self._t, q
        slope = _times((qyr - yr, qyi - yi), _inverted((qxr - xr, qxi - xi)))
        return self._go_on(f, slope, qxr, qxi)

    def _go_on(self, f: Fp12, slope: Fp2, other_r: int, other_i: int) -> Fp12:
        (xr, xi), (yr, yi) = self._t
        sr, si = slope
        nr, ni = (sr * sr - si * si - xr - other_r) % P, (2 * sr * si - xi - other_i) % P
        dr, di = xr - nr, xi - ni
        self._t = (nr, ni), ((sr * dr - si * di - yr) % P, (sr * di + si * dr - yi) % P)
        cr, ci = sr * xr - si * xi - yr, sr * xi + si * xr - yi
        line = (sr * self._x % P, si * self._x % P, cr * self._y % P, ci * self._y % P)
        return _by_line(f, *line)


def _by_line(f: Fp12, br: int, bi: int, cr: int, ci: int) -> Fp12:
    """f times 1 + b w + c w^3."""
    g, h = f
    return _sum(g, _by_v(_by_two(h, br, bi, cr, ci))), _sum(h, _by_two(g, br, bi, cr, ci))


def _by_two(a: Half, br: int, bi: int, cr: int, ci: int) -> Half:
    """A half times b + c v."""
    a0, a1, a2, a3, a4, a5 = a
    r3, i3 = a4 * cr - a5 * ci, a4 * ci + a5 * cr
    return (
        (a0 * br - a1 * bi + 9 * r3 - i3) % P,
        (a0 * bi + a1 * br + 9 * i3 + r3) % P,
        (a2 * br - a3 * bi + a0 * cr - a1 * ci) % P,
        (a2 * bi + a3 * br + a0 * ci + a1 * cr) % P,
        (a4 * br - a5 * bi + a2 * cr - a3 * ci) % P,
        (a4 * bi + a5 * br + a2 * ci + a3 * cr) % P,
    )


def _last_exponentiation(f: Fp12) -> Fp12:
    """f^((p^12 - 1) / n): the hard part by the addition chain of Scott and others (2009)."""
    f = _product(_conjugate(f), _inverse(f))
    f = _product(_frobenius12(_frobenius12(f)), f)
    x1 = _power_x(f)
    x2 = _power_x(x1)
    x3 = _power_x(x2)
    p1 = _frobenius12(f)
    p2 = _frobenius12(p1)
    y0 = _product(_product(p1, p2), _frobenius12(p2))
    y1 = _conjugate(f)
    y2 = _frobenius12(_frobenius12(x2))
    y3 = _conjugate(_frobenius12(x1))
    y4 = _conjugate(_product(x1, _frobenius12(x2)))
    y5 = _conjugate(x2)
    y6 = _conjugate(_product(x3, _frobenius12(x3)))
    # y0 y1^2 y2^6 y3^12 y4^18 y5^30 y6^36
    t0 = _product(_product(_square(y6), y4), y5)
    t1 = _product(_product(y3, y5), t0)
    t0 = _product(t0, y2)
    t1 = _square(_product(_square(t1), t0))
    t0 = _product(t1, y1)
    t1 = _product(t1, y0)
    return _product(_square(t0), t1)
