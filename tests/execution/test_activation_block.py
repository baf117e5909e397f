"""The first block of a fork (jovian/derivation.md, "Activation Block Rules"): which ones hold deposits only."""

from dataclasses import replace

import pytest

from rollup.execution.block_context import InvalidPayloadAttributes
from rollup.execution.engine import Engine
from rollup.execution.errors import InvalidBlock, InvalidTransaction, Refusal
from rollup.protocol.block import Block
from rollup.protocol.forks import Fork
from rollup.protocol.transaction import Transaction, deposit_transaction
from tests.execution.blocks import TIME, Layer

LATER_FORKS = [fork for fork in Fork if fork > Fork.BEDROCK]


def name(fork: Fork) -> str:
    return fork.name.lower()


def attributes(layer: Layer, *transactions: Transaction):
    encoded = [transaction.encode() for transaction in (layer.deposit(), *transactions)]
    return replace(layer.attributes(60_000_000), transactions=encoded)


def with_transactions(block: Block, *more: Transaction) -> Block:
    """The block with more transactions, under the header of the block without them."""
    return Block(block.header, [*block.transactions, *more])


@pytest.mark.parametrize("fork", LATER_FORKS, ids=name)
def test_derivation_and_engine_agree_on_which_first_blocks_hold_deposits_only(fork: Fork):
    # spec: jovian.first-block-empty, jovian.batch-check
    layer = Layer.activating(fork)
    config = layer.devnet.rollup_config
    engine = Engine(layer.chain, layer.devnet.l2_config)
    head = layer.chain.head.hash
    given = attributes(layer, *layer.transfers(1))
    if config.first_block_is_empty(TIME + 2):
        with pytest.raises(InvalidPayloadAttributes, match="non-deposit transaction in an activation block"):
            engine.forkchoice_updated(head, head, head, given)
    else:
        payload = engine.forkchoice_updated(head, head, head, given).payload_id
        assert len(engine.get_payload(payload).transactions) == 2


@pytest.mark.parametrize("fork", [fork for fork in LATER_FORKS if fork >= Fork.JOVIAN], ids=name)
def test_a_first_block_with_a_users_transaction_is_invalid(fork: Fork):
    # spec: jovian.first-block-empty
    layer = Layer.activating(fork)
    block = layer.build([]).executed.block
    assert block.header.blob_gas_used == 0
    forced = deposit_transaction(
        source_hash=bytes(32), sender=b"\7" * 20, to=b"\7" * 20, mint=None, value=0, gas_limit=50_000, is_system=False,
        data=b"",
    )  # fmt: skip
    for transactions in (layer.transfers(1), [*layer.transfers(1), forced]):
        status = Engine(layer.chain, layer.devnet.l2_config).new_payload(with_transactions(block, *transactions))
        assert status.status == "INVALID"
        assert status.validation_error is not None
        assert "non-deposit transaction in an activation block" in status.validation_error
    assert Engine(layer.chain, layer.devnet.l2_config).new_payload(block).status == "VALID"


@pytest.mark.parametrize("fork", [fork for fork in Fork if fork >= Fork.JOVIAN], ids=name)
def test_a_block_without_the_attributes_of_its_fork_is_invalid(fork: Fork):
    """op-geth's CalcDAFootprint: the first transaction is a deposit whose calldata holds the scalar."""
    # spec: attributes.jovian-first-block, attributes.jovian, deposit.l1-attributes-first
    layer = Layer.at(fork)
    block = layer.build([]).executed.block
    first = block.transactions[0]
    for wrong, problem in (
        ([], "invalid transactions"),
        (layer.transfers(1), "missing deposit transaction"),
        ([replace(first, data=first.data[:-1])], "no DA footprint gas scalar"),
        ([replace(first, data=b"\0" + first.data[1:])], "no DA footprint gas scalar"),
    ):
        with pytest.raises(InvalidBlock, match=problem):
            layer.validate(Block(block.header, wrong))


@pytest.mark.parametrize("fork", [fork for fork in Fork if fork < Fork.JOVIAN], ids=name)
def test_several_forks_may_activate_in_the_first_block_of_jovian(fork: Fork):
    """Its attributes have the form of the fork before, whichever that is."""
    layer = Layer.activating(Fork.KARST, fork)
    assert layer.validate(layer.build([]).executed.block)
    with pytest.raises(InvalidTransaction) as caught:
        layer.build(layer.transfers(1))
    assert caught.value.kind == Refusal.ACTIVATION_BLOCK
