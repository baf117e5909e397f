"""Compiled regions: when a code is compiled, how much of it, and what a region does at its edges.

That compiled code ends as interpreted code does is held by the random programs of test_interpreter.py.
"""

from typing import Any

import pytest

from benchmarks.workloads import Workload, erc20, splitter
from rollup.execution.vms.blocks import COMPILED
from rollup.execution.vms.opcodes import opcode_table
from rollup.execution.vms.program import Heat, Program, Programs, Weight
from rollup.execution.vms.rules import l2_rules
from rollup.protocol.forks import Fork
from rollup.protocol.primitives import keccak256
from tests.execution.test_interpreter import CALLER, OTHER, SELF, by_py_evm, execute, outcome, push

AT_ONCE = Heat(runs=1, block_runs=1)
# Adds up the numbers below that in the input, and keeps the sum in slot 1.
SUM = b"".join(
    [
        push(0) + b"\x35" + push(0),  # count, sum
        b"\x5b" + b"\x81\x01" + b"\x90" + push(1) + b"\x90\x03" + b"\x90",  # sum += count; count -= 1
        b"\x81" + push(5) + b"\x57",
        push(1) + b"\x55\x00",
    ]
)


def run(code: bytes, programs: Programs, data: bytes = b"", gas: int = 1_000_000, static: bool = False) -> Any:
    with by_py_evm(False):
        return outcome(*execute(Fork.JOVIAN, {SELF: code, OTHER: b""}, gas, data, 0, static, programs=programs))


def by_reference(code: bytes, data: bytes = b"", gas: int = 1_000_000, static: bool = False) -> Any:
    with by_py_evm(True):
        return outcome(*execute(Fork.JOVIAN, {SELF: code, OTHER: b""}, gas, data, 0, static))


def regions(programs: Programs) -> int:
    return sum(block[4] == COMPILED for found in programs._by_code.values() for block in found.blocks.values())


def test_a_code_is_compiled_when_it_has_run_often() -> None:
    programs = Programs(heat=Heat(runs=3, block_runs=2))
    for expected in (0, 0, 0, 1):
        run(b"\x5b" * 9, programs)
        assert regions(programs) == expected


def test_a_loop_within_one_run_is_compiled() -> None:
    programs = Programs(heat=Heat(runs=3, block_runs=20))
    data = (2_000).to_bytes(32, "big")
    result = run(SUM, programs, data)
    assert regions(programs) == 1
    assert result == by_reference(SUM, data)
    assert result["storage"][SELF][1] == 2_000 * 2_001 // 2


def test_programs_of_one_step_and_creations_are_never_compiled() -> None:
    table = opcode_table(l2_rules(Fork.JOVIAN, False).state_class.computation_class)
    program = Program(b"\x5b\x00", table, Weight())
    for _ in range(1_000):
        program.warm_up()
    assert program.read(0)[4] != COMPILED
    assert Programs(single_step=True)._heat is None


@pytest.mark.parametrize("gas", range(0, 200, 7))
def test_gas_runs_out_where_it_does_without_regions(gas: int) -> None:
    programs = Programs(heat=AT_ONCE)
    for _ in range(3):
        assert run(SUM, programs, (3).to_bytes(32, "big"), gas) == by_reference(SUM, (3).to_bytes(32, "big"), gas)


@pytest.mark.parametrize("size", [1_020, 1_021, 1_022, 1_023, 1_024])
def test_the_stack_is_full_where_it_is_without_regions(size: int) -> None:
    """A region checks the stack once for what it certainly runs."""
    code = b"\x5f" * size + b"\x5b\x36\x36\x01" + b"\x80" * 2 + b"\x50" * 3 + push(7) + push(1) + b"\x55\x00"
    programs = Programs(heat=AT_ONCE)
    for _ in range(3):
        assert run(code, programs) == by_reference(code)


def test_a_static_frame_cannot_write_in_a_region() -> None:
    for code in (push(1) + push(1) + b"\x55", b"\x5f\x5f\xa0"):
        programs = Programs(heat=AT_ONCE)
        for static in (False, True, False, True):
            assert run(code, programs, static=static) == by_reference(code, static=static)


def test_memory_that_was_written_is_read_back_in_every_overlap() -> None:
    """Words that a region knows are forgotten when something writes over a part of them."""
    for first in range(0, 65, 16):
        for second in range(0, 65, 16):
            for dynamic in (b"", b"\x36\x01"):  # adds the size of the input, which a region does not know
                code = (
                    push(0x1111 << 200) + push(first) + b"\x52" + push(0x2222 << 100) + push(second) + dynamic + b"\x52"
                )
                code += b"".join(push(place) + b"\x51" + push(place) + b"\x55" for place in (first, second, 32))
                programs = Programs(heat=AT_ONCE)
                for _ in range(2):
                    assert run(code, programs, b"123") == by_reference(code, b"123")


def test_compiled_code_is_bounded_per_contract() -> None:
    """Each block could begin a region that covers most of the code again."""
    table = opcode_table(l2_rules(Fork.JOVIAN, False).state_class.computation_class)
    code = b"\x5a\x50" * 5_000  # each GAS ends a block
    program = Program(code, table, weight := Weight(), heat=AT_ONCE)
    program.warm_up()
    for position in range(0, len(code), 2):
        program.read(position)
        if any(handler.__name__ == "count" for handler, _ in program.blocks[position][3]):
            program.compile(position)
    assert program._compiled <= 2 * len(code) + 500
    assert weight.total > 0


@pytest.mark.parametrize("workload", [erc20(), splitter(3)], ids=lambda workload: workload.name)
def test_contracts_of_solidity_end_the_same(workload: Workload) -> None:
    """A token and a splitter, with the calls that the benchmarks make, compiled at once."""
    (account,) = workload.accounts.values()
    balance = int.from_bytes(keccak256(bytes(12) + CALLER + (3).to_bytes(32, "big")), "big")  # in WETH9
    storage, programs = {**account.storage, balance: 10**6}, Programs(heat=AT_ONCE)
    for index in range(4):
        call = workload.call(index)
        results = []
        for is_on in (True, False):
            with by_py_evm(is_on):
                results.append(
                    outcome(
                        *execute(
                            Fork.JOVIAN,
                            {SELF: account.code},
                            call.gas,
                            call.data,
                            call.value,
                            False,
                            programs=programs,
                            storage=storage,
                        )
                    )
                )
        assert results[0] == results[1]
        assert not results[0]["failed"]
        assert results[0]["storage"][SELF]
    assert regions(programs) > 1
