"""L1Block against real L1 attributes and, function by function, against the official contract's bytecode."""

import random

import pytest

from rollup.execution.contract_artifact import load_artifact
from rollup.execution.genesis import L2GenesisParams, build_l2_alloc
from rollup.protocol.predeploys import DEPOSITOR_ACCOUNT, L1_BLOCK
from tests.contracts.evm import ANYONE, Evm, Reverted, call_data, selector
from tests.contracts.official import creation_code
from tests.vector_files import load

OFFICIAL = bytes.fromhex("0f" * 20)
SLOTS = range(10)
VIEWS = {
    "number": "number()(uint64)",
    "time": "timestamp()(uint64)",
    "base_fee": "basefee()(uint256)",
    "block_hash": "hash()(bytes32)",
    "sequence_number": "sequenceNumber()(uint64)",
    "batcher_address": "batcherHash()(bytes32)",
    "l1_fee_overhead": "l1FeeOverhead()(uint256)",
    "l1_fee_scalar": "l1FeeScalar()(uint256)",
    "blob_base_fee": "blobBaseFee()(uint256)",
    "base_fee_scalar": "baseFeeScalar()(uint32)",
    "blob_base_fee_scalar": "blobBaseFeeScalar()(uint32)",
    "operator_fee_scalar": "operatorFeeScalar()(uint32)",
    "operator_fee_constant": "operatorFeeConstant()(uint64)",
}
CONSTANT_VIEWS = (
    "gasPayingToken()(address,uint8)",
    "gasPayingTokenName()(string)",
    "gasPayingTokenSymbol()(string)",
    "isCustomGasToken()(bool)",
    "DEPOSITOR_ACCOUNT()(address)",
    "daFootprintGasScalar()(uint16)",
)
SETTERS = {
    "setL1BlockValuesEcotone()": 164,
    "setL1BlockValuesIsthmus()": 176,
    "setL1BlockValuesJovian()": 178,
}


@pytest.fixture
def evm() -> Evm:
    return Evm().load(build_l2_alloc(L2GenesisParams(timestamp=1)))


def test_real_attributes_of_every_fork_are_read_back() -> None:
    for case in load("l1_info", "l1_info_calldata")["cases"]:
        evm = Evm().load(build_l2_alloc(L2GenesisParams(timestamp=1)))
        evm.send(L1_BLOCK, bytes.fromhex(case["calldata"][2:]), sender=DEPOSITOR_ACCOUNT)
        for name, expected in case["collector_full_decode"].items():
            if name == "fork":
                continue
            found = evm.call(L1_BLOCK, VIEWS[name])
            if isinstance(expected, str):
                expected = bytes.fromhex(expected[2:]).rjust(32, b"\0")
            assert found == expected, (case["name"], name)


def test_packed_setters_write_the_slots_the_official_contract_writes(evm: Evm) -> None:
    evm.deploy(creation_code("jovian", "Jovian: L1 Block Deployment"), OFFICIAL)
    rng = random.Random(1)
    for _ in range(20):
        for setter, size in SETTERS.items():
            data = selector(setter) + rng.randbytes(size - 4)
            for address in (L1_BLOCK, OFFICIAL):
                evm.send(address, data, sender=DEPOSITOR_ACCOUNT)
            assert [evm.storage(L1_BLOCK, s) for s in SLOTS] == [evm.storage(OFFICIAL, s) for s in SLOTS]
    for view in (*VIEWS.values(), *CONSTANT_VIEWS):
        assert evm.call(L1_BLOCK, view) == evm.call(OFFICIAL, view), view


def test_short_calldata_reads_as_zeros_as_officially(evm: Evm) -> None:
    evm.deploy(creation_code("jovian", "Jovian: L1 Block Deployment"), OFFICIAL)
    for setter in SETTERS:
        for address in (L1_BLOCK, OFFICIAL):
            evm.send(address, selector(setter) + b"\xff" * 165, sender=DEPOSITOR_ACCOUNT)
        assert [evm.storage(L1_BLOCK, s) for s in SLOTS] == [evm.storage(OFFICIAL, s) for s in SLOTS]


def test_jovian_puts_the_da_footprint_scalar_at_byte_12_of_slot_8(evm: Evm) -> None:
    # specs protocol/jovian/exec-engine.md, "Scalar loading".
    data = selector("setL1BlockValuesJovian()") + bytes(160) + b"\x00\x00\x00\x03" + bytes(7) + b"\x05" + b"\x01\x90"
    evm.send(L1_BLOCK, data, sender=DEPOSITOR_ACCOUNT)
    assert evm.storage(L1_BLOCK, 8) == 400 << 96 | 3 << 64 | 5
    assert evm.call(L1_BLOCK, "daFootprintGasScalar()(uint16)") == 400


def test_only_the_depositor_sets(evm: Evm) -> None:
    for setter, size in SETTERS.items():
        with pytest.raises(Reverted) as refusal:
            evm.send(L1_BLOCK, selector(setter) + bytes(size - 4))
        assert refusal.value.data == selector("NotDepositor()")
    bedrock = "setL1BlockValues(uint64,uint64,uint256,bytes32,uint64,bytes32,uint256,uint256)"
    values = (1, 2, 3, b"\4" * 32, 5, b"\6" * 32, 7, 8)
    with pytest.raises(Reverted) as refusal:
        evm.send(L1_BLOCK, call_data(bedrock, *values), sender=ANYONE)
    assert refusal.value.reason == "L1Block: only the depositor account can set L1 block values"


def test_the_layout_is_the_official_one() -> None:
    layout = load_artifact("rollup.execution", "L1Block").layout
    places = {name: (variable.slot, variable.offset) for name, variable in layout.items()}
    assert places == {
        "number": (0, 0),
        "timestamp": (0, 8),
        "basefee": (1, 0),
        "hash": (2, 0),
        "sequenceNumber": (3, 0),
        "blobBaseFeeScalar": (3, 8),
        "baseFeeScalar": (3, 12),
        "batcherHash": (4, 0),
        "l1FeeOverhead": (5, 0),
        "l1FeeScalar": (6, 0),
        "blobBaseFee": (7, 0),
        "operatorFeeConstant": (8, 0),
        "operatorFeeScalar": (8, 8),
        "daFootprintGasScalar": (8, 12),
    }
