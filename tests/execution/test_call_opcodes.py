"""The four call opcodes against py-evm's own, over all that a call may meet."""

from itertools import product

import pytest

from rollup.execution.delegation import DELEGATION_PREFIX
from rollup.execution.vms.call_opcodes import CALL_KINDS
from rollup.protocol.forks import Fork
from tests.execution.test_interpreter import OTHER, SELF, by_py_evm, execute, outcome, push

DELEGATED, TO_NOBODY, ABSENT, POOR = (bytes([byte]) * 20 for byte in (0xD1, 0xD2, 0xAB, 0xAC))
IDENTITY, BLAKE2F = ((number).to_bytes(20, "big") for number in (4, 9))
TARGETS = [OTHER, SELF, DELEGATED, TO_NOBODY, ABSENT, POOR, IDENTITY, BLAKE2F, b"\xff" * 20]
VALUES = [0, 1, 10**6, 10**7]  # an account has 10**6
OUTSIDE = 2**70  # a place in memory that no gas pays for
MEMORY = [(0, 0, 0, 0), (0, 32, 0, 64), (OUTSIDE, 0, OUTSIDE, 0), (0, 4, OUTSIDE, 1), (100, 33, 7, 2)]
GASES = [None, 0, 2_299, 50_000]
# What is called: it stores, reads its caller, logs, and returns or reverts 40 bytes.
STORES = b"".join([b"\x33", push(1), b"\x55", push(3), push(0), b"\xa0", push(40), push(0)])
CALLEES = [STORES + b"\xf3", STORES + b"\xfd", b"\xfe", b""]


def caller(opcode: int, target: bytes, value: int, memory: tuple[int, ...], gas: int | None) -> bytes:
    """Calls, keeps the answer and its size, calls again (warm), and returns memory."""
    in_start, in_size, out_start, out_size = memory
    once = push(out_size) + push(out_start) + push(in_size) + push(in_start)
    once += push(value) if opcode in (0xF1, 0xF2) else b""
    once += push(int.from_bytes(target, "big") + (1 << 200), 32)  # the upper bytes are not read
    once += (b"\x5a" if gas is None else push(gas)) + bytes([opcode])
    once += push(5) + b"\x55" + b"\x3d" + push(6) + b"\x55"
    return push(0xABCDEF) + push(0) + b"\x52" + once + once + push(96) + push(0) + b"\xf3"


@pytest.mark.parametrize("opcode", CALL_KINDS, ids=lambda opcode: CALL_KINDS[opcode].name)
@pytest.mark.parametrize("fork", [None, Fork.CANYON])
def test_every_call_does_what_py_evms_does(opcode: int, fork: Fork | None) -> None:
    cases = list(product(TARGETS, VALUES if opcode in (0xF1, 0xF2) else [0], MEMORY, GASES, CALLEES))
    for number, (target, value, memory, gas, callee) in enumerate(cases[:: 11 if len(cases) > 1_000 else 3]):
        codes = {
            SELF: caller(opcode, target, value, memory, gas),
            OTHER: callee,
            DELEGATED: DELEGATION_PREFIX + OTHER,
            TO_NOBODY: DELEGATION_PREFIX + ABSENT,
        }
        results = []
        for is_on in (True, False):
            with by_py_evm(is_on):
                results.append(outcome(*execute(fork, codes, 200_000, b"", 0, static=number % 5 == 0)))
        assert results[0] == results[1], (target.hex(), value, memory, gas, callee.hex())


def test_a_call_at_the_deepest_frame_fails_alone() -> None:
    results = []
    for is_on in (True, False):
        with by_py_evm(is_on):
            results.append(outcome(*execute(Fork.JOVIAN, {SELF: DEEP, OTHER: b""}, 10**12, b"", 0, static=False)))
    assert results[0] == results[1]
    assert results[0]["storage"][SELF][0] == 1_025


# Adds one to slot 0, then calls itself with all gas.
DEEP = b"".join(
    [
        push(0),
        b"\x54",
        push(1),
        b"\x01",
        push(0),
        b"\x55",
        push(0) * 5,
        push(int.from_bytes(SELF, "big"), 20),
        b"\x5a\xf1",
    ]
)
