"""A18 on a real chain: attribution begins after genesis, in one block, for the sequencer and for derivation."""

from dataclasses import replace

import pytest

from attribution_precompile import ADDRESS_BYTES, RUNTIME_CODE
from attribution_precompile.layout import genesis_storage
from rollup.execution.attribution_activation import DEFAULT_PLATFORM_BPS
from rollup.protocol.accounts import OWNER
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.primitives import keccak256
from sequencer.batcher.config import BatcherConfig
from tests.scenarios.actors import GENESIS_TIME, World

CREATE = keccak256(b"createDatanet(bytes32)")[:4] + bytes(32)
AT = GENESIS_TIME + 20


def account_at(node, number):
    state = node.chain.state_at(node.chain.canonical_hash(number))
    return state.account(ADDRESS_BYTES)


def storage_at(node, number, slots):
    state = node.chain.state_at(node.chain.canonical_hash(number))
    return {slot: state.storage(ADDRESS_BYTES, slot) for slot in slots}


@pytest.mark.parametrize("batch_type", ["singular", "span"])
@pytest.mark.parametrize("mode", ["native", "contract"])
def test_a18_the_block_before_at_and_after_activation(mode, batch_type):
    options = BatcherConfig(da="calldata", batch_type=batch_type, compression="zlib", max_channel_duration=99)
    world = World(batcher=options, attribution=mode, attribution_time=AT)
    user, giver = world.users[:2]
    assert account_at(world.sequencer, 0) is None
    world.l1.mine(3)
    sent = {}
    for number in range(1, 16):
        sent[number] = user.sends(ADDRESS_BYTES, data=CREATE, gas=200_000)
        if number in (3, 10):  # wei sent before activation, which stays; sent at it, which comes back
            sent[-number] = giver.sends(ADDRESS_BYTES, value=7)
        world.sequencer.build()
    world.batcher.post()
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=15)
    at = (AT - GENESIS_TIME) // world.params.l2_block_time
    parameters = genesis_storage(OWNER.address, OWNER.address, DEFAULT_PLATFORM_BPS)
    for node in (world.sequencer, verifier):
        for number in range(1, at):
            receipt = node.receipt(sent[number])
            assert (receipt.status, receipt.logs) == (1, [])
            assert storage_at(node, number, parameters) == dict.fromkeys(parameters, 0)
        # An empty account: a call leaves nothing, wei leaves wei.
        assert account_at(node, 2) is None
        before = account_at(node, at - 1)
        assert (before.nonce, before.balance, before.code_hash) == (0, 7, keccak256(b""))
        for number in range(at, 16):
            receipt = node.receipt(sent[number])
            assert (receipt.status, len(receipt.logs)) == (1, 1)
            account = account_at(node, number)
            assert (account.nonce, account.balance) == (1, 7)
            assert account.code_hash == keccak256(RUNTIME_CODE)
            assert storage_at(node, number, parameters) == parameters
        assert node.receipt(sent[-3]).status == 1
        assert node.receipt(sent[-10]).status == 0


def test_a18_a_chain_that_activates_later_holds_what_one_from_genesis_holds():
    later = World(attribution_time=GENESIS_TIME + 1)
    genesis = World()
    for world in (later, genesis):
        world.l1.mine()
        world.sequencer.build()
    assert account_at(later.sequencer, 1) == account_at(genesis.sequencer, 1)
    assert account_at(later.sequencer, 0) is None


@pytest.mark.parametrize("time", [GENESIS_TIME - 1, GENESIS_TIME])
def test_a18_a_time_not_after_genesis_is_genesis(time):
    world, plain = World(attribution_time=time), World()
    assert world.devnet.l2.header.hash == plain.devnet.l2.header.hash
    assert world.devnet.l2.file.attribution == {"mode": "native", "time": time}
    world.l1.mine()
    plain.l1.mine()
    assert world.sequencer.build(2).hash == plain.sequencer.build(2).hash


def test_a18_a_block_that_skips_the_rule_is_refused():
    """A validator with the time in its config does not take the block of a builder that has another."""
    builder, validator = World(attribution_time=AT), World(attribution_time=AT + 2)
    for world in (builder, validator):
        world.l1.mine(3)
    block = builder.sequencer.build(10)
    for number in range(1, 10):
        earlier = builder.sequencer.chain.block_by_number(number)
        assert validator.sequencer.engine.new_payload(earlier).status == "VALID"
    status = validator.sequencer.engine.new_payload(block)
    assert status.status == "INVALID"
    assert "state_root" in status.validation_error


def test_a18_in_the_block_of_a_fork_and_across_a_reorg():
    """Activation together with a fork; and once more after L1 has dropped the blocks it was in."""
    forks = replace(ForkSchedule.all_at(Fork.HOLOCENE), isthmus=AT)
    world = World(forks=forks, attribution_time=AT)
    user = world.users[0]
    world.l1.mine(2)
    world.sequencer.build_to_l1_head()
    sent = user.sends(ADDRESS_BYTES, data=CREATE, gas=200_000)
    world.sequencer.build(2)
    world.batcher.post()
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=world.sequencer.chain.head.number)
    assert len(verifier.receipt(sent).logs) == 1
    before = world.sequencer.hashes()
    world.l1.reorg(4, [[]] * 5)
    verifier.derive()
    assert verifier.safe.number == 0
    assert account_at(verifier, 0) is None
    for _ in range(6):
        world.run_epochs()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=verifier.safe.number)
    at = (AT - GENESIS_TIME) // world.params.l2_block_time
    assert world.sequencer.hashes()[at] != before[at]
    for node in (verifier, world.sequencer):
        assert account_at(node, at - 1) is None
        assert account_at(node, at).nonce == 1
