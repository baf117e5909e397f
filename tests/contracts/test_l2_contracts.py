"""Message passer, vaults, WETH9, proxies and preinstalls in the L2 genesis."""

from typing import Any

import pytest
from eth_abi.abi import decode, encode

from rollup.execution.contract_artifact import (
    ADMIN_SLOT,
    IMPLEMENTATION_SLOT,
    implementation_address,
    load_artifact,
)
from rollup.execution.genesis import (
    WITHDRAW_TO_L1,
    WITHDRAW_TO_L2,
    L2GenesisParams,
    build_l2_alloc,
)
from rollup.protocol import predeploys
from rollup.protocol.accounts import OWNER
from rollup.protocol.primitives import keccak256, rlp_encode
from tests.contracts.evm import ANYONE, Evm, Reverted, call_data, selector, topic
from tests.contracts.official import creation_code
from tests.vector_files import load

PASSER = predeploys.L2_TO_L1_MESSAGE_PASSER
WITHDRAW = "initiateWithdrawal(address,uint256,bytes)"
MESSAGE_PASSED = topic("MessagePassed(uint256,address,address,uint256,uint256,bytes,bytes32)")
TARGET = bytes.fromhex("7a" * 20)
NEW_CODE = bytes.fromhex("60056000526020 6000f3".replace(" ", ""))  # returns 5
VERSION_1 = 1 << 240


def l2(**changes: Any) -> Evm:
    return Evm().load(build_l2_alloc(L2GenesisParams(timestamp=1, **changes)))


def withdrawal_hash(nonce: int, sender: bytes, target: bytes, value: int, gas: int, data: bytes) -> bytes:
    return keccak256(
        encode(
            ["uint256", "address", "address", "uint256", "uint256", "bytes"],
            [nonce, sender, target, value, gas, data],
        )
    )


def test_a_withdrawal_is_stored_where_l1_proves_it_and_announced() -> None:
    evm = l2()
    for count in range(3):
        data = bytes(count * 20)
        outcome = evm.call(PASSER, WITHDRAW, TARGET, 90_000 + count, data, value=10**18)
        nonce = VERSION_1 | count
        hash_ = withdrawal_hash(nonce, ANYONE, TARGET, 10**18, 90_000 + count, data)
        (log,) = outcome.logs
        assert log.topics[0] == MESSAGE_PASSED
        assert int.from_bytes(log.topics[1], "big") == nonce
        assert (log.topics[2][12:], log.topics[3][12:]) == (ANYONE, TARGET)
        assert decode(["uint256", "uint256", "bytes", "bytes32"], log.data) == (10**18, 90_000 + count, data, hash_)
        assert evm.storage(PASSER, int.from_bytes(keccak256(hash_ + bytes(32)), "big")) == 1
        assert evm.storage(PASSER, 1) == count + 1
        assert evm.call(PASSER, "sentMessages(bytes32)(bool)", hash_) is True
    assert evm.call(PASSER, "messageNonce()(uint256)") == VERSION_1 | 3
    assert evm.call(PASSER, "MESSAGE_VERSION()(uint16)") == 1
    assert evm.balance(PASSER) == 3 * 10**18


def test_a_plain_transfer_withdraws_to_the_sender() -> None:
    evm = l2()
    (log,) = evm.send(PASSER, value=7).logs
    assert decode(["uint256", "uint256", "bytes", "bytes32"], log.data)[:3] == (7, 100_000, b"")
    assert log.topics[2] == log.topics[3] == ANYONE.rjust(32, b"\0")


def test_the_withdrawal_hash_another_client_asserts_for_version_1() -> None:
    cases = load("outputs_withdrawals", "outputs_withdrawals")["withdrawal_hash"]
    # Version 1 is all this contract emits; the portal's test takes the other cases.
    (case,) = [case for case in cases if int(case["nonce"], 0) >> 240 == 1]
    sender, target, data = (bytes.fromhex(case[key][2:]) for key in ("sender", "target", "data"))
    evm, value = l2(), int(case["value"], 0)
    evm.state.set_storage(PASSER, 1, int(case["nonce"], 0) - VERSION_1)
    evm.state.set_balance(sender, value)
    (log,) = evm.call(PASSER, WITHDRAW, target, int(case["gas_limit"], 0), data, sender=sender, value=value).logs
    assert log.data[96:128].hex() == case["expected_hash"][2:]


def test_the_event_is_the_one_a_real_chain_emits() -> None:
    real = load("outputs_withdrawals", "outputs_withdrawals")["message_passed_log"]["receipt"]["logs"]
    assert "0x" + MESSAGE_PASSED.hex() in [log["topics"][0] for log in real]


def test_burn_takes_the_balance_out_of_the_supply() -> None:
    evm = l2()
    evm.call(PASSER, WITHDRAW, TARGET, 21_000, b"", value=5)
    (log,) = evm.call(PASSER, "burn()").logs
    assert log.topics == [topic("WithdrawerBalanceBurnt(uint256)"), (5).to_bytes(32, "big")]
    assert evm.balance(PASSER) == 0
    burner = keccak256(rlp_encode([PASSER, b""]))[12:]  # the passer's first creation, with nonce 0
    assert (evm.balance(burner), evm.state.get_code(burner)) == (0, b"")


VAULTS = (
    predeploys.SEQUENCER_FEE_VAULT,
    predeploys.BASE_FEE_VAULT,
    predeploys.L1_FEE_VAULT,
    predeploys.OPERATOR_FEE_VAULT,
)


@pytest.mark.parametrize("vault", VAULTS)
def test_a_vault_pays_its_recipient_on_l2(vault: bytes) -> None:
    evm = l2(fee_recipient=TARGET, fee_network=WITHDRAW_TO_L2, min_withdrawal=100)
    assert evm.call(vault, "recipient()(address)") == "0x" + TARGET.hex()
    assert evm.call(vault, "RECIPIENT()(address)") == "0x" + TARGET.hex()
    assert evm.call(vault, "minWithdrawalAmount()(uint256)") == 100
    assert evm.call(vault, "MIN_WITHDRAWAL_AMOUNT()(uint256)") == 100
    assert evm.call(vault, "withdrawalNetwork()(uint8)") == WITHDRAW_TO_L2
    evm.send(vault, value=99)
    with pytest.raises(Reverted) as refusal:
        evm.call(vault, "withdraw()")
    assert refusal.value.reason == "FeeVault: withdrawal amount must be greater than minimum withdrawal amount"
    evm.send(vault, value=1)
    short, long = evm.call(vault, "withdraw()").logs
    assert short.topics == [topic("Withdrawal(uint256,address,address)")]
    assert long.topics == [topic("Withdrawal(uint256,address,address,uint8)")]
    assert decode(["uint256", "address", "address", "uint8"], long.data)[::3] == (100, WITHDRAW_TO_L2)
    assert (evm.balance(TARGET), evm.balance(vault)) == (100, 0)
    assert evm.call(vault, "totalProcessed()(uint256)") == evm.storage(vault, 0) == 100


def test_a_vault_pays_its_recipient_on_l1_by_a_withdrawal() -> None:
    evm = l2(fee_recipient=TARGET, fee_network=WITHDRAW_TO_L1)
    vault = predeploys.BASE_FEE_VAULT
    evm.send(vault, value=12)
    logs = evm.call(vault, "withdraw()").logs
    assert logs[2].topics[0] == MESSAGE_PASSED
    assert logs[2].topics[2:] == [vault.rjust(32, b"\0"), TARGET.rjust(32, b"\0")]
    assert decode(["uint256", "uint256", "bytes", "bytes32"], logs[2].data)[:3] == (12, 400_000, b"")
    assert evm.balance(PASSER) == 12


def test_a_vault_keeps_its_coins_when_the_recipient_refuses_them() -> None:
    evm = l2(fee_recipient=TARGET)
    evm.state.set_code(TARGET, bytes.fromhex("60006000fd"))
    evm.send(predeploys.L1_FEE_VAULT, value=3)
    with pytest.raises(Reverted) as refusal:
        evm.call(predeploys.L1_FEE_VAULT, "withdraw()")
    assert refusal.value.reason == "FeeVault: failed to send ETH to L2 fee recipient"
    assert evm.balance(predeploys.L1_FEE_VAULT) == 3


def test_the_official_operator_fee_vault_reads_like_ours() -> None:
    evm = l2(fee_recipient=predeploys.BASE_FEE_VAULT, fee_network=WITHDRAW_TO_L2)
    official = evm.deploy(creation_code("isthmus", "Isthmus: Operator Fee Vault Deployment"), b"\x0f" * 20)
    for view in ("recipient()(address)", "minWithdrawalAmount()(uint256)", "withdrawalNetwork()(uint8)"):
        assert evm.call(official, view) == evm.call(predeploys.OPERATOR_FEE_VAULT, view)
    for vault in (official, predeploys.OPERATOR_FEE_VAULT):
        evm.send(vault, value=50)
    theirs, ours = (evm.call(v, "withdraw()").logs for v in (official, predeploys.OPERATOR_FEE_VAULT))
    assert [(log.topics, log.data) for log in theirs] == [(log.topics, log.data) for log in ours]


def test_weth_is_a_token_backed_by_coins() -> None:
    evm, weth = l2(), predeploys.WETH9
    assert evm.call(weth, "name()(string)") == "Wrapped OPEN"
    assert evm.call(weth, "symbol()(string)") == "WOPEN"
    assert evm.call(weth, "decimals()(uint8)") == 18
    evm.send(weth, value=60)
    evm.call(weth, "deposit()", value=40)
    assert evm.call(weth, "totalSupply()(uint256)") == 100
    evm.call(weth, "transfer(address,uint256)", TARGET, 30)
    assert evm.call(weth, "balanceOf(address)(uint256)", ANYONE) == 70
    evm.call(weth, "approve(address,uint256)", TARGET, 25)
    evm.call(weth, "transferFrom(address,address,uint256)", ANYONE, TARGET, 20, sender=TARGET)
    assert evm.call(weth, "allowance(address,address)(uint256)", ANYONE, TARGET) == 5
    with pytest.raises(Reverted):
        evm.call(weth, "transferFrom(address,address,uint256)", ANYONE, TARGET, 6, sender=TARGET)
    with pytest.raises(Reverted):
        evm.call(weth, "transfer(address,uint256)", TARGET, 51)
    with pytest.raises(Reverted):
        evm.call(weth, "withdraw(uint256)", 51)
    before = evm.balance(ANYONE)
    (log,) = evm.call(weth, "withdraw(uint256)", 50).logs
    assert log.topics[0] == topic("Withdrawal(address,uint256)")
    assert (evm.balance(ANYONE) - before, evm.balance(weth)) == (50, 50)
    layout = load_artifact("rollup.execution", "WETH9").layout
    assert [layout[name].slot for name in ("name", "symbol", "decimals", "balanceOf", "allowance")] == [0, 1, 2, 3, 4]


def test_an_unlimited_allowance_stays() -> None:
    evm, weth = l2(), predeploys.WETH9
    evm.send(weth, value=9)
    evm.call(weth, "approve(address,uint256)", TARGET, 2**256 - 1)
    evm.call(weth, "transferFrom(address,address,uint256)", ANYONE, TARGET, 9, sender=TARGET)
    assert evm.call(weth, "allowance(address,address)(uint256)", ANYONE, TARGET) == 2**256 - 1


PROXIED = (PASSER, predeploys.L1_BLOCK, predeploys.GAS_PRICE_ORACLE, predeploys.PROXY_ADMIN, *VAULTS)


@pytest.mark.parametrize("proxy", PROXIED)
def test_a_predeploy_is_a_proxy_its_admins_owner_can_upgrade(proxy: bytes) -> None:
    evm = l2()
    target = implementation_address(proxy)
    assert evm.storage(proxy, IMPLEMENTATION_SLOT).to_bytes(20, "big") == target
    assert evm.storage(proxy, ADMIN_SLOT).to_bytes(20, "big") == predeploys.PROXY_ADMIN
    assert target == bytes.fromhex("c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3") + proxy[-2:]
    evm.state.set_code(TARGET, NEW_CODE)
    upgrade = call_data("upgrade(address,address)", proxy, TARGET)
    with pytest.raises(Reverted) as refusal:
        evm.send(predeploys.PROXY_ADMIN, upgrade)
    assert refusal.value.reason == "Ownable: caller is not the owner"
    evm.send(predeploys.PROXY_ADMIN, upgrade, sender=OWNER.address)
    assert evm.send(proxy, b"\x12\x34\x56\x78").output == (5).to_bytes(32, "big")


def test_a_stranger_cannot_manage_a_proxy() -> None:
    evm = l2()
    for attempt in (call_data("upgradeTo(address)", TARGET), call_data("changeAdmin(address)", TARGET)):
        with pytest.raises(Reverted):
            evm.send(predeploys.L1_BLOCK, attempt)
    assert evm.storage(predeploys.L1_BLOCK, IMPLEMENTATION_SLOT).to_bytes(20, "big") != TARGET


@pytest.mark.parametrize(
    ("fork", "intent", "proxy"),
    [
        ("ecotone", "Ecotone: L1 Block Proxy Update", predeploys.L1_BLOCK),
        ("fjord", "Fjord: Gas Price Oracle Proxy Update", predeploys.GAS_PRICE_ORACLE),
        ("isthmus", "Isthmus: Operator Fee Vault Proxy Update", predeploys.OPERATOR_FEE_VAULT),
    ],
)
def test_upgrade_deposits_from_address_zero_reach_the_proxies(fork: str, intent: str, proxy: bytes) -> None:
    evm = l2()
    (data,) = (
        bytes.fromhex(deposit["decoded"]["data"][2:])
        for deposit in load("upgrades", "upgrade_deposits")["forks"][fork]
        if deposit["intent"] == intent
    )
    (log,) = evm.send(proxy, data, sender=bytes(20), gas=50_000).logs
    assert log.topics == [topic("Upgraded(address)"), data[4:36]]
    assert evm.storage(proxy, IMPLEMENTATION_SLOT) == int.from_bytes(data[4:], "big")


def test_proxy_admin_reads_and_hands_over() -> None:
    evm, admin = l2(), predeploys.PROXY_ADMIN
    target = implementation_address(predeploys.L1_BLOCK)
    assert evm.call(admin, "owner()(address)") == "0x" + OWNER.address.hex()
    assert evm.call(admin, "getProxyImplementation(address)(address)", predeploys.L1_BLOCK) == "0x" + target.hex()
    assert evm.call(admin, "getProxyAdmin(address)(address)", predeploys.L1_BLOCK) == "0x" + admin.hex()
    evm.call(admin, "changeProxyAdmin(address,address)", predeploys.L1_BLOCK, TARGET, sender=OWNER.address)
    assert evm.call(predeploys.L1_BLOCK, "admin()(address)", sender=TARGET) == "0x" + TARGET.hex()
    evm.call(admin, "transferOwnership(address)", TARGET, sender=OWNER.address)
    with pytest.raises(Reverted):
        evm.call(admin, "transferOwnership(address)", ANYONE, sender=OWNER.address)


def test_upgrade_and_call_runs_the_new_code_on_the_proxys_storage() -> None:
    evm = l2()
    evm.state.set_code(TARGET, bytes.fromhex("6001600955 00".replace(" ", "")))  # slot 9 = 1
    function = "upgradeAndCall(address,address,bytes)"
    proxy = predeploys.L1_BLOCK
    evm.call(predeploys.PROXY_ADMIN, function, proxy, TARGET, b"", sender=OWNER.address)
    assert (evm.storage(proxy, 9), evm.storage(TARGET, 9)) == (1, 0)


def test_permit2_computes_this_chains_domain_separator() -> None:
    fields = (topic("EIP712Domain(string name,uint256 chainId,address verifyingContract)"), keccak256(b"Permit2"))
    words = [*fields, (901).to_bytes(32, "big"), predeploys.PERMIT2.rjust(32, b"\0")]
    assert l2().call(predeploys.PERMIT2, "DOMAIN_SEPARATOR()(bytes32)") == keccak256(b"".join(words))


def test_multicall_and_the_deterministic_deployer_work() -> None:
    evm = l2()
    assert evm.call(predeploys.MULTICALL3, "getChainId()(uint256)") == 901
    init = bytes.fromhex("600160005360016000f3")  # a contract of one byte, STOP's neighbour 0x01
    out = evm.send(predeploys.DETERMINISTIC_DEPLOYMENT_PROXY, bytes(32) + init).output
    expected = keccak256(b"\xff" + predeploys.DETERMINISTIC_DEPLOYMENT_PROXY + bytes(32) + keccak256(init))[12:]
    assert out == expected
    assert evm.state.get_code(expected) == b"\x01"
    assert evm.call(predeploys.CREATE2_DEPLOYER, "computeAddress(bytes32,bytes32)(address)", b"\1" * 32, b"\2" * 32)


def test_history_and_beacon_roots_answer_what_the_system_calls_wrote() -> None:
    evm = l2()
    evm.set_block(number=10, timestamp=5_000)
    system = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")
    for address, question in ((predeploys.HISTORY_STORAGE, 9), (predeploys.BEACON_ROOTS, 5_000)):
        evm.send(address, b"\xab" * 32, sender=system)
        assert evm.send(address, question.to_bytes(32, "big")).output == b"\xab" * 32


def test_selectors_of_the_attributes_are_the_specified_ones() -> None:
    # specs protocol/{ecotone,isthmus,jovian}/l1-attributes.md.
    assert selector("setL1BlockValuesEcotone()").hex() == "440a5e20"
    assert selector("setL1BlockValuesIsthmus()").hex() == "098999be"
    assert selector("setL1BlockValuesJovian()").hex() == "3db6be2b"
