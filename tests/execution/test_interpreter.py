"""The interpreter, block-wise and stepwise, against py-evm's opcode loop: random programs, and all that shows."""

import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from eth.vm.code_stream import CodeStream
from eth.vm.message import Message
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rollup.cooperative import pause
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.reader import TrieReader
from rollup.execution.tracing import Step, Tracer
from rollup.execution.transition import TransactionContext
from rollup.execution.vms import frame, program
from rollup.execution.vms.base import EvmContext, RollupComputation
from rollup.execution.vms.rules import l1_rules, l2_rules
from rollup.execution.vms.stepwise import Tracing
from rollup.protocol.forks import Fork, L1Fork
from rollup.protocol.primitives import EMPTY_TRIE_ROOT

SELF, OTHER, CALLER = (bytes([byte]) * 20 for byte in (0xAA, 0xBB, 0xCC))
EDGES = [0, 1, 2, 31, 32, 33, 64, 255, 256, 2**64 - 1, 2**160, 2**255 - 1, 2**255, 2**256 - 1]
# Pure ones twice as often as those that touch the world.
PLAIN = [*range(0x01, 0x0C), *range(0x10, 0x1E), 0x35, 0x36, 0x50, 0x58, 0x5A, *range(0x80, 0xA0)]
OFTEN = [0x20, 0x51, 0x52, 0x53, 0x54, 0x55, *range(0xA0, 0xA5)]
WORLD = [*range(0x30, 0x35), *range(0x37, 0x4B), *range(0x59, 0x60), *OFTEN, *OFTEN, *OFTEN]
ENDS = [0x00, 0xF3, 0xFD, 0xFE, 0xFF, 0x0C, 0x21, 0xEF]
CALLS = [0xF1, 0xF2, 0xF4, 0xFA, 0xF0, 0xF5]


def push(value: int, size: int | None = None) -> bytes:
    size = size or max((value.bit_length() + 7) // 8, 1)
    return bytes([0x5F + size]) + value.to_bytes(size, "big")


class Writer:
    """Writes programs that mostly get somewhere: pushes before what pops, jumps that land, some that do not."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def number(self) -> int:
        random = self.random
        if random.random() < 0.5:
            return random.randrange(0, 200)
        return random.choice(EDGES) if random.random() < 0.8 else random.randrange(2**256)

    def program(self) -> bytes:
        random = self.random
        parts: list[bytes] = [push(self.number()) for _ in range(random.randrange(20, 50))]
        for _ in range(random.randrange(1, 60)):
            parts.append(self.piece())
        parts.append(
            push(random.randrange(99)) + push(random.randrange(99)) + bytes([random.choice((0xF3, 0xF3, 0xFD, 0x00))])
        )
        code = b"".join(parts)
        # Jumps are written with two bytes of nothing: now they get a place, right most of the time.
        places = [index for index, byte in enumerate(code) if byte == 0x5B]
        out = bytearray(code)
        for index in range(len(out) - 3):
            if out[index] == 0x61 and out[index + 1 : index + 3] == b"\xff\xfe" and out[index + 3] in (0x56, 0x57):
                ahead = [place for place in places if place > index] or places
                right = ahead and random.random() < 0.97
                target = random.choice(ahead) if right else random.randrange(len(out) + 5)
                out[index + 1 : index + 3] = target.to_bytes(2, "big")
        return bytes(out)

    def piece(self) -> bytes:
        random, chance = self.random, self.random.random()
        if chance < 0.30:
            return push(self.number())
        if chance < 0.58:
            return bytes([random.choice(PLAIN)])
        if chance < 0.72:
            small = b"".join(push(random.randrange(150)) for _ in range(4))
            return small + bytes([random.choice(WORLD)])
        if chance < 0.80:
            return bytes([0x5B])
        if chance < 0.88:
            return bytes([0x61, 0xFF, 0xFE, random.choice((0x56, 0x57, 0x57, 0x57))])
        if chance < 0.885:
            return bytes([random.choice((0x56, 0x57))])
        if chance < 0.96:
            return self.call(random.choice(CALLS))
        return bytes([random.choice(ENDS)]) if chance > 0.985 else b"\x5b"

    def call(self, opcode: int) -> bytes:
        random = self.random
        if opcode in (0xF0, 0xF5):
            return b"".join(push(random.randrange(40)) for _ in range(3 + (opcode == 0xF5))) + bytes([opcode])
        to = random.choice((OTHER, OTHER, SELF, bytes(19) + b"\4", bytes(19) + b"\2", b"\xdd" * 20))
        value = push(random.choice((0, 0, 1))) if opcode in (0xF1, 0xF2) else b""
        memory = b"".join(push(random.randrange(70)) for _ in range(4))
        gas = random.choice((b"\x5a", push(random.randrange(100_000))))
        return memory + value + push(int.from_bytes(to, "big"), 20) + gas + bytes([opcode])


@contextmanager
def by_py_evm(is_on: bool) -> Iterator[None]:
    before, limit = RollupComputation.is_interpreted_by_py_evm, sys.getrecursionlimit()
    RollupComputation.is_interpreted_by_py_evm = is_on
    sys.setrecursionlimit(20_000)  # Hypothesis lowers it below what 1,024 calls deep take
    try:
        yield
    finally:
        RollupComputation.is_interpreted_by_py_evm = before
        sys.setrecursionlimit(limit)


class Recorder(Tracer):
    """Counts opcodes, and holds that frames nest and that what an opcode costs is what is left less."""

    wants_opcodes = True

    def __init__(self) -> None:
        self.depths: list[int] = []
        self.steps: list[Step] = []
        self.logs = 0

    def on_enter(self, depth: int, kind: int, *rest: Any) -> None:
        assert depth == len(self.depths)
        self.depths.append(depth)

    def on_exit(self, depth: int, *rest: Any) -> None:
        assert self.depths.pop() == depth

    def on_opcode(self, step: Step) -> None:
        assert step.depth == len(self.depths)
        last = self.steps[-1] if self.steps else None
        if last is not None and last.frame is step.frame and last.opcode not in CALLS:
            assert last.gas - last.cost == step.gas
        self.steps.append(step)

    def on_log(self, *rest: Any) -> None:
        self.logs += 1


def execute(
    fork: Fork | None,
    codes: dict[bytes, bytes],
    gas: int,
    data: bytes,
    value: int,
    static: bool,
    tracer: Tracer | None = None,
    programs: program.Programs | None = None,
    storage: Mapping[int, int] | None = None,
) -> Any:
    rules = l1_rules(L1Fork.PRAGUE) if fork is None else l2_rules(fork, False)
    accounts = AccountDatabase(TrieReader({}, {}, EMPTY_TRIE_ROOT))
    for address, code in codes.items():
        accounts.set_balance(address, 10**6)
        accounts.set_code(address, code)
        for slot in range(4):
            accounts.set_storage(address, slot, slot)
    for slot, number in (storage or {}).items():
        accounts.set_storage(SELF, slot, number)
    accounts.set_balance(CALLER, 10**18)
    accounts.lock_changes()
    hashes = {number: bytes([number]) * 32 for number in range(90, 100)}
    context = EvmContext(b"\xee" * 20, 1_700_000_000, 100, b"\x77" * 32, 30_000_000, 901, 7, 3, hashes.get)
    context.tracing = None if tracer is None else Tracing(tracer)
    context.programs = program.PROGRAMS if programs is None else programs
    state = rules.state_class(accounts, context)
    accounts.mark_address_warm(SELF)
    message = Message(gas, SELF, CALLER, value, data, codes[SELF], is_static=static)
    blobs = (b"\1" + bytes(31),)
    return state.computation_class.apply_message(state, message, TransactionContext(CALLER, 9, blobs)), accounts


def outcome(computation: Any, accounts: AccountDatabase) -> dict[str, Any]:
    changes = accounts.changes()
    return {
        "failed": computation.is_error,
        "reverted": computation.is_error and not computation.should_burn_gas,
        "gas": computation.get_gas_remaining(),
        "refund": computation.get_gas_refund(),
        "output": bytes(computation.output),
        "logs": computation.get_log_entries(),
        "accounts": changes.accounts,
        "storage": changes.storage,
        "codes": changes.codes,
        "warm": tuple(map(set, accounts.warm_set())),
        "deleted": set(computation.get_accounts_for_deletion()),
    }


def both(seed: int, fork: Fork | None) -> dict[str, Any]:
    random = Random(seed)
    writer = Writer(random)
    codes = {SELF: writer.program(), OTHER: writer.program()}
    gas = random.choice((random.randrange(100), random.randrange(3_000), random.randrange(30_000), *(100_000,) * 3))
    data = random.randbytes(random.choice((0, 4, 36, 100)))
    value, static = (random.choice((0, 5)), False) if random.random() < 0.8 else (0, True)
    results = []
    for is_on in (True, False):
        with by_py_evm(is_on):
            results.append(outcome(*execute(fork, codes, gas, data, value, static)))
    tracer = Recorder()
    compiled = program.Programs(heat=program.Heat(runs=1, block_runs=1))
    with by_py_evm(False):
        results.append(outcome(*execute(fork, codes, gas, data, value, static, tracer)))
        for _ in range(2):  # the first time compiles what it comes to, and compiles again what it saw run often
            results.append(outcome(*execute(fork, codes, gas, data, value, static, programs=compiled)))
    for result in results[1:]:
        assert result == results[0], f"{codes[SELF].hex()} calls {codes[OTHER].hex()}"
    assert not tracer.depths
    assert tracer.logs >= len(results[0]["logs"])
    return results[0]


FORKS = [None, Fork.REGOLITH, Fork.CANYON, Fork.ECOTONE, Fork.JOVIAN]
SETTINGS: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


@settings(max_examples=120, **SETTINGS)
@example(seed=1, fork=None)
@given(seed=st.integers(0, 2**63), fork=st.sampled_from(FORKS))
def test_random_programs_end_the_same(seed: int, fork: Fork | None) -> None:
    both(seed, fork)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_random_programs_end_the_same() -> None:
    for seed in range(20_000):
        both(seed, FORKS[seed % len(FORKS)])


def test_random_programs_end_in_every_way() -> None:
    ends: Counter[str] = Counter()
    for seed in range(300):
        result = both(seed, Fork.JOVIAN)
        ends["reverted" if result["reverted"] else "failed" if result["failed"] else "succeeded"] += 1
        ends["logs"] += bool(result["logs"])
        ends["storage"] += result["storage"].get(SELF) != {1: 1, 2: 2, 3: 3}
        ends["output"] += bool(result["output"])
    assert min(ends[name] for name in ("reverted", "failed", "succeeded", "logs", "storage", "output")) >= 5, ends


@pytest.mark.parametrize("gas_slice", [0, 1, 7, 100])
def test_programs_that_are_interrupted_all_the_time_end_the_same(monkeypatch, gas_slice: int) -> None:
    """Check points within frames must not show: neither in the gas that GAS and calls see nor in the end."""
    asked = []
    monkeypatch.setattr(frame, "GAS_SLICE", gas_slice)
    monkeypatch.setattr(EvmContext.__init__, "__defaults__", _with_check(lambda: asked.append(1)))
    for seed in range(60):
        both(seed, FORKS[seed % len(FORKS)])
    assert len(asked) > 300


def _with_check(check: Any) -> tuple[Any, ...]:
    defaults = EvmContext.__init__.__defaults__
    assert defaults is not None
    return tuple(check if value is pause else value for value in defaults)


@pytest.mark.parametrize("code", ["5b600056", "5b5b5b5b5b5b5b5b5b5b600056", "5b600060002050600056"])
def test_a_long_frame_is_asked_every_slice_of_gas(code: str) -> None:
    asked = []
    context = EvmContext(bytes(20), 0, 1, bytes(32), 10**9, 901, 7, 3, lambda _: None)
    context.check_interrupt = lambda: asked.append(1)
    accounts = AccountDatabase(TrieReader({}, {}, EMPTY_TRIE_ROOT))
    state = l2_rules(Fork.JOVIAN, False).state_class(accounts, context)
    message = Message(10 * frame.GAS_SLICE, SELF, CALLER, 0, b"", bytes.fromhex(code))
    state.computation_class.apply_message(state, message, TransactionContext(CALLER, 9))
    assert 10 <= len(asked) <= 11


@pytest.mark.parametrize("opcode", ["fa", "f1"])
def test_a_loop_of_calls_keeps_no_frames(opcode: str) -> None:
    """Each call is one frame: what it did is kept, the frame is not."""
    value = "6000" if opcode == "f1" else ""
    code = bytes.fromhex(f"5b6000600060006000{value}60045a{opcode}50600056")  # calls of the identity precompile
    tracemalloc.start()
    computation, _ = execute(Fork.JOVIAN, {SELF: code, OTHER: b""}, 300_000, b"", 0, False)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert computation.get_gas_remaining() == 0
    assert not computation.children
    assert taken < 300_000


def test_programs_are_kept_by_weight() -> None:
    programs = program.Programs(heaviest=1_000_000)
    for number in range(100):
        run_once(programs, b"\x5b" * 1_000 + number.to_bytes(2, "big"))
    assert programs.weight <= 1_000_000 + 400_000
    assert 1 <= len(programs) <= 5


@pytest.mark.parametrize("heat", [program.HEAT, program.Heat(runs=1, block_runs=1)])
def test_a_kept_program_weighs_at_least_what_it_takes(heat: program.Heat) -> None:
    for piece in (
        b"\x5b",
        b"\x5f\x50",
        b"\x60\x01\x50",
        b"\x7f" + b"\xff" * 32 + b"\x50",
        b"\x5a\x50",
        b"\x5f\x54\x50",
    ):
        programs = program.Programs(heat=heat)
        run_once(program.Programs(heat=heat), piece)  # what is loaded once
        tracemalloc.start()
        run_once(programs, piece * 2_000)
        taken = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert programs.weight >= taken * 0.9


def run_once(programs: program.Programs, code: bytes) -> None:
    context = EvmContext(bytes(20), 0, 1, bytes(32), 10**9, 901, 7, 3, lambda _: None, programs=programs)
    accounts = AccountDatabase(TrieReader({}, {}, EMPTY_TRIE_ROOT))
    state = l2_rules(Fork.JOVIAN, False).state_class(accounts, context)
    message = Message(10**6, SELF, CALLER, 0, b"", code)
    state.computation_class.apply_message(state, message, TransactionContext(CALLER, 9))


@given(st.binary(max_size=400))
@settings(max_examples=300, **SETTINGS)
def test_jump_destinations_are_those_of_py_evm(code: bytes) -> None:
    pushes = bytes(0x5B if byte % 3 == 0 else 0x60 + byte % 32 if byte % 3 == 1 else byte for byte in code)
    code_read = program.Program(pushes, (), program.Weight())
    stream = CodeStream(pushes)
    positions = range(len(pushes) + 2)
    expected = [place for place in positions if stream.is_valid_opcode(place) and pushes[place] == 0x5B]
    assert [place for place in reversed(positions) if code_read.is_jump_destination(place)] == expected[::-1]


@given(st.binary(max_size=120), st.integers(0, 100_000))
@settings(max_examples=300, **SETTINGS)
def test_random_bytes_end_the_same(code: bytes, gas: int) -> None:
    results = []
    for is_on in (True, False):
        with by_py_evm(is_on):
            results.append(outcome(*execute(Fork.JOVIAN, {SELF: code, OTHER: b""}, gas, b"\1\2\3", 0, False)))
    assert results[0] == results[1]
