"""BLAKE2's compression against hashlib, where twelve rounds make the hash, and against another implementation."""

import hashlib

import pytest
from eth._utils.blake2.coders import extract_blake2b_parameters
from eth._utils.blake2.compression import blake2b_compress
from hypothesis import given
from hypothesis import strategies as st

from rollup.cooperative import pause
from rollup.execution.vms.blake2 import _IV, _ROUNDS_AT_ONCE, _compress


@given(st.integers(0, 45), st.binary(min_size=208, max_size=208), st.booleans())
def test_against_py_evm(rounds, rest, is_last):
    data = rounds.to_bytes(4, "big") + rest + bytes([is_last])
    assert _compress(rounds, data, pause) == blake2b_compress(*extract_blake2b_parameters(data))


@given(st.binary(max_size=128))
def test_a_hash_of_one_block(message):
    state = [_IV[0] ^ 0x01010040, *_IV[1:]]
    words = b"".join(word.to_bytes(8, "little") for word in state)
    data = bytes(4) + words + message.ljust(128, b"\0") + len(message).to_bytes(16, "little") + b"\1"
    assert _compress(12, data, pause) == hashlib.blake2b(message).digest()


def test_many_rounds_are_asked_whether_to_go_on():
    data = bytes(213)
    asked = []
    rounds = 2 * _ROUNDS_AT_ONCE + 3
    done = _compress(rounds, data, lambda: asked.append(1))
    assert done == blake2b_compress(*extract_blake2b_parameters(rounds.to_bytes(4, "big") + data[4:]))
    assert len(asked) == 3

    class Enough(Exception):
        pass

    def enough():
        raise Enough

    with pytest.raises(Enough):
        _compress(2**32 - 1, data, enough)
