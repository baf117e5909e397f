"""SystemConfig: every update's event and value, who may, what is refused, where op-node looks."""

from typing import Any

import pytest
from eth_abi.abi import decode, encode

from rollup.execution.contract_artifact import load_artifact
from rollup.l1.contracts import BATCH_INBOX, OPTIMISM_PORTAL, SYSTEM_CONFIG
from rollup.protocol.accounts import BATCHER, OWNER, SEQUENCER
from tests.contracts.evm import ANYONE, Evm, Reverted, topic
from tests.contracts.l1 import GWEI, l1
from tests.vector_files import load

UPDATED = topic("ConfigUpdate(uint256,uint8,bytes)")
ECOTONE = 1 << 248
UNSAFE_SIGNER_SLOT = 0x65A7ED542FB37FE237FDFBDD70B31598523FE5B32879E307BAE27A0BD9581C08
NEW = bytes.fromhex("7a" * 20)

# Setter, arguments, update type, ABI-encoded data: specs protocol/system-config.md and {holocene,isthmus,jovian} pages.
UPDATES: tuple[tuple[str, tuple[Any, ...], int, bytes], ...] = (
    ("setBatcherHash(bytes32)", (NEW.rjust(32, b"\0"),), 0, NEW.rjust(32, b"\0")),
    ("setGasConfig(uint256,uint256)", (188, 684_000), 1, encode(["uint256"] * 2, [188, 684_000])),
    (
        "setGasConfigEcotone(uint32,uint32)",
        (5227, 1_014_213),
        1,
        encode(["uint256"] * 2, [0, ECOTONE | 1_014_213 << 32 | 5227]),
    ),
    ("setGasLimit(uint64)", (30_000_000,), 2, encode(["uint256"], [30_000_000])),
    ("setUnsafeBlockSigner(address)", (NEW,), 3, NEW.rjust(32, b"\0")),
    ("setEIP1559Params(uint32,uint32)", (250, 6), 4, encode(["uint256"], [250 << 32 | 6])),
    ("setOperatorFeeScalars(uint32,uint64)", (7, 9), 5, encode(["uint256"], [7 << 64 | 9])),
    ("setMinBaseFee(uint64)", (100_000,), 6, encode(["uint256"], [100_000])),
    ("setDAFootprintGasScalar(uint16)", (400,), 7, encode(["uint256"], [400])),
)


@pytest.mark.parametrize(("setter", "arguments", "kind", "data"), UPDATES)
def test_an_update_is_announced_and_the_owners_alone(
    setter: str, arguments: tuple[Any, ...], kind: int, data: bytes
) -> None:
    # spec: config.update-event, config.operator-fee-owner, config.eip1559-event, config.eip1559-owner
    # spec: config.owner-only, config.set-signer, config.set-batcher, config.set-gas-config-ecotone
    # spec: config.set-gas-limit, config.set-operator-fee, config.set-min-base-fee, config.set-footprint
    evm = l1()
    with pytest.raises(Reverted) as refusal:
        evm.call(SYSTEM_CONFIG, setter, *arguments)
    assert refusal.value.reason == "Ownable: caller is not the owner"
    (log,) = evm.call(SYSTEM_CONFIG, setter, *arguments, sender=OWNER.address).logs
    assert log.address == SYSTEM_CONFIG
    assert log.topics == [UPDATED, bytes(32), kind.to_bytes(32, "big")]
    assert decode(["bytes"], log.data) == (data,)


def view(evm: Evm, name: str, kind: str) -> Any:
    return evm.call(SYSTEM_CONFIG, f"{name}()({kind})")


def test_updates_are_kept() -> None:
    # spec: config.set-signer, config.set-batcher, config.set-gas-config, config.set-gas-config-ecotone
    # spec: config.set-gas-limit, config.set-eip1559, config.set-operator-fee, config.set-min-base-fee
    # spec: config.set-footprint
    evm = l1()
    for setter, arguments, _, _ in UPDATES:
        evm.call(SYSTEM_CONFIG, setter, *arguments, sender=OWNER.address)
    expected = {
        ("batcherHash", "bytes32"): NEW.rjust(32, b"\0"),
        ("overhead", "uint256"): 188,
        ("scalar", "uint256"): ECOTONE | 1_014_213 << 32 | 5227,
        ("basefeeScalar", "uint32"): 5227,
        ("blobbasefeeScalar", "uint32"): 1_014_213,
        ("gasLimit", "uint64"): 30_000_000,
        ("unsafeBlockSigner", "address"): "0x" + NEW.hex(),
        ("eip1559Denominator", "uint32"): 250,
        ("eip1559Elasticity", "uint32"): 6,
        ("operatorFeeScalar", "uint32"): 7,
        ("operatorFeeConstant", "uint64"): 9,
        ("minBaseFee", "uint64"): 100_000,
        ("daFootprintGasScalar", "uint16"): 400,
    }
    assert {key: view(evm, *key) for key in expected} == expected
    assert evm.storage(SYSTEM_CONFIG, UNSAFE_SIGNER_SLOT) == int.from_bytes(NEW, "big")


def test_genesis_values() -> None:
    evm = l1()
    expected = {
        ("batcherHash", "bytes32"): BATCHER.address.rjust(32, b"\0"),
        ("scalar", "uint256"): ECOTONE | 810_949 << 32 | 1_368,
        ("basefeeScalar", "uint32"): 1_368,
        ("blobbasefeeScalar", "uint32"): 810_949,
        ("gasLimit", "uint64"): 60_000_000,
        ("owner", "address"): "0x" + OWNER.address.hex(),
        ("unsafeBlockSigner", "address"): "0x" + SEQUENCER.address.hex(),
        ("optimismPortal", "address"): "0x" + OPTIMISM_PORTAL.hex(),
        ("batchInbox", "address"): "0x" + BATCH_INBOX.hex(),
        ("l2ChainId", "uint256"): 901,
        ("minimumGasLimit", "uint64"): 21_000_000,
        ("maximumGasLimit", "uint64"): 500_000_000,
        ("isCustomGasToken", "bool"): False,
    }
    assert {key: view(evm, *key) for key in expected} == expected
    assert evm.storage(SYSTEM_CONFIG, UNSAFE_SIGNER_SLOT) == int.from_bytes(SEQUENCER.address, "big")
    resource = evm.call(SYSTEM_CONFIG, "resourceConfig()(uint32,uint8,uint8,uint32,uint32,uint128)")
    assert resource == (20_000_000, 10, 8, GWEI, 1_000_000, 2**128 - 1)


@pytest.mark.parametrize(
    ("setter", "arguments", "reason"),
    [
        ("setGasLimit(uint64)", (20_999_999,), "SystemConfig: gas limit too low"),
        ("setGasLimit(uint64)", (500_000_001,), "SystemConfig: gas limit too high"),
        ("setEIP1559Params(uint32,uint32)", (0, 6), "SystemConfig: denominator must be >= 1"),
        ("setEIP1559Params(uint32,uint32)", (250, 0), "SystemConfig: elasticity must be >= 1"),
        ("setGasConfig(uint256,uint256)", (0, ECOTONE), "SystemConfig: scalar exceeds max."),
        ("transferOwnership(address)", (bytes(20),), "Ownable: new owner is the zero address"),
    ],
)
def test_what_the_owner_cannot_set(setter: str, arguments: tuple[Any, ...], reason: str) -> None:
    # spec: config.eip1559-above-zero, config.max-gas-limit, config.set-gas-config, config.set-eip1559
    evm = l1()
    with pytest.raises(Reverted) as refusal:
        evm.call(SYSTEM_CONFIG, setter, *arguments, sender=OWNER.address)
    assert refusal.value.reason == reason


def test_ownership_moves_and_ends() -> None:
    # spec: config.owner-only
    evm = l1()
    evm.call(SYSTEM_CONFIG, "transferOwnership(address)", ANYONE, sender=OWNER.address)
    with pytest.raises(Reverted):
        evm.call(SYSTEM_CONFIG, "setMinBaseFee(uint64)", 1, sender=OWNER.address)
    evm.call(SYSTEM_CONFIG, "setMinBaseFee(uint64)", 1)
    evm.call(SYSTEM_CONFIG, "renounceOwnership()")
    with pytest.raises(Reverted):
        evm.call(SYSTEM_CONFIG, "setMinBaseFee(uint64)", 2)


# Values some of the logs carry that no SystemConfig would announce.
MADE_UP = (
    "SystemConfig: gas limit too low",
    "SystemConfig: gas limit too high",
    "SystemConfig: elasticity must be >= 1",
)


def replay(kind: int, payload: bytes) -> tuple[str, tuple[Any, ...]] | None:
    """The call that sets what a log of this update type announces."""
    words = [int.from_bytes(payload[i : i + 32], "big") for i in range(0, len(payload), 32)]
    if kind == 1:
        version, low = words[1] >> 248, words[1]
        if version == 1:
            return ("setGasConfigEcotone(uint32,uint32)", (low & 0xFFFFFFFF, low >> 32 & 0xFFFFFFFF))
        return ("setGasConfig(uint256,uint256)", (words[0], low)) if version == 0 else None
    (word,) = words
    calls: dict[int, tuple[str, tuple[Any, ...]]] = {
        0: ("setBatcherHash(bytes32)", (payload,)),
        2: ("setGasLimit(uint64)", (word,)),
        3: ("setUnsafeBlockSigner(address)", (payload[12:],)),
        4: ("setEIP1559Params(uint32,uint32)", (word >> 32, word & 0xFFFFFFFF)),
        5: ("setOperatorFeeScalars(uint32,uint64)", (word >> 64, word & (2**64 - 1))),
        6: ("setMinBaseFee(uint64)", (word,)),
        7: ("setDAFootprintGasScalar(uint16)", (word,)),
    }
    return calls.get(kind)


def test_logs_other_clients_decode_are_emitted_byte_for_byte() -> None:
    kinds: set[int] = set()
    vectors = load("system_config", "config_update_logs")
    for case in (*vectors["op_node"], *vectors["kona_process"]):
        topics = [bytes.fromhex(item[2:]) for item in case["topics"]]
        data, kind = bytes.fromhex(case["data"][2:]), int(case["topics"][2], 16)
        if not case.get("expected") or len(data) < 96:
            continue
        call = replay(kind, decode(["bytes"], data)[0])
        evm = l1()
        if call is None:
            continue
        try:
            (log,) = evm.call(SYSTEM_CONFIG, call[0], *call[1], sender=OWNER.address).logs
        except Reverted as refusal:
            assert refusal.reason in MADE_UP, case["name"]  # noqa: PT017
            continue
        if kind == 1 and call[0].startswith("setGasConfigEcotone"):
            overhead = data[64:96]
            evm.state.set_storage(SYSTEM_CONFIG, 101, int.from_bytes(overhead, "big"))
            (log,) = evm.call(SYSTEM_CONFIG, call[0], *call[1], sender=OWNER.address).logs
        assert (log.topics, log.data) == (topics, data), case["name"]
        kinds.add(kind)
    assert {1, 4, 5, 7} <= kinds


def test_the_layout_is_the_official_one() -> None:
    layout = load_artifact("rollup.l1", "SystemConfig").layout
    places = {name: (place.slot, place.offset) for name, place in layout.items() if not name.endswith("Gap")}
    assert places == {
        "_initialized": (0, 0),
        "_initializing": (0, 1),
        "owner": (51, 0),
        "overhead": (101, 0),
        "scalar": (102, 0),
        "batcherHash": (103, 0),
        "gasLimit": (104, 0),
        "basefeeScalar": (104, 8),
        "blobbasefeeScalar": (104, 12),
        "_resourceConfig": (105, 0),
        "eip1559Denominator": (106, 0),
        "eip1559Elasticity": (106, 4),
        "operatorFeeScalar": (106, 8),
        "operatorFeeConstant": (106, 12),
        "l2ChainId": (107, 0),
        "superchainConfig": (108, 0),
        "minBaseFee": (108, 20),
        "daFootprintGasScalar": (108, 28),
    }
