"""A withdrawal from its proof to its execution; the output oracle between; everything that must not get through."""

from dataclasses import replace
from typing import Any

import pytest

from rollup.execution.contract_artifact import load_artifact
from rollup.l1.contracts import L2_OUTPUT_ORACLE, OPTIMISM_PORTAL, SUPERCHAIN_CONFIG
from rollup.protocol.accounts import OWNER, PROPOSER
from rollup.protocol.primitives import keccak256, rlp_encode
from tests.contracts.evm import ANYONE, Evm, Reverted, selector, topic
from tests.contracts.l1 import TIME, PasserTrie, Withdrawal, l1, output_root
from tests.vector_files import load

TX = "(uint256,address,address,uint256,uint256,bytes)"
PROVE = f"proveWithdrawalTransaction({TX},uint256,(bytes32,bytes32,bytes32,bytes32),bytes[])"
FINALIZE = f"finalizeWithdrawalTransaction({TX})"
PROPOSE = "proposeL2Output(bytes32,uint256,bytes32,uint256)"
TARGET = bytes.fromhex("7a" * 20)
STATE_ROOT, BLOCK_HASH = b"\x51" * 32, b"\xb1" * 32
INTERVAL, PERIOD = 30, 12
MESSAGE = Withdrawal(1 << 240 | 5, ANYONE, TARGET, 10**18, 100_000, b"\xda\x7a")


class Bridge:
    """An L1 with a funded portal, a message passer trie with neighbours, and an output proposed for it."""

    def __init__(self, message: Withdrawal = MESSAGE, neighbours: int = 40, value: bytes = b"\x01") -> None:
        self.evm = l1(submission_interval=INTERVAL, finalization_period=PERIOD)
        self.evm.call(OPTIMISM_PORTAL, "donateETH()", value=5 * 10**18)
        self.message = message
        self.trie = PasserTrie()
        for number in range(neighbours):
            self.trie.add(keccak256(number.to_bytes(4, "big")))
        self.trie.add(message.slot, value)
        self.evm.set_block(number=10, timestamp=TIME + 120)
        self.propose(output_root(STATE_ROOT, self.trie.root, BLOCK_HASH))

    def propose(self, root: bytes, sender: bytes = PROPOSER.address) -> Any:
        number = self.evm.call(L2_OUTPUT_ORACLE, "nextBlockNumber()(uint256)")
        return self.evm.call(L2_OUTPUT_ORACLE, PROPOSE, root, number, bytes(32), 0, sender=sender)

    @property
    def preimage(self) -> tuple[bytes, bytes, bytes, bytes]:
        return (bytes(32), STATE_ROOT, self.trie.root, BLOCK_HASH)

    def prove(self, message: Withdrawal | None = None, index: int = 0, **changes: Any) -> Any:
        proof = changes.get("proof", self.trie.proof(self.message.slot))
        fields = (message or self.message).fields
        return self.evm.call(OPTIMISM_PORTAL, PROVE, fields, index, changes.get("preimage", self.preimage), proof)

    def wait(self, seconds: int = PERIOD + 1) -> None:
        self.evm.set_block(number=self.evm.number + 1, timestamp=self.evm.timestamp + seconds)

    def finalize(self, **options: Any) -> Any:
        return self.evm.call(OPTIMISM_PORTAL, FINALIZE, self.message.fields, **options)


def refusal(action: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(Reverted) as caught:
        action(*arguments, **options)
    return caught.value.reason


def test_a_withdrawal_is_proven_waits_and_pays() -> None:
    # spec: withdrawal.by-contracts
    bridge = Bridge()
    (log,) = bridge.prove().logs
    parties = [ANYONE.rjust(32, b"\0"), TARGET.rjust(32, b"\0")]
    assert log.topics == [topic("WithdrawalProven(bytes32,address,address)"), bridge.message.hash, *parties]
    proven = bridge.evm.call(
        OPTIMISM_PORTAL, "provenWithdrawals(bytes32)(bytes32,uint128,uint128)", bridge.message.hash
    )
    assert proven == (output_root(STATE_ROOT, bridge.trie.root, BLOCK_HASH), TIME + 120, 0)
    bridge.wait(PERIOD)
    assert refusal(bridge.finalize) == "OptimismPortal: proven withdrawal finalization period has not elapsed"
    bridge.wait(1)
    (log,) = bridge.finalize().logs
    assert log.topics == [topic("WithdrawalFinalized(bytes32,bool)"), bridge.message.hash]
    assert log.data == (1).to_bytes(32, "big")
    assert bridge.evm.balance(TARGET) == 10**18
    assert bridge.evm.call(OPTIMISM_PORTAL, "finalizedWithdrawals(bytes32)(bool)", bridge.message.hash) is True
    assert bridge.evm.call(OPTIMISM_PORTAL, "l2Sender()(address)") == "0x" + "00" * 18 + "dead"
    assert refusal(bridge.finalize) == "OptimismPortal: withdrawal has already been finalized"


def test_the_target_sees_the_l2_sender() -> None:
    bridge = Bridge()
    # Calls l2Sender() of its caller and keeps the answer in slot 0.
    ask = selector("l2Sender()").hex()
    bridge.evm.state.set_code(TARGET, bytes.fromhex(f"63{ask}60e01b6000526020600060046000335afa5060005160005500"))
    bridge.prove()
    bridge.wait()
    (log,) = bridge.finalize().logs
    assert log.data == (1).to_bytes(32, "big")
    assert bridge.evm.storage(TARGET, 0) == int.from_bytes(ANYONE, "big")


def test_a_failing_target_still_uses_the_withdrawal_up() -> None:
    # spec: withdrawal.once
    bridge = Bridge()
    bridge.evm.state.set_code(TARGET, bytes.fromhex("60006000fd"))
    bridge.prove()
    bridge.wait()
    estimation = bytes(19) + b"\x01"
    with pytest.raises(Reverted) as caught:
        bridge.finalize(origin=estimation)
    assert caught.value.data == selector("GasEstimation()")
    (log,) = bridge.finalize().logs
    assert log.data == bytes(32)
    assert bridge.evm.balance(TARGET) == 0
    assert refusal(bridge.finalize) == "OptimismPortal: withdrawal has already been finalized"


def test_too_little_gas_for_the_target_changes_nothing() -> None:
    bridge = Bridge(replace(MESSAGE, gas_limit=1_000_000))
    bridge.prove()
    bridge.wait()
    assert refusal(bridge.finalize, gas=1_050_000) == "SafeCall: Not enough gas"
    assert bridge.finalize(gas=1_200_000).logs[0].data == (1).to_bytes(32, "big")


def test_a_target_cannot_finalize_another_withdrawal_meanwhile() -> None:
    bridge = Bridge()
    bridge.prove()
    bridge.wait()
    bridge.evm.state.set_storage(OPTIMISM_PORTAL, 50, 1)
    with pytest.raises(Reverted) as caught:
        bridge.finalize()
    assert caught.value.data == selector("NonReentrant()")


@pytest.mark.parametrize(
    "changes",
    [{"nonce": 1}, {"sender": TARGET}, {"value": 10**18 + 1}, {"gas_limit": 1}, {"data": b""}, {"target": ANYONE}],
)
def test_another_message_is_not_proven(changes: dict[str, Any]) -> None:
    bridge = Bridge()
    with pytest.raises(Reverted):
        bridge.prove(replace(MESSAGE, **changes))


def test_a_withdrawal_cannot_speak_as_the_portal() -> None:
    bridge = Bridge(replace(MESSAGE, target=OPTIMISM_PORTAL))
    assert bytes.fromhex(refusal(bridge.prove)) == selector("BadTarget()")


def test_a_wrong_output_root_is_refused() -> None:
    # spec: withdrawal.output-exists
    bridge = Bridge()
    for position in range(4):
        preimage = list(bridge.preimage)
        preimage[position] = b"\x99" * 32
        message = refusal(bridge.prove, preimage=tuple(preimage))
        assert message == "OptimismPortal: invalid output root proof"
    with pytest.raises(Reverted):
        bridge.prove(index=1)


def test_a_stored_value_other_than_1_is_not_a_withdrawal() -> None:
    bridge = Bridge(value=b"\x02")
    assert refusal(bridge.prove) == "OptimismPortal: invalid withdrawal inclusion proof"


def test_damaged_proofs_are_refused() -> None:
    # spec: withdrawal.conditions
    bridge = Bridge()
    good = bridge.trie.proof(MESSAGE.slot)
    assert len(good) >= 2
    other = bridge.trie.proof(keccak256((3).to_bytes(4, "big")))
    damaged = [
        [],
        good[:-1],
        good[1:],
        [*good, good[-1]],
        [*good, b""],
        [*good[:-1], b""],
        [*good[:-1], good[-1] + b"\0"],
        [*good[:-1], good[-1][:-1] + b"\x02"],
        [good[0][:1] + b"\0" + good[0][2:], *good[1:]],
        [*good[:-1], rlp_encode([b"\x20", b"\x01"])],
        other,
        [b"\x80"],
        [b"\xc0"],
        [b"\xf9\xff\xff"],
        [b"\xff" * 9],
    ]
    for proof in damaged:
        with pytest.raises(Reverted):
            bridge.prove(proof=proof)
    bridge.prove(proof=good)


def test_every_bit_of_a_proof_counts() -> None:
    # spec: withdrawal.conditions
    bridge = Bridge(neighbours=3)
    good = bridge.trie.proof(MESSAGE.slot)
    for index, node in enumerate(good):
        for position in range(0, len(node), 7):
            changed = bytearray(node)
            changed[position] ^= 1 << position % 8
            with pytest.raises(Reverted):
                bridge.prove(proof=[*good[:index], bytes(changed), *good[index + 1 :]])


@pytest.mark.parametrize("neighbours", [0, 1, 2, 300])
def test_tries_of_many_shapes(neighbours: int) -> None:
    Bridge(neighbours=neighbours).prove()


def test_a_node_inside_its_parent_is_followed() -> None:
    # Two keys that share all but the last nibbles put leaves shorter than 32 bytes into a branch. Hashed keys cannot
    # be made to, so the trie is built by hand around the message's path.
    path = keccak256(MESSAGE.slot)
    last = path[-1] & 0x0F
    branch: list[Any] = [b""] * 17
    branch[last] = [b"\x20", b"\x01"]
    branch[last ^ 1] = [b"\x20", b"\x01"]
    branch_hash = keccak256(rlp_encode(branch))
    extension = rlp_encode([bytes([0x10 | path[0] >> 4]) + bytes.fromhex(path.hex()[1:63]), branch_hash])
    bridge = Bridge()
    bridge.wait(60)
    root = keccak256(extension)
    bridge.propose(output_root(STATE_ROOT, root, BLOCK_HASH))
    preimage = (bytes(32), STATE_ROOT, root, BLOCK_HASH)
    bridge.prove(index=1, preimage=preimage, proof=[extension, rlp_encode(branch)])


def test_a_second_proof_needs_the_first_ones_output_gone() -> None:
    bridge = Bridge()
    bridge.prove()
    assert refusal(bridge.prove) == "OptimismPortal: withdrawal hash has already been proven"
    delete = "deleteL2Outputs(uint256)"
    bridge.evm.call(L2_OUTPUT_ORACLE, delete, 0, sender=OWNER.address)
    bridge.propose(b"\x77" * 32)
    bridge.wait()
    assert refusal(bridge.finalize) == "OptimismPortal: output root proven is not the same as current output root"
    bridge.propose(output_root(STATE_ROOT, bridge.trie.root, BLOCK_HASH))
    bridge.prove(index=1)
    bridge.wait()
    bridge.finalize()


def test_an_unproven_withdrawal_is_not_final() -> None:
    # spec: withdrawal.once
    bridge = Bridge()
    bridge.wait()
    assert refusal(bridge.finalize) == "OptimismPortal: withdrawal has not been proven yet"


def test_a_pause_stops_withdrawals_and_not_deposits() -> None:
    bridge = Bridge()
    assert refusal(bridge.evm.call, SUPERCHAIN_CONFIG, "pause(string)", "x").startswith("SuperchainConfig: only")
    bridge.evm.call(SUPERCHAIN_CONFIG, "pause(string)", "drill", sender=OWNER.address)
    assert bridge.evm.call(OPTIMISM_PORTAL, "paused()(bool)") is True
    assert bytes.fromhex(refusal(bridge.prove)) == bytes.fromhex(refusal(bridge.finalize)) == selector("CallPaused()")
    bridge.evm.send(OPTIMISM_PORTAL, value=1)
    bridge.evm.call(SUPERCHAIN_CONFIG, "unpause()", sender=OWNER.address)
    bridge.prove()


def test_the_withdrawal_hashes_other_clients_assert() -> None:
    for case in load("outputs_withdrawals", "outputs_withdrawals")["withdrawal_hash"]:
        sender, target, data = (bytes.fromhex(case[key][2:]) for key in ("sender", "target", "data"))
        numbers = [int(case[key], 0) for key in ("nonce", "value", "gas_limit")]
        message = Withdrawal(numbers[0], sender, target, numbers[1], numbers[2], data)
        bridge = Bridge(message)
        (log,) = bridge.prove().logs
        assert log.topics[1].hex() == case["expected_hash"][2:]
        if "expected_slot" in case:
            assert message.slot.hex() == case["expected_slot"][2:]


def oracle_view(evm: Evm, function: str, *arguments: Any) -> Any:
    return evm.call(L2_OUTPUT_ORACLE, function, *arguments)


def test_the_oracle_takes_outputs_in_order() -> None:
    # spec: output.interval
    evm = l1(submission_interval=30, l2_block_time=2)
    assert oracle_view(evm, "nextBlockNumber()(uint256)") == 30
    root = b"\x07" * 32
    evm.set_block(number=5, timestamp=TIME + 60)
    early = refusal(evm.call, L2_OUTPUT_ORACLE, PROPOSE, root, 30, bytes(32), 0, sender=PROPOSER.address)
    assert early == "L2OutputOracle: cannot propose L2 output in the future"
    hashes = [bytes([n]) * 32 for n in (5, 4, 3, 2, 1)]
    evm.set_block(number=6, timestamp=TIME + 61, block_hashes=hashes)
    for arguments, sender, reason in (
        ((root, 30, bytes(32), 0), ANYONE, "only the proposer address can propose new outputs"),
        ((root, 31, bytes(32), 0), PROPOSER.address, "block number must be equal to next expected block number"),
        ((bytes(32), 30, bytes(32), 0), PROPOSER.address, "L2 output proposal cannot be the zero hash"),
        (
            (root, 30, b"\x09" * 32, 5),
            PROPOSER.address,
            "block hash does not match the hash at the expected height",
        ),
    ):
        found = refusal(evm.call, L2_OUTPUT_ORACLE, PROPOSE, *arguments, sender=sender)
        assert found == f"L2OutputOracle: {reason}"
    (log,) = evm.call(L2_OUTPUT_ORACLE, PROPOSE, root, 30, b"\x05" * 32, 5, sender=PROPOSER.address).logs
    assert log.topics == [
        topic("OutputProposed(bytes32,uint256,uint256,uint256)"),
        root,
        bytes(32),
        (30).to_bytes(32, "big"),
    ]
    assert oracle_view(evm, "getL2Output(uint256)(bytes32,uint128,uint128)", 0) == (root, TIME + 61, 30)


def test_the_oracle_finds_the_output_of_a_block() -> None:
    evm = l1(submission_interval=10, l2_block_time=1, finalization_period=100)
    none = refusal(oracle_view, evm, "getL2OutputIndexAfter(uint256)(uint256)", 0)
    assert none == "L2OutputOracle: cannot get output as no outputs have been proposed yet"
    evm.set_block(number=50, timestamp=TIME + 1000)
    for number in range(10, 80, 10):
        root = number.to_bytes(32, "big")
        evm.call(L2_OUTPUT_ORACLE, PROPOSE, root, number, bytes(32), 0, sender=PROPOSER.address)
    for block in range(71):
        expected = max(0, (block - 1) // 10)
        assert oracle_view(evm, "getL2OutputIndexAfter(uint256)(uint256)", block) == expected
    late = refusal(oracle_view, evm, "getL2OutputIndexAfter(uint256)(uint256)", 71)
    assert late == "L2OutputOracle: cannot get output for a block that has not been proposed"
    expected_views = {
        "latestBlockNumber": 70,
        "nextBlockNumber": 80,
        "latestOutputIndex": 6,
        "nextOutputIndex": 7,
        "SUBMISSION_INTERVAL": 10,
        "L2_BLOCK_TIME": 1,
        "FINALIZATION_PERIOD_SECONDS": 100,
        "startingBlockNumber": 0,
        "startingTimestamp": TIME,
    }
    assert {name: oracle_view(evm, f"{name}()(uint256)") for name in expected_views} == expected_views
    assert oracle_view(evm, "PROPOSER()(address)") == "0x" + PROPOSER.address.hex()
    assert oracle_view(evm, "computeL2Timestamp(uint256)(uint256)", 12) == TIME + 12


def test_only_the_challenger_deletes_outputs_and_only_before_finality() -> None:
    evm = l1(submission_interval=10, l2_block_time=1, finalization_period=100)
    evm.set_block(number=50, timestamp=TIME + 1000)
    for number in (10, 20):
        evm.call(L2_OUTPUT_ORACLE, PROPOSE, b"\1" * 32, number, bytes(32), 0, sender=PROPOSER.address)
    delete = "deleteL2Outputs(uint256)"
    assert "only the challenger" in refusal(evm.call, L2_OUTPUT_ORACLE, delete, 0)
    assert "after the latest output index" in refusal(evm.call, L2_OUTPUT_ORACLE, delete, 2, sender=OWNER.address)
    (log,) = evm.call(L2_OUTPUT_ORACLE, delete, 1, sender=OWNER.address).logs
    assert log.topics[1:] == [(2).to_bytes(32, "big"), (1).to_bytes(32, "big")]
    assert oracle_view(evm, "nextOutputIndex()(uint256)") == 1
    evm.set_block(number=60, timestamp=TIME + 1100)
    found = refusal(evm.call, L2_OUTPUT_ORACLE, delete, 0, sender=OWNER.address)
    assert found == "L2OutputOracle: cannot delete outputs that have already been finalized"


def test_the_layouts_are_the_official_ones() -> None:
    portal = load_artifact("rollup.l1", "OptimismPortal").layout
    assert {name: (place.slot, place.offset) for name, place in portal.items()} == {
        "_initialized": (0, 0),
        "_initializing": (0, 1),
        "params": (1, 0),
        "__gap": (2, 0),
        "l2Sender": (50, 0),
        "finalizedWithdrawals": (51, 0),
        "provenWithdrawals": (52, 0),
        "spacer_53_0_1": (53, 0),
        "superchainConfig": (53, 1),
        "l2Oracle": (54, 0),
        "systemConfig": (55, 0),
    }
    oracle = load_artifact("rollup.l1", "L2OutputOracle").layout
    assert [oracle[name].slot for name in ("startingBlockNumber", "startingTimestamp", "l2Outputs")] == [1, 2, 3]
    rest = ("submissionInterval", "l2BlockTime", "challenger", "proposer", "finalizationPeriodSeconds")
    assert [oracle[name].slot for name in rest] == [4, 5, 6, 7, 8]
