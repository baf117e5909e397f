"""A15 and exact gas: storage gas is the twin's, all of it is what the schedule says, and never more than the twin's."""

from collections.abc import Callable

import pytest

from attribution_precompile import ADDRESS, METHODS, gas

from . import bytecode
from .gas_trace import tracing
from .harness import CONTRACT, MODES, NATIVE
from .scene import VALID, build

NAMES = [method.name for method in METHODS]

# Gas of the scene's calls in mode native, with everything cold, before refunds; no transaction's own 21,000.
EXACT = {
    "setPlatform": 8_980,
    "platform": 4_215,
    "version": 9,
    "createDatanet": 53_113,
    "contribute": 62_806,
    "setUnits": 40_604,
    "transferCurator": 9_035,
    "datanet": 6_369,
    "member": 6_450,
    "registerModel": 122_020,
    "setPrice": 14_065,
    "setAttributor": 10_760,
    "transferModel": 9_035,
    "recordTraining": 33_444,
    "model": 10_602,
    "usage": 8_469,
    "quote": 4_269,
    "infer": 47_160,
    "inferCompact": 56_762,
    "inferAttested": 117_034,
    "inferBatch": 91_586,
    "request": 78_254,
    "settle": 125_238,
    "cancel": 32_777,
    "job": 6_372,
    "nonces": 2_157,
    "harvest": 33_788,
    "claim": 50_557,
    "claimFor": 50_557,
    "claimable": 8_691,
}

# The same, refunds (EIP-3529).
# The lock goes back to what it was; the attributor was all there was in its slot.
REFUND = {"claim": 2_800, "claimFor": 2_800, "setAttributor": 4_800}


@pytest.mark.parametrize("name", NAMES)
def test_exact_gas(name: str) -> None:
    call = VALID[name]
    result = build(NATIVE).call(call.data, caller=call.caller, value=call.value)
    assert result.success
    assert result.gas == EXACT[name]


@pytest.mark.parametrize("name", NAMES)
def test_gas_is_the_sum_of_the_schedule(name: str) -> None:
    """Recomputed from what the call did: words in and out, slots by warmth and change, log bytes, hashes."""
    call = VALID[name]
    evm = build(NATIVE)
    before = build(NATIVE)
    with tracing(NATIVE) as trace:
        result = evm.call(call.data, caller=call.caller, value=call.value)
    words_in, words_out = (len(call.data) + 31) // 32, len(result.output) // 32
    hashing = trace.compute - gas.INPUT_WORD * words_in - gas.OUTPUT_WORD * words_out
    assert hashing >= 0
    assert (hashing - gas.ECRECOVER * (name == "inferAttested")) % 6 == 0
    log = sum(375 + 375 * len(topics) + 8 * len(data) for _, topics, data in result.logs)
    assert trace.log == log
    assert result.gas == trace.compute + trace.storage + log + trace.pay
    assert (trace.sload, trace.sstore, result.refund) == storage_gas(trace.accesses, before.storage)


def storage_gas(accesses: list[tuple[int, int | None]], original: Callable[[int], int]) -> tuple[int, int, int]:
    """SLOAD gas, SSTORE gas and refund by the text of EIP-2929, EIP-2200 and EIP-3529, all slots cold at first."""
    warm: set[int] = set()
    current: dict[int, int] = {}
    sload = sstore = refund = 0
    for slot, value in accesses:
        cold = 0 if slot in warm else 2_100
        warm.add(slot)
        if value is None:
            sload += cold or 100
            continue
        first, now = original(slot), current.get(slot, original(slot))
        sstore += cold
        if now == value:
            sstore += 100
        elif first == now:
            sstore += 2_900 if first else 20_000
            refund += 4_800 if first and not value else 0
        else:
            sstore += 100
            if first:
                refund += 4_800 * (not value) - 4_800 * (not now)
            if first == value:
                refund += 2_800 if first else 19_900
        current[slot] = value
    return sload, sstore, refund


@pytest.mark.parametrize("name", NAMES)
def test_a15_storage_gas_and_refunds_equal_the_twins(name: str) -> None:
    """The same slots as often, cold; and again, warm and dirty, by a second call in one transaction."""
    call = VALID[name]
    seen = []
    for mode in MODES:
        evm = build(mode)
        with tracing(mode) as cold:
            first = evm.call(call.data, caller=call.caller, value=call.value)
        twice = build(mode)
        twice.deploy(call.caller, bytecode.script([(ADDRESS, call.value, call.data)] * 2))
        with tracing(mode) as warm:
            both = twice.call(b"", caller=1, to=call.caller, gas=30_000_000)
        assert first.success
        seen.append(
            (
                cold.sload,
                cold.sstore,
                sorted(cold.reads),
                sorted(cold.writes),
                first.refund,
                both.success,
                warm.sload if both.success else 0,
                warm.sstore if both.success else 0,
                both.refund,
            )
        )
        assert first.refund == REFUND.get(name, 0)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("name", NAMES)
def test_native_costs_no_more_than_the_twin(name: str) -> None:
    call = VALID[name]
    native, contract = (build(m).call(call.data, caller=call.caller, value=call.value) for m in (NATIVE, CONTRACT))
    assert native.gas < contract.gas


@pytest.mark.parametrize("trailing", [32, 1_024, 8_192, 100_000])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "inferCompact"])
def test_native_costs_no_more_than_the_twin_with_trailing_calldata(name: str, trailing: int) -> None:
    """Every word of calldata is charged natively, used or not; so it is by the twin."""
    call = VALID[name]
    data = call.data + b"\xff" * trailing
    native, contract = (build(m).call(data, caller=call.caller, value=call.value) for m in (NATIVE, CONTRACT))
    assert native.success
    assert native.gas < contract.gas


@pytest.mark.parametrize("name", NAMES)
def test_an_access_list_makes_slots_warm(name: str) -> None:
    """Warmth is per (address, slot), the transaction's: a slot named in its access list costs 2,000 less."""
    call = VALID[name]
    evm = build(NATIVE)
    with tracing(NATIVE) as trace:
        cold = evm.call(call.data, caller=call.caller, value=call.value)
    slots = set(trace.reads) | set(trace.writes)

    def warm_up(state: object) -> None:
        for slot in slots:
            state.mark_storage_warm(ADDRESS.to_bytes(20, "big"), slot)  # type: ignore[attr-defined]

    listed = build(NATIVE).call(call.data, caller=call.caller, value=call.value, before=warm_up)
    only_written = set(trace.writes) - set(trace.reads)
    read_first = len(slots) - len(only_written)
    assert cold.gas - listed.gas == 2_000 * read_first + 2_100 * len(only_written)
