"""Scenarios 1 and 19 with inferences: paid on L2, credited in the same transaction, derived equal from L1."""

import pytest
from eth_abi import encode

from attribution_precompile import ADDRESS_BYTES
from rollup.protocol.primitives import keccak256
from tests.scenarios.actors import World

FEE = 10**15


def call(user, signature, arguments, value=0):
    """A transaction to the attribution account; the signature is Solidity's."""
    types = _split(signature[signature.index("(") + 1 : -1])
    data = keccak256(signature.encode())[:4] + encode(types, arguments)
    return user.sends(ADDRESS_BYTES, value, data, gas=1_000_000)


def _split(types):
    """Comma-separated Solidity types, tuples kept whole."""
    found, depth = [""], 0
    for character in types:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return found


@pytest.mark.parametrize("mode", ["native", "contract"])
def test_inferences_are_credited_claimed_and_derived_equal(mode):
    world = World(attribution=mode)
    curator, alice, bob, *payers = world.users[:8]
    sent = [
        call(curator, "createDatanet(bytes32)", [bytes(32)]),
        call(
            curator,
            "contribute(uint64,(address,uint96,bytes32)[])",
            [1, [(alice.address, 30, b"\x01" * 32), (bob.address, 70, b"\x02" * 32)]],
        ),
        call(
            curator,
            "registerModel((bytes32,uint64,address,(uint96,uint96,uint96),(uint16,uint16,uint16),(uint64,uint32)[]))",
            [(bytes(32), 0, bytes(20), (FEE, 0, 0), (1_000, 0, 9_000), [(1, 1)])],
        ),
    ]
    world.run_epochs()
    for number in range(50):
        payer = payers[number % len(payers)]
        sent.append(call(payer, "infer(uint64,uint32,uint32,bytes32,bytes32)", [1, 10, 20, bytes(32), bytes(32)], FEE))
        if number % 10 == 9:
            world.run_epochs()
    assert world.sequencer.balance(ADDRESS_BYTES) == 50 * FEE
    sent += [call(user, "claim(uint64[],address)", [[1], user.address]) for user in (alice, bob)]
    world.run_epochs(2)
    world.batcher.post()
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=world.sequencer.chain.head.number)
    assert all(verifier.receipt(tx_hash).status == 1 for tx_hash in sent)
    # 5 % to the platform; of the rest 10 % to the model's owner, 90 % to the data: 30 and 70 parts of 100.
    platform = 50 * FEE * 5 // 100
    data = (50 * FEE - platform) * 9 // 10
    # Platform and owner have not claimed; the data's share is gone, to the wei.
    assert verifier.balance(ADDRESS_BYTES) == 50 * FEE - data
