"""Block contexts: overrides bring their rules along, and every value of a SystemConfig gives a base fee."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollup.execution.block_context import BlockOverrides, rules_at
from rollup.execution.calls import CallRequest, call
from rollup.protocol.fees import next_base_fee
from rollup.protocol.forks import Fork
from rollup.rpc.eth_calls import block_overrides
from tests.execution.blocks import TIME, Layer

BLS12_G1ADD = (0x0B).to_bytes(20, "big")  # from Isthmus
NUMBER_AND_TIME = bytes.fromhex("43600052426020524160405260606000f3")  # NUMBER, TIMESTAMP, COINBASE


@pytest.mark.parametrize("fork", [fork for fork in Fork if fork > Fork.BEDROCK], ids=lambda fork: fork.name.lower())
def test_another_time_has_the_rules_of_that_time(fork: Fork):
    layer = Layer.activating(fork)
    context = replace(layer.builder().context, timestamp=TIME)
    assert context.rules == rules_at(layer.config, TIME)
    assert context.rules.fork < fork or fork == Fork.DELTA  # execution does not know Delta
    later = context.overridden(BlockOverrides(timestamp=TIME + 2))
    assert later.rules == rules_at(layer.config, TIME + 2)
    assert later.rules.fork == layer.config.fork_at(TIME + 2) >= fork
    assert context.timestamp == TIME, "an override changed the context that it was given"


def test_a_precompile_of_a_later_fork_is_there_at_a_later_time():
    layer = Layer.activating(Fork.ISTHMUS)
    context = replace(layer.builder().context, timestamp=TIME)
    state, request = layer.chain.state_at(layer.chain.head.hash), CallRequest(to=BLS12_G1ADD, data=bytes(256))
    assert call(context, state, request, lambda number: None).output == b""
    later = context.overridden(block_overrides({"time": hex(TIME + 1_000_000)}))
    assert call(later, state, request, lambda number: None).output == bytes(128)


def test_a_context_changes_by_its_overrides_only():
    layer = Layer.at(Fork.JOVIAN)
    context = layer.builder().context
    overrides = block_overrides(
        {
            "number": "0x0", "time": "0x7", "gasLimit": "0x8", "baseFeePerGas": "0x9",
            "feeRecipient": "0x" + "11" * 20, "prevRandao": "0x" + "22" * 32, "blobBaseFee": "0xa",
        }
    )  # fmt: skip
    assert all(getattr(overrides, field.name) is not None for field in fields(overrides))
    other = context.overridden(overrides)
    changed = {field.name for field in fields(context) if getattr(context, field.name) != getattr(other, field.name)}
    assert changed == {field.name for field in fields(overrides)}
    for field in fields(overrides):
        assert getattr(other, field.name) == getattr(overrides, field.name)
    assert context.overridden(BlockOverrides()) == context
    with pytest.raises(FrozenInstanceError):
        context.timestamp = 1  # type: ignore[misc]
    output = call(other, layer.chain.state_at(layer.chain.head.hash), CallRequest(data=NUMBER_AND_TIME), lambda _: None)
    assert output.output == bytes(63) + b"\7" + bytes(12) + b"\x11" * 20


UINT64 = st.integers(0, 2**64 - 1)


@settings(max_examples=300)
@given(UINT64, st.integers(0, 2**256 - 1), UINT64, st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1), UINT64)
@example(60_000_000, 10**9, 46_000, 2**32 - 1, 1, 0)
@example(1, 2**256 - 1, 2**64 - 1, 2**32 - 1, 1, 0)
def test_every_system_config_gives_a_base_fee(gas_limit, base_fee, gas, elasticity, denominator, minimum):
    """SystemConfig's owner may set any of these (specs holocene/system-config.md, jovian/system-config.md)."""
    fee = next_base_fee(base_fee, gas, gas_limit, elasticity, denominator, minimum)
    assert minimum <= fee < 2**256
