"""The network upgrade transactions of Ecotone to Jovian on a genesis that starts before them."""

from eth.vm.message import Message

from rollup.execution.contract_artifact import IMPLEMENTATION_SLOT
from rollup.execution.genesis import L2GenesisParams, build_l2_alloc
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.predeploys import (
    BASE_FEE_VAULT,
    BEACON_ROOTS,
    DEPOSITOR_ACCOUNT,
    GAS_PRICE_ORACLE,
    HISTORY_STORAGE,
    L1_BLOCK,
    OPERATOR_FEE_VAULT,
)
from rollup.protocol.primitives import keccak256, rlp_decode, rlp_encode, to_int_bytes
from tests.contracts.evm import Evm, selector
from tests.vector_files import load

FORKS = ("ecotone", "fjord", "isthmus", "jovian")


def apply_deposit(evm: Evm, raw: bytes) -> bytes | None:
    """Runs an upgrade deposit with its own gas; returns the address it created, if it did."""
    _, sender, to, _, _, gas, _, data = rlp_decode(raw[1:])
    limit = int.from_bytes(gas, "big")
    if to:
        evm.send(to, data, sender=sender, gas=limit)
        return None
    nonce = evm.state.get_nonce(sender)
    created = keccak256(rlp_encode([sender, to_int_bytes(nonce)]))[12:]
    evm.state.increment_nonce(sender)
    computation = evm._run(Message(limit, b"", sender, 0, b"", data, create_address=created), sender, create=True)
    assert not computation.is_error, computation.error
    return created


def upgraded(last: str) -> tuple[Evm, list[bytes]]:
    params = L2GenesisParams(timestamp=1, forks=ForkSchedule.all_at(Fork.CANYON))
    evm, created = Evm().load(build_l2_alloc(params)), []
    for fork in FORKS[: FORKS.index(last) + 1]:
        for deposit in load("upgrades", "upgrade_deposits")["forks"][fork]:
            address = apply_deposit(evm, bytes.fromhex(deposit["raw"][2:]))
            if address is not None:
                created.append(address)
    return evm, created


def test_every_upgrade_finds_its_proxies_and_its_nonces() -> None:
    # spec: upgrade.atomic
    evm, created = upgraded("jovian")
    assert {BEACON_ROOTS, HISTORY_STORAGE} <= set(created)
    for proxy in (L1_BLOCK, GAS_PRICE_ORACLE, OPERATOR_FEE_VAULT):
        assert evm.storage(proxy, IMPLEMENTATION_SLOT).to_bytes(20, "big") in created
    for flag in ("Ecotone", "Fjord", "Isthmus", "Jovian"):
        assert evm.call(GAS_PRICE_ORACLE, f"is{flag}()(bool)") is True
    assert evm.call(OPERATOR_FEE_VAULT, "RECIPIENT()(address)") == "0x" + BASE_FEE_VAULT.hex()


def test_attributes_set_before_an_upgrade_are_read_after_it() -> None:
    evm, _ = upgraded("ecotone")
    attributes = selector("setL1BlockValuesEcotone()") + bytes(range(160))
    evm.send(L1_BLOCK, attributes, sender=DEPOSITOR_ACCOUNT)
    before = {slot: evm.storage(L1_BLOCK, slot) for slot in range(9)}
    for fork in FORKS[1:]:
        for deposit in load("upgrades", "upgrade_deposits")["forks"][fork]:
            apply_deposit(evm, bytes.fromhex(deposit["raw"][2:]))
    assert {slot: evm.storage(L1_BLOCK, slot) for slot in range(9)} == before
    assert evm.call(L1_BLOCK, "basefee()(uint256)") == before[1]
    jovian = selector("setL1BlockValuesJovian()") + bytes(160) + b"\x00\x00\x00\x02" + bytes(8) + b"\x01\x90"
    evm.send(L1_BLOCK, jovian, sender=DEPOSITOR_ACCOUNT)
    assert evm.call(GAS_PRICE_ORACLE, "getOperatorFee(uint256)(uint256)", 21_000) == 21_000 * 2 * 100
