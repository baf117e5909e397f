"""A15 and exact gas: storage gas is the twin's, all of it is what the schedule says, and never more than the twin's."""

from collections.abc import Callable
from typing import Any

import pytest

from attribution_precompile import ADDRESS, ADDRESS_BYTES, METHODS, gas

from . import bytecode
from .gas_by_hand import BILLS
from .gas_trace import tracing
from .harness import CONTRACT, MODES, NATIVE, Evm, Result
from .scene import RECIPIENTS, VALID, build

NAMES = [method.name for method in METHODS]

# Refunds of the scene's calls (EIP-3529).
# The lock goes back to what it was; the attributor was all there was in its slot.
REFUND = {"claim": 2_800, "claimFor": 2_800, "setAttributor": 4_800}


def run_listed(evm: Evm, name: str, slots: set[int]) -> Result:
    """The scene's call in a transaction whose access list has these slots, and the account a payout goes to."""
    call = VALID[name]

    def warm_up(state: Any) -> None:
        for slot in slots:
            state.mark_storage_warm(ADDRESS_BYTES, slot)
        if BILLS[name].created:
            state.mark_address_warm(RECIPIENTS[name].to_bytes(20, "big"))

    return evm.call(call.data, caller=call.caller, value=call.value, before=warm_up)


def touched(name: str) -> tuple[Result, set[int]]:
    """The scene's call with everything cold, and the slots it touched."""
    call = VALID[name]
    evm = build(NATIVE)
    with tracing(NATIVE) as trace:
        result = evm.call(call.data, caller=call.caller, value=call.value)
    return result, {*trace.reads, *trace.writes}


def test_every_method_has_its_bill() -> None:
    assert list(BILLS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_exact_gas_cold_and_warm(name: str) -> None:
    """The gas is exactly the sum of the schedule's entries that was worked out by hand (gas_by_hand.py)."""
    cold, slots = touched(name)
    assert cold.success
    assert cold.gas == BILLS[name].cold
    assert len(slots) == BILLS[name].read + BILLS[name].fresh
    warm = run_listed(build(NATIVE), name, slots)
    assert warm.success
    assert warm.gas == BILLS[name].warm
    assert warm.output == cold.output
    assert warm.logs == cold.logs


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
    """Both touch the same slots as often: cold, and then warm and dirty, by a second call in one transaction."""
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
