"""MODEXP in pieces: the same number as in one, and asked between the pieces whether to continue."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.execution.vms.modexp import _power, modexp_eip2565


@given(st.integers(0, 2**300), st.integers(0, 2**500), st.integers(1, 2**300), st.integers(1, 130))
def test_a_power_in_pieces_is_the_power(base, exponent, modulus, bits):
    assert _power(base, exponent, modulus, bits, lambda: None) == pow(base, exponent, modulus)


def test_a_long_exponent_is_interrupted():
    class Enough(Exception):
        pass

    def enough():
        raise Enough

    sizes = b"".join(size.to_bytes(32, "big") for size in (32, 200_000, 32))
    computation = SimpleNamespace(
        msg=SimpleNamespace(data_as_bytes=sizes + b"\xff" * 200_064),
        state=SimpleNamespace(execution_context=SimpleNamespace(check_interrupt=enough)),
        consume_gas=lambda gas, reason: None,
    )
    with pytest.raises(Enough):
        modexp_eip2565(computation)
