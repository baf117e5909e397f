"""Scenario 13: from L2 back to L1."""

import pytest
from eth_abi import decode, encode

from rollup.l1.contracts import L2_OUTPUT_ORACLE
from rollup.l1.devnet import DevnetParams
from rollup.protocol.accounts import PROPOSER, USERS
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.outputs import output_root
from rollup.protocol.predeploys import L2_TO_L1_MESSAGE_PASSER
from rollup.protocol.primitives import ZERO_HASH, keccak256
from sequencer.proposer import Proposer
from tests.scenarios.actors import ETHER, GENESIS_TIME, World

FRANK = b"\xf4" * 20


def selector(signature):
    return keccak256(signature.encode())[:4]


def make_proposer(world):
    node = world.sequencer
    return Proposer(
        world.config,
        node.chain,
        world.l1.client,
        PROPOSER.private_key,
        L2_OUTPUT_ORACLE,
        proposable_head=lambda: node.safe,
    )


def propose_up_to(world, proposer, number):
    """The node runs until an output at or above this L2 block is on L1."""
    for _ in range(40):
        world.run_epochs()
        for posted in proposer.step():
            if posted.l2_block >= number:
                return posted
    raise AssertionError("no output was proposed")


def test_outputs_are_proposed_at_every_interval_and_equal_what_a_verifier_computes():
    # spec: output.interval
    world = World(submission_interval=10)
    proposer = make_proposer(world)
    posted = [propose_up_to(world, proposer, number) for number in (10, 20)]
    assert [output.l2_block for output in posted] == [10, 20]
    verifier = world.new_verifier()
    verifier.derive()
    for output in posted:
        header = verifier.chain.block_by_number(output.l2_block).header
        assert output.output_root == output_root(header.state_root, header.withdrawals_root, header.hash)
        answer = world.l1.client.call(
            L2_OUTPUT_ORACLE,
            selector("getL2OutputAfter(uint256)") + encode(["uint256"], [output.l2_block]),
        )
        assert decode(["(bytes32,uint128,uint128)"], answer)[0][0] == output.output_root


def test_before_isthmus_a_proposer_keeps_up_with_long_l1_blocks_while_states_are_pruned():
    """Many intervals fit into one L1 block, and an output needs a state that is gone a few L1 blocks later."""
    world = World(submission_interval=5, l1_block_time=60, forks=ForkSchedule.all_at(Fork.HOLOCENE))
    world.sequencer.chain.states.history = 4
    proposer, posted = make_proposer(world), []
    for _ in range(16):
        world.run_epochs()
        posted += [output.l2_block for output in proposer.step()]
    chain = world.sequencer.chain
    assert not chain.has_state(chain.header_by_number(5))
    assert posted == list(range(5, posted[-1] + 1, 5))
    assert posted[-1] >= world.sequencer.safe.number - 3 * 30  # blocks of three L1 blocks


def test_genesis_is_the_oracles_first_output():
    """Who asks an oracle for its latest output before the first proposal gets one (viem's waitToProve does)."""
    # spec: output.start
    world = World(submission_interval=10)
    world.l1.mine()
    ask = world.l1.client.call
    assert int.from_bytes(ask(L2_OUTPUT_ORACLE, selector("latestOutputIndex()")), "big") == 0
    assert int.from_bytes(ask(L2_OUTPUT_ORACLE, selector("latestBlockNumber()")), "big") == 0
    assert int.from_bytes(ask(L2_OUTPUT_ORACLE, selector("nextBlockNumber()")), "big") == 10
    first = ask(L2_OUTPUT_ORACLE, selector("getL2Output(uint256)") + bytes(32))
    header = world.devnet.l2.header
    root = output_root(header.state_root, header.withdrawals_root, header.hash)
    assert decode(["(bytes32,uint128,uint128)"], first)[0] == (root, GENESIS_TIME, 0)


@pytest.mark.parametrize("block_time", [1, 2, 6, 7, 9, 10, 11, 12, 13, 24, 60])
def test_libraries_that_wait_ten_seconds_more_find_a_late_enough_l1_block(block_time):
    """viem: seconds since the proof's block plus the period plus 10. A block a second late is still in time."""
    period = DevnetParams(GENESIS_TIME, l1_block_time=block_time).finalization_seconds()
    head = (period + 10 - 1) // block_time * block_time
    assert head > period
    # A client that asks some seconds after its proof's block still waits, until L1 has a block of that time.
    assert period >= 8


def test_a_withdrawal_is_proven_and_finalized_once():
    world = World(submission_interval=10, finalization_period=12)
    proposer = make_proposer(world)
    alice, portal = world.users[0], world.config.deposit_contract_address
    # The portal must hold what it pays out: someone has deposited it.
    world.users[1].deposits(USERS[1].address, mint=5 * ETHER)
    world.run_epochs(2)
    initiate = selector("initiateWithdrawal(address,uint256,bytes)") + encode(
        ["address", "uint256", "bytes"], [FRANK, 100_000, b""]
    )
    started = alice.sends(L2_TO_L1_MESSAGE_PASSER, ETHER, initiate, gas=300_000)
    world.sequencer.build()
    receipt = world.sequencer.receipt(started)
    assert receipt.status == 1
    (message,) = receipt.logs
    nonce = int.from_bytes(message.topics[1], "big")
    withdrawal = (nonce, alice.address, FRANK, ETHER, 100_000, b"")
    fields = "(uint256,address,address,uint256,uint256,bytes)"
    types = fields.strip("()").split(",")
    withdrawal_hash = keccak256(encode(types, withdrawal))

    output = propose_up_to(world, proposer, world.sequencer.chain.head.number)
    header = world.sequencer.chain.block_by_number(output.l2_block).header
    slot = int.from_bytes(keccak256(withdrawal_hash + bytes(32)), "big")
    proof = world.sequencer.chain.states.prove(header.state_root, L2_TO_L1_MESSAGE_PASSER, [slot])
    index = output.l2_block // 10  # 0 is genesis
    nodes = list(proof.slots[0][2])
    root_proof = (ZERO_HASH, header.state_root, header.withdrawals_root, header.hash)
    prove_types = [fields, "uint256", "(bytes32,bytes32,bytes32,bytes32)", "bytes[]"]
    prove_selector = selector(f"proveWithdrawalTransaction({','.join(prove_types)})")
    finalize = selector(f"finalizeWithdrawalTransaction({fields})") + encode([fields], [withdrawal])

    def on_l1(data):
        tx_hash = alice.sends_on_l1(portal, 0, data)
        world.l1.mine()
        return world.l1.client.receipt(tx_hash).status

    # A forged proof and another's output are refused; the right one is not; paid out after the delay, and once.
    forged = (ZERO_HASH, header.state_root, keccak256(b"forged"), header.hash)
    assert on_l1(prove_selector + encode(prove_types, [withdrawal, index, forged, nodes])) == 0
    assert on_l1(prove_selector + encode(prove_types, [withdrawal, index, root_proof, nodes[:-1]])) == 0
    assert on_l1(finalize) == 0
    assert on_l1(prove_selector + encode(prove_types, [withdrawal, index, root_proof, nodes])) == 1
    world.l1.mine(2)
    assert on_l1(finalize) == 1
    assert world.l1.balance(FRANK) == ETHER
    assert on_l1(finalize) == 0
