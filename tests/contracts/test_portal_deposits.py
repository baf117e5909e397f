"""OptimismPortal: deposits, aliasing, what it refuses, and the market for L2 gas."""

from typing import Any

import pytest
from eth_abi.abi import decode

from rollup.l1.contracts import OPTIMISM_PORTAL, SYSTEM_CONFIG
from tests.contracts.evm import ANYONE, Evm, Reverted, call_data, selector, topic
from tests.contracts.l1 import GWEI, l1
from tests.vector_files import load

DEPOSIT = "depositTransaction(address,uint256,uint64,bool,bytes)"
DEPOSITED = topic("TransactionDeposited(address,address,uint256,bytes)")
TARGET = bytes.fromhex("7a" * 20)
CONTRACT = bytes.fromhex("c0" * 20)
MAX_RESOURCE_LIMIT = 20_000_000


def deposit(evm: Evm, to: bytes = TARGET, value: int = 0, gas: int = 100_000, creation: bool = False,
            data: bytes = b"", **options: Any) -> Any:  # fmt: skip
    return evm.call(OPTIMISM_PORTAL, DEPOSIT, to, value, gas, creation, data, **options)


def refusal_of(evm: Evm, **arguments: Any) -> bytes:
    with pytest.raises(Reverted) as refusal:
        deposit(evm, **arguments)
    return refusal.value.data


def market(evm: Evm) -> tuple[int, int, int]:
    """Base fee in wei, gas bought in its block, that block."""
    result: tuple[int, int, int] = evm.call(OPTIMISM_PORTAL, "params()(uint128,uint64,uint64)")
    return result


def test_a_deposit_is_an_event_of_version_0() -> None:
    evm = l1()
    (log,) = evm.call(OPTIMISM_PORTAL, DEPOSIT, TARGET, 5, 90_000, False, b"\xfa\xca\xde", value=7).logs
    assert log.address == OPTIMISM_PORTAL
    assert log.topics == [DEPOSITED, ANYONE.rjust(32, b"\0"), TARGET.rjust(32, b"\0"), bytes(32)]
    (opaque,) = decode(["bytes"], log.data)
    assert opaque == (
        (7).to_bytes(32, "big") + (5).to_bytes(32, "big") + (90_000).to_bytes(8, "big") + b"\0" + b"\xfa\xca\xde"
    )
    assert evm.balance(OPTIMISM_PORTAL) == 7


def test_a_creation_has_no_target() -> None:
    evm = l1()
    (log,) = deposit(evm, to=bytes(20), creation=True, data=b"\x60\x00").logs
    (opaque,) = decode(["bytes"], log.data)
    assert opaque[72:] == b"\x01\x60\x00"
    assert refusal_of(evm, creation=True) == selector("BadTarget()")


def test_a_plain_transfer_is_a_deposit_for_the_sender() -> None:
    evm = l1()
    (log,) = evm.send(OPTIMISM_PORTAL, value=3).logs
    (opaque,) = decode(["bytes"], log.data)
    assert log.topics[1] == log.topics[2] == ANYONE.rjust(32, b"\0")
    assert opaque == (3).to_bytes(32, "big") * 2 + (100_000).to_bytes(8, "big") + b"\0"


def test_a_contract_deposits_under_its_alias_as_other_clients_compute_it() -> None:
    # spec: deposit.alias
    cases = load("outputs_withdrawals", "outputs_withdrawals")["address_alias"]["cases"]
    assert cases
    for case in cases:
        evm = l1()
        (log,) = deposit(evm, sender=bytes.fromhex(case["l1"][2:]), origin=ANYONE).logs
        assert log.topics[1].hex() == case["expected_l2_alias"][2:].rjust(64, "0")


def test_logs_other_clients_decode_are_emitted_byte_for_byte() -> None:
    # spec: deposit.log
    checked = 0
    for case in load("deposits", "deposit_logs")["cases"]:
        if "error" in case["expected"]:
            continue
        topics = [bytes.fromhex(item[2:]) for item in case["log"]["topics"]]
        data = bytes.fromhex(case["log"]["data"][2:])
        (opaque,) = decode(["bytes"], data)
        mint, value, gas = (int.from_bytes(opaque[start:end], "big") for start, end in ((0, 32), (32, 64), (64, 72)))
        sender, to, creation = topics[1][12:], topics[2][12:], opaque[72] != 0
        evm = l1()
        if gas < evm.call(OPTIMISM_PORTAL, "minimumGasLimit(uint64)(uint64)", len(opaque) - 73):
            continue  # a made-up log that no portal emits
        evm.state.set_balance(sender, mint)
        arguments = (to, value, gas, creation, opaque[73:])
        (log,) = evm.call(OPTIMISM_PORTAL, DEPOSIT, *arguments, sender=sender, value=mint, gas=30_000_000).logs
        assert (log.topics, log.data) == (topics, data)
        checked += 1
    assert checked


def test_an_alias_wraps_around() -> None:
    evm = l1()
    (log,) = deposit(evm, sender=b"\xff" * 20, origin=ANYONE).logs
    assert log.topics[1][12:].hex() == "1111000000000000000000000000000000001110"


def test_too_little_gas_for_the_calldata_is_refused() -> None:
    # spec: deposit.min-gas
    evm = l1()
    data = b"\xff" * 100
    least = 21_000 + 40 * len(data)  # EIP-7623's floor
    assert evm.call(OPTIMISM_PORTAL, "minimumGasLimit(uint64)(uint64)", len(data)) == least
    assert refusal_of(evm, gas=least - 1, data=data) == selector("SmallGasLimit()")
    assert len(deposit(evm, gas=least, data=data).logs) == 1


def test_calldata_is_bounded() -> None:
    evm = l1()
    least = 21_000 + 40 * 120_001
    assert refusal_of(evm, gas=least, data=bytes(120_001)) == selector("LargeCalldata()")
    deposit(evm, gas=least, data=bytes(120_000))


def test_a_donation_deposits_nothing() -> None:
    evm = l1()
    assert evm.call(OPTIMISM_PORTAL, "donateETH()", value=9).logs == []
    assert evm.balance(OPTIMISM_PORTAL) == evm.call(OPTIMISM_PORTAL, "balance()(uint256)") == 9


def test_a_block_sells_no_more_than_its_limit() -> None:
    # spec: portal.block-limit
    evm = l1()
    evm.call(OPTIMISM_PORTAL, DEPOSIT, TARGET, 0, MAX_RESOURCE_LIMIT - 50_000, False, b"", gas=30_000_000)
    assert market(evm) == (GWEI, MAX_RESOURCE_LIMIT - 50_000, 1)
    assert refusal_of(evm, gas=50_001) == selector("OutOfGas()")
    evm.call(OPTIMISM_PORTAL, DEPOSIT, TARGET, 0, 50_000, False, b"", gas=30_000_000)
    assert market(evm)[1] == MAX_RESOURCE_LIMIT
    evm.set_block(number=2)
    deposit(evm)
    assert market(evm)[1:] == (100_000, 2)


def test_the_price_rises_after_a_full_block_and_falls_after_empty_ones() -> None:
    # specs protocol/guaranteed-gas-market.md: target a tenth of the limit, change at most (1/8) a target's worth.
    evm = l1()
    evm.call(OPTIMISM_PORTAL, DEPOSIT, TARGET, 0, MAX_RESOURCE_LIMIT, False, b"", gas=30_000_000)
    evm.set_block(number=2)
    deposit(evm)
    risen = GWEI + GWEI * (20_000_000 - 2_000_000) // (2_000_000 * 8)
    assert market(evm)[0] == risen == 2_125_000_000
    evm.set_block(number=3)
    deposit(evm)
    fallen = risen - risen * (2_000_000 - 100_000) // (2_000_000 * 8)
    assert abs(market(evm)[0] - fallen) <= 1
    evm.set_block(number=6)
    deposit(evm)
    once = market_after_block(fallen)
    assert abs(market(evm)[0] - once * 7**2 // 8**2) <= 2
    evm.set_block(number=10**6)
    deposit(evm)
    assert market(evm)[0] == GWEI


def market_after_block(fee: int) -> int:
    return fee - fee * (2_000_000 - 100_000) // (2_000_000 * 8)


def test_bought_gas_is_burnt_as_l1_gas() -> None:
    # spec: portal.burn
    evm = l1()
    cheap = deposit(evm, gas=21_000).gas
    dear = deposit(evm, gas=2_000_000).gas
    # At equal base fees a unit of L2 gas costs a unit of L1 gas, less what the deposit itself took.
    assert cheap < 60_000
    assert 2_000_000 <= dear < 2_010_000
    evm.set_block(base_fee=4 * GWEI)
    assert 500_000 <= deposit(evm, gas=2_000_000).gas < 510_000
    evm.set_block(base_fee=7)  # counts as 1 gwei
    assert 2_000_000 <= deposit(evm, gas=2_000_000).gas < 2_010_000


def test_the_gas_of_a_deposit_depends_on_no_block_before_it() -> None:
    """A wallet estimates in one block, and a later one has the deposit: its gas limit must suffice there."""
    evm = l1()
    deposit(evm, gas=21_000)
    gas = []
    for number in (1, 1, 2, 3, 5, 9, 200, 10**6):
        evm.set_block(number=number)
        gas.append(deposit(evm, gas=21_000).gas)
    assert max(gas) - min(gas) <= 200


def test_a_deposit_that_cannot_pay_runs_out_of_gas() -> None:
    evm = l1()
    with pytest.raises(Reverted) as refusal:
        evm.send(OPTIMISM_PORTAL, call_data(DEPOSIT, TARGET, 0, 2_000_000, False, b""), gas=1_000_000)
    assert refusal.value.data == b""


def test_the_portal_names_its_neighbours() -> None:
    evm = l1()
    assert evm.call(OPTIMISM_PORTAL, "systemConfig()(address)") == "0x" + SYSTEM_CONFIG.hex()
    # viem takes the L2OutputOracle path below major version 3.
    assert evm.call(OPTIMISM_PORTAL, "version()(string)").startswith("2.")
