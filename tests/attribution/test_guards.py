"""A1 to A5, A18, A19: who may call how, and that a failed call leaves nothing behind."""

from collections.abc import Callable
from random import Random

import pytest
from sha3 import keccak_256

from attribution_precompile import ADDRESS, ADDRESS_BYTES, METHODS, RUNTIME_CODE, explain
from rollup.execution.attribution_host import ComputationHost
from rollup.execution.delegation import DELEGATION_PREFIX

from . import bytecode, calls
from .harness import ADMIN, MODES, NATIVE, Evm, Result
from .scene import CURATOR, PAYER, VALID, build

NAMES = [method.name for method in METHODS]
MUTATORS = [method.name for method in METHODS if method.mutates]
NONPAYABLE = [method.name for method in METHODS if not method.payable]
HELPER, HELPER_2, HELPER_3 = 0xB1, 0xB2, 0xB3


@pytest.fixture(params=MODES)
def evm(request: pytest.FixtureRequest) -> Evm:
    return build(request.param)


def assert_refused(result: Result, reason: str) -> None:
    assert not result.success
    assert explain(result.output) == reason


def test_every_call_of_the_scene_succeeds(evm: Evm) -> None:
    for name, call in VALID.items():
        fresh = build(evm.mode)
        result = fresh.call(call.data, caller=call.caller, value=call.value)
        assert result.success, (name, explain(result.output))


@pytest.mark.parametrize("kind", [bytecode.DELEGATECALL, bytecode.CALLCODE])
def test_a01_delegatecall_and_callcode_are_refused(evm: Evm, kind: int) -> None:
    evm.deploy(HELPER, bytecode.forwarder(kind, ADDRESS))
    root = evm.storage_root()
    for name in NAMES:
        call = VALID[name]
        for value in (0, 1):
            before = evm.balance(PAYER)
            result = evm.call(call.data, caller=PAYER, value=value, to=HELPER)
            assert_refused(result, "DelegateCallNotAllowed()")
            assert result.logs == ()
            assert result.gas < 100_000
            assert evm.balance(PAYER) == before
    assert evm.storage_root() == root


def test_a01_a_delegating_account_is_refused(evm: Evm) -> None:
    """EIP-7702: the code is the precompile's, the storage the account's. From outside and from a contract."""
    evm.deploy(HELPER, DELEGATION_PREFIX + ADDRESS_BYTES)
    evm.deploy(HELPER_2, bytecode.forwarder(bytecode.CALL, HELPER))
    root = evm.storage_root()
    for to in (HELPER, HELPER_2):
        for name in NAMES:
            result = evm.call(VALID[name].data, caller=PAYER, to=to)
            assert_refused(result, "DelegateCallNotAllowed()")
    assert evm.storage_root() == root


@pytest.mark.parametrize("nested", [False, True])
def test_a02_staticcall_to_a_mutator_is_refused(evm: Evm, nested: bool) -> None:
    if nested:
        evm.deploy(HELPER, bytecode.forwarder(bytecode.STATICCALL, HELPER_2))
        evm.deploy(HELPER_2, bytecode.forwarder(bytecode.CALL, HELPER_3))
        evm.deploy(HELPER_3, bytecode.forwarder(bytecode.CALL, ADDRESS))
    else:
        evm.deploy(HELPER, bytecode.forwarder(bytecode.STATICCALL, ADDRESS))
    root = evm.storage_root()
    for name in MUTATORS:
        result = evm.call(VALID[name].data, caller=PAYER, to=HELPER)
        assert not result.success, name
        assert result.logs == ()
        if evm.mode == NATIVE:
            assert explain(result.output) == "StaticCallNotAllowed()", name
        elif name in ("infer", "inferCompact", "inferAttested", "inferBatch"):
            # Without value a fee is too low, or the caller wrong, before the EVM has anything to halt.
            assert result.output[:4] != b"", name
    assert evm.storage_root() == root


@pytest.mark.parametrize("name", [name for name in NAMES if name not in MUTATORS])
def test_a02_a_view_answers_in_a_static_frame(evm: Evm, name: str) -> None:
    evm.deploy(HELPER, bytecode.forwarder(bytecode.STATICCALL, ADDRESS))
    direct = evm.call(VALID[name].data, caller=PAYER)
    through = evm.call(VALID[name].data, caller=PAYER, to=HELPER)
    assert direct.success
    assert through.success
    assert through.output == direct.output


def test_a03_value_where_none_is_taken_comes_back(evm: Evm) -> None:
    root, mine, held = evm.storage_root(), evm.balance(PAYER), evm.balance(ADDRESS)
    for name in NONPAYABLE:
        assert_refused(evm.call(VALID[name].data, caller=PAYER, value=1), "NonPayable()")
    # Before decoding: the arguments are missing.
    assert_refused(evm.call(calls.METHOD["setUnits"].selector, caller=PAYER, value=1), "NonPayable()")
    for data in (b"", b"\x00", b"\x12\x34\x56", b"\xff\xff\xff\xff", b"\xff\xff\xff\xff" + bytes(64)):
        for value in (0, 1):
            result = evm.call(data, caller=PAYER, value=value)
            assert_refused(result, f"UnknownFunctionSelector(0x{data[:4].ljust(4, bytes(1)).hex()})")
    for name in NAMES:
        short = evm.call(calls.METHOD[name].selector[:3], caller=PAYER)
        padded = (calls.METHOD[name].selector[:3] + b"\0").hex()
        assert_refused(short, f"UnknownFunctionSelector(0x{padded})")
    assert (evm.storage_root(), evm.balance(PAYER), evm.balance(ADDRESS)) == (root, mine, held)


DEEP = ("infer", "contribute", "inferBatch", "request", "setUnits", "claimFor")


@pytest.mark.parametrize("name", MUTATORS)
def test_a04_what_reverts_above_is_undone(evm: Evm, name: str) -> None:
    """A try whose inside reverts at depth 1 to 10 is as if it had not been, down to gas and refunds."""
    call = VALID[name]

    def run(inner: int, chain: int) -> tuple[Result, bytes, int]:
        fresh = build(evm.mode)
        fresh.deploy(0xE000, bytecode.reverting_forwarder(ADDRESS))
        for depth in range(1, chain):
            fresh.deploy(0xE000 + depth, bytecode.forwarder(bytecode.CALL, 0xE000 + depth - 1))
        fresh.deploy(call.caller, bytecode.measured(inner, ADDRESS))
        fresh.fund(call.caller)
        fresh.fund(0xF00D)
        result = fresh.call(call.data, caller=0xF00D, value=call.value, to=call.caller, gas=30_000_000)
        return result, fresh.storage_root(), fresh.balance(ADDRESS)

    plain, root, held = run(0xDEAD, 0)
    assert plain.success
    # Their own, and how much gas the call took; a harvest logs nothing.
    assert len(plain.logs) > (name != "harvest")
    for depth in range(1, 11) if name in DEEP else (1, 10):
        tried, tried_root, tried_held = run(0xE000 + depth - 1, depth)
        assert tried.success
        # The last log is the gas the surviving call took: ADDRESS itself was warmed by the inner call's frame,
        # which reverted, so even that is cold again.
        assert tried.logs == plain.logs
        assert tried.refund == plain.refund
        assert (tried_root, tried_held) == (root, held)


def snapshot(evm: Evm) -> tuple[bytes, int, int]:
    return evm.storage_root(), evm.balance(ADDRESS), evm.balance(PAYER)


def assert_all_or_nothing(mode: str, name: str, limits: Callable[[int], list[int]]) -> None:
    call = VALID[name]
    full = build(mode).call(call.data, caller=call.caller, value=call.value, gas=10_000_000)
    evm = build(mode)
    before = snapshot(evm)
    for gas in limits(full.gas):
        result = evm.call(call.data, caller=call.caller, value=call.value, gas=gas)
        if result.success:
            assert (result.output, result.logs, result.gas) == (full.output, full.logs, full.gas)
            evm = build(mode)
        else:
            assert result.gas == gas, "out of gas is out of gas, never a decoded error"
            assert result.output == b""
            assert result.logs == ()
            assert snapshot(evm) == before
    # SSTORE wants 2,300 gas to be left, the call 2,300 for the stipend: enough is enough.
    assert build(mode).call(call.data, caller=call.caller, value=call.value, gas=full.gas + 2_301).success
    assert not build(mode).call(call.data, caller=call.caller, value=call.value, gas=full.gas - 1).success


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_a05_full_effect_or_none_at_sampled_gas_limits(mode: str, name: str) -> None:
    random = Random(name)
    count = 40 if mode == NATIVE else 10
    assert_all_or_nothing(mode, name, lambda cost: sorted(random.sample(range(cost), min(cost, count))))


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("name", NAMES)
def test_a05_full_effect_or_none_at_every_gas_limit(name: str) -> None:
    assert_all_or_nothing(NATIVE, name, lambda cost: list(range(cost)))


@pytest.mark.parametrize("name", NAMES)
def test_a05_full_effect_or_none_at_every_charge(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs each call with exactly the gas up to a charge, and with one less: a call changes all or nothing."""
    call = VALID[name]
    evm = build(NATIVE)
    marks: set[int] = set()
    for method in ("charge", "mapping", "sload", "sstore", "log", "pay"):
        original = getattr(ComputationHost, method)

        def recording(host: ComputationHost, *args: int, original: Callable[..., object] = original) -> object:
            answer = original(host, *args)
            marks.add(10_000_000 - host._meter.gas_remaining)
            return answer

        monkeypatch.setattr(ComputationHost, method, recording)
    full = evm.call(call.data, caller=call.caller, value=call.value, gas=10_000_000)
    monkeypatch.undo()
    assert len(marks) > (name == "version")
    around = sorted({max(0, mark + near) for mark in marks for near in (-1, 0, 1)} - {full.gas - 1})
    assert_all_or_nothing(NATIVE, name, lambda cost: [gas for gas in around if gas <= cost])


def test_a18_before_activation_the_address_is_an_empty_account() -> None:
    for mode in MODES:
        evm = Evm(mode, active=False)
        evm.fund(PAYER)
        data = calls.call("version")
        before = evm.call(data, caller=PAYER, value=7)
        assert (before.success, before.output, before.gas) == (True, b"", 0)
        assert evm.balance(ADDRESS) == 7
        assert evm.storage(0) == 0
        evm.activate()
        at = evm.call(data, caller=PAYER)
        assert at.output == (1).to_bytes(32, "big")
        platform = calls.result("platform", evm.call(calls.call("platform"), caller=PAYER).output)
        assert platform == (calls.hexed(ADMIN), calls.hexed(0x7EA), 500)
        evm.advance(2)
        created = evm.call(calls.call("createDatanet", bytes(32)), caller=CURATOR)
        assert calls.result("createDatanet", created.output) == 1
        assert evm.balance(ADDRESS) == 7, "wei sent before activation is nobody's, and stays"


def touched_slots(name: str, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    call = VALID[name]
    evm = build(NATIVE)
    slots: set[int] = set()
    original = ComputationHost.sload

    def recording(host: ComputationHost, slot: int) -> int:
        slots.add(slot)
        return original(host, slot)

    with monkeypatch.context() as patch:
        patch.setattr(ComputationHost, "sload", recording)
        assert evm.call(call.data, caller=call.caller, value=call.value).success
    return slots


@pytest.mark.parametrize("name", NAMES)
def test_a19_any_slot_overridden_is_at_worst_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """eth_call's overrides can store words that no calls can. Then, too, a call ends in success or a typed error."""
    call = VALID[name]
    for slot in touched_slots(name, monkeypatch):
        for word in (2**256 - 1, 2**255, 1 << 176, 2**160 - 1, 2**96 - 1):
            ends = []
            for mode in MODES:
                evm = build(mode)
                evm.set_storage({slot: word})
                result = evm.call(call.data, caller=call.caller, value=call.value)
                if not result.success and mode == NATIVE:
                    assert not explain(result.output).startswith("0x"), (name, hex(slot), result.error)
                ends.append((result.success, result.output, result.logs))
            assert ends[0] == ends[1], (name, hex(slot), hex(word))


def _view_of_the_account() -> bytes:
    """Code that answers with EXTCODESIZE, EXTCODEHASH and EXTCODECOPY of the attribution account."""
    at = "73" + ADDRESS_BYTES.hex()  # PUSH20
    copied = f"{at}3b5f6040{at}3c"  # EXTCODESIZE bytes of code, from 0, to memory 64
    return bytes.fromhex(f"{at}3b5f52{at}3f602052{copied}{at}3b6040015ff3")


def test_contracts_see_the_twin_as_code_in_both_modes() -> None:
    """EXTCODESIZE, EXTCODEHASH and EXTCODECOPY agree with the code that the state holds."""
    for mode in MODES:
        evm = build(mode)
        assert evm.state.get_code(ADDRESS_BYTES) == RUNTIME_CODE
        evm.deploy(0x5EE, _view_of_the_account())
        seen = evm.call(b"", caller=PAYER, to=0x5EE)
        assert seen.success
        assert int.from_bytes(seen.output[:32], "big") == len(RUNTIME_CODE)
        assert seen.output[32:64] == keccak_256(RUNTIME_CODE).digest()
        assert seen.output[64:] == RUNTIME_CODE


def test_only_mode_native_runs_the_code_natively(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call costs less natively, and a copy of the code at another address is an ordinary contract there."""
    data = calls.call("version")
    native, contract = (build(mode).call(data, caller=PAYER) for mode in MODES)
    assert native.output == contract.output
    assert native.gas < contract.gas
    evm = build(NATIVE)
    evm.deploy(0xC0B1, RUNTIME_CODE)
    copied = evm.call(data, caller=PAYER, to=0xC0B1)
    assert_refused(copied, "DelegateCallNotAllowed()")


def test_code_put_at_the_address_by_an_override_runs_as_code() -> None:
    """Code from an override runs in the precompile's place, as in geth. Empty code leaves an account without code."""
    for mode in MODES:
        for code, output in ((bytes.fromhex("60075f5260205ff3"), (7).to_bytes(32, "big")), (b"", b"")):
            evm = build(mode)
            evm.state.set_code(ADDRESS_BYTES, code)
            answer = evm.call(calls.call("version"), caller=PAYER)
            assert (answer.success, answer.output) == (True, output)
