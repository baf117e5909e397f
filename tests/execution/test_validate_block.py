"""A block with any header field other than it must be is refused by that field, on L1 and on every fork."""

from typing import Any

import pytest

from rollup.execution.errors import InvalidBlock
from rollup.protocol.block import Block
from rollup.protocol.forks import Fork
from rollup.protocol.header import Header
from tests.execution.blocks import Layer, changed

LAYERS = [None, *(fork for fork in Fork if fork <= Fork.JOVIAN)]
# The builder of a block chooses these, and an L2's gas limit; parent, number and timestamp are the engine's to check.
FREE = {"coinbase", "prev_randao", "parent_hash", "number", "timestamp", "gas_limit", "parent_beacon_block_root"}


def name(fork: Fork | None) -> str:
    return "l1" if fork is None else fork.name.lower()


@pytest.fixture(params=LAYERS, ids=name)
def layer(request: pytest.FixtureRequest) -> Layer:
    return Layer.at(request.param)


def other(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    return bytes((value[0] ^ 1,)) + value[1:] if value else b"\1"


def test_a_built_block_is_valid(layer: Layer) -> None:
    sealed = layer.build(layer.transfers(3))
    assert layer.validate(sealed.executed.block) == sealed


def test_a_field_that_differs_is_refused(layer: Layer) -> None:
    block = layer.build(layer.transfers(2)).executed.block
    checked = 0
    for field in Header.__slots__:
        value = getattr(block.header, field)
        if field in FREE or value is None or (field == "extra_data" and is_free_extra_data(layer)):
            continue
        with pytest.raises(InvalidBlock) as refusal:
            layer.validate(changed(block, **{field: other(value)}))
        assert refusal.value.field == field
        assert str(refusal.value)
        checked += 1
    assert checked >= 9


def is_free_extra_data(layer: Layer) -> bool:
    """On L1 up to 32 bytes; from Holocene other parameters are another valid block's."""
    return layer.fork is None or layer.fork >= Fork.HOLOCENE


def test_transactions_that_are_not_the_header_s_are_refused(layer: Layer) -> None:
    block = layer.build(layer.transfers(2)).executed.block
    for transactions in (
        block.transactions[:-1],
        [*block.transactions, block.transactions[-1]],
        block.transactions[:1],
    ):
        with pytest.raises(InvalidBlock):
            layer.validate(Block(block.header, transactions))


@pytest.mark.parametrize("fork", [fork for fork in Fork if fork < Fork.HOLOCENE], ids=name)
def test_extra_data_before_holocene_is_refused(fork: Fork) -> None:
    # spec: fees.extra-data-before-holocene
    layer = Layer.at(fork)
    block = layer.build([]).executed.block
    with pytest.raises(InvalidBlock, match="extra_data"):
        layer.validate(changed(block, extra_data=b"op"))


@pytest.mark.parametrize("fork", [Fork.HOLOCENE, Fork.ISTHMUS, Fork.JOVIAN], ids=name)
def test_extra_data_of_another_form_is_refused(fork: Fork) -> None:
    # spec: jovian.extra-data
    layer = Layer.at(fork)
    block = layer.build([]).executed.block
    right = block.header.extra_data
    zero_elasticity = right[:5] + bytes(4) + right[9:]
    for wrong in (b"", right[:-1], right + b"\0", b"\2" + right[1:], right[:1] + bytes(8) + right[9:], zero_elasticity):
        with pytest.raises(InvalidBlock, match="extra_data"):
            layer.validate(changed(block, extra_data=wrong))


@pytest.mark.parametrize("step", [-60_000_000 // 1024, 60_000_000 // 1024, -59_999_999])
def test_l1_s_gas_limit_goes_in_small_steps(step: int) -> None:
    layer = Layer.at(None)
    with pytest.raises(InvalidBlock, match="gas_limit"):
        layer.validate(layer.build([], gas_limit=60_000_000 + step).executed.block)


@pytest.mark.parametrize("step", [-60_000_000 // 1024 + 2, 60_000_000 // 1024 - 1, 0])
def test_l1_s_gas_limit_may_take_a_small_step(step: int) -> None:
    layer = Layer.at(None)
    sealed = layer.build([], gas_limit=60_000_000 + step)
    assert layer.validate(sealed.executed.block) == sealed


def test_l1_s_extra_data_has_at_most_32_bytes() -> None:
    layer = Layer.at(None)
    block = layer.build([]).executed.block
    assert layer.validate(changed(block, extra_data=b"\1" * 32)).executed.block.header.extra_data == b"\1" * 32
    with pytest.raises(InvalidBlock, match="extra_data"):
        layer.validate(changed(block, extra_data=b"\1" * 33))


@pytest.mark.parametrize("gas_limit", [1_000_000, 30_000_000, 200_000_000])
def test_an_op_chain_s_gas_limit_is_free(gas_limit: int) -> None:
    layer = Layer.at(Fork.JOVIAN)
    sealed = layer.build([], gas_limit=gas_limit + 1_000_000)
    assert layer.validate(sealed.executed.block) == sealed
