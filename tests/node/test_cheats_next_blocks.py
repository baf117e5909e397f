"""Cheats for the next blocks, tokens and whole states: what was set is there, and the verifier is equal."""

import gzip
import json

import pytest

from rollup.cheats import Cheats
from rollup.protocol.accounts import USERS
from tests.node.asking import asking, node_with_safe
from tests.node.test_snapshots import open_node, send, settle, state_of

SOMEONE, OTHER, TOKEN = "0x" + "ab" * 20, "0x" + "cd" * 20, "0x" + "70" * 20
WORD = "0x" + "07" * 32


@pytest.fixture
def node():
    with node_with_safe(3) as node:
        yield node


@pytest.fixture
def ask(node):
    return asking(node)


def head(ask, port):
    return ask(port, "eth_getBlockByNumber", "latest", False)["result"]


def test_the_next_l1_block_has_what_was_set_and_the_one_after_it_has_not(node, ask):
    usual = head(ask, "l1")
    assert ask("l1", "anvil_setNextBlockBaseFeePerGas", "0x77359400")["result"] is None
    assert ask("l1", "hardhat_setPrevRandao", WORD)["result"] is None
    assert ask("l1", "anvil_setCoinbase", SOMEONE)["result"] is None
    assert ask("l1", "evm_setBlockGasLimit", "0x1c9c380")["result"] is True
    send(node, "l1", 1, 2)
    ask("l1", "evm_mine")
    block = head(ask, "l1")
    assert (block["baseFeePerGas"], block["mixHash"], block["miner"]) == ("0x77359400", WORD, SOMEONE)
    assert block["gasLimit"] == "0x1c9c380"
    assert len(block["transactions"]) >= 1
    assert int(ask("l1", "eth_getBalance", SOMEONE)["result"], 16) > 0
    ask("l1", "evm_mine")
    after = head(ask, "l1")
    assert after["mixHash"] != WORD
    assert int(after["baseFeePerGas"], 16) < 2 * 10**9  # by EIP-1559 from the one that was set
    assert (after["miner"], after["gasLimit"]) == (SOMEONE, "0x1c9c380")
    assert usual["gasLimit"] != after["gasLimit"]
    assert head(ask, "l2")["mixHash"] in (WORD, after["mixHash"])
    settle(node)


def test_l2_s_gas_limit_comes_from_its_owner_on_l1(node, ask):
    assert ask("l2", "evm_setBlockGasLimit", "0x2625a00")["result"] is True
    assert head(ask, "l2")["gasLimit"] == "0x2625a00"
    settle(node)
    before = state_of(node)
    assert "too low" in ask("l2", "evm_setBlockGasLimit", "0x1")["error"]["message"]
    assert "too high" in ask("l2", "evm_setBlockGasLimit", hex(10**9))["error"]["message"]
    assert state_of(node) == before


def test_l1_blocks_keep_the_interval_that_was_set(node, ask):
    assert ask("l1", "anvil_setBlockTimestampInterval", 12)["result"] is None
    first = int(head(ask, "l1")["timestamp"], 16)
    ask("l1", "anvil_mine", "0x2")
    assert int(head(ask, "l1")["timestamp"], 16) == first + 24
    assert ask("l1", "anvil_removeBlockTimestampInterval")["result"] is True
    assert ask("l1", "anvil_removeBlockTimestampInterval")["result"] is False
    ask("l1", "evm_mine")
    assert int(head(ask, "l1")["timestamp"], 16) == first + 28
    assert "slots of 4 s" in ask("l1", "anvil_setBlockTimestampInterval", 5)["error"]["message"]
    assert "every 2 s" in ask("l2", "anvil_setBlockTimestampInterval", 4)["error"]["message"]
    assert ask("l2", "anvil_setBlockTimestampInterval", 2)["result"] is None
    settle(node)


@pytest.mark.parametrize(
    ("port", "method", "argument", "reason"),
    [
        ("l2", "anvil_setCoinbase", SOMEONE, "SequencerFeeVault"),
        ("l2", "anvil_setNextBlockBaseFeePerGas", "0x1", "by rule"),
        ("l2", "hardhat_setPrevRandao", WORD, "L1 origin's"),
        ("l1", "anvil_setMinGasPrice", "0x1", "EIP-1559"),
        ("l2", "anvil_setRpcUrl", "http://localhost", "not a fork"),
        ("l2", "anvil_setChainId", 5, "rollup.json"),
        ("l1", "evm_setBlockGasLimit", "0x1", "from 2000000"),
        ("l1", "anvil_reset", {"forking": {"jsonRpcUrl": "http://localhost"}}, "not a fork"),
        ("l2", "anvil_loadState", "0x1234", "openrollup run --load"),
        ("l2", "anvil_loadState", "0x1f8b00", "not a state of anvil"),
    ],
)
def test_an_invalid_setting_is_refused_and_changes_nothing(node, ask, port, method, argument, reason):
    before = state_of(node)
    assert reason in ask(port, method, argument)["error"]["message"]
    assert state_of(node) == before


# ---------------------------------------------------------------- tokens
def push(value, size):
    return bytes([0x5F + size]) + value.to_bytes(size, "big")


def token():
    """balanceOf(a): slot keccak(a, 5); allowance(a, b): slot keccak(b, keccak(a, 6)); written by hand."""
    load = push(4, 1) + b"\x35" + push(0, 1) + b"\x52"  # CALLDATALOAD(4) to memory 0

    def mapping_slot(slot):
        return push(slot, 1) + push(32, 1) + b"\x52" + push(64, 1) + push(0, 1) + b"\x20"

    answer = b"\x54" + push(0, 1) + b"\x52" + push(32, 1) + push(0, 1) + b"\xf3"
    balance = b"\x5b" + load + mapping_slot(5) + answer
    inner = load + mapping_slot(6) + push(32, 1) + b"\x52" + push(36, 1) + b"\x35" + push(0, 1) + b"\x52"
    start = push(0, 1) + b"\x35" + push(224, 1) + b"\x1c" + push(0x70A08231, 4) + b"\x14"
    allowance = inner + push(64, 1) + push(0, 1) + b"\x20" + answer
    place = len(start) + 3 + len(allowance)
    return start + push(place, 1) + b"\x57" + allowance + balance


def word(address):
    return address[2:].rjust(64, "0")


@pytest.mark.parametrize("port", ["l1", "l2"])
def test_a_token_s_balance_and_allowance_are_set(node, ask, port):
    ask(port, "anvil_setCode", TOKEN, "0x" + token().hex())
    for amount in (5, 0, 7):
        assert ask(port, "anvil_dealERC20", SOMEONE, TOKEN, hex(amount)).get("result", 0) is None
        answer = ask(port, "eth_call", {"to": TOKEN, "data": "0x70a08231" + word(SOMEONE)}, "latest")["result"]
        assert int(answer, 16) == amount
    assert ask(port, "anvil_setERC20Allowance", SOMEONE, OTHER, TOKEN, "0x9")["result"] is None
    data = "0xdd62ed3e" + word(SOMEONE) + word(OTHER)
    assert int(ask(port, "eth_call", {"to": TOKEN, "data": data}, "latest")["result"], 16) == 9
    before = state_of(node)
    assert "no slot found" in ask(port, "anvil_dealERC20", SOMEONE, OTHER, "0x1")["error"]["message"]
    assert state_of(node) == before
    settle(node)


# ---------------------------------------------------------------- whole states
def test_a_dumped_state_is_loaded_again_and_again(node, ask):
    send(node, "l2", 1, 2)
    dumped, then = ask("l2", "anvil_dumpState")["result"], state_of(node)
    for _ in range(2):
        ask("l1", "anvil_mine", "0x3")
        assert state_of(node) != then
        assert ask("l1", "hardhat_loadState", dumped)["result"] is True
        assert state_of(node) == then
    settle(node)


def test_a_dump_of_another_node_is_refused_and_changes_nothing(node, ask):
    other = open_node(seed=5)
    dumped = "0x" + other.dump().hex()
    other.close()
    before = state_of(node)
    for port in ("l1", "l2"):
        error = ask(port, "anvil_loadState", dumped)["error"]
        assert error["message"].endswith("openrollup run --load FILE starts from one")
    assert state_of(node) == before


@pytest.mark.parametrize("pack", [lambda text: gzip.compress(text, mtime=0), bytes], ids=["packed", "plain"])
def test_a_state_of_anvil_is_added_in_a_new_block(node, ask, pack):
    portal = "0x" + node.devnet.rollup_config.deposit_contract_address.hex()
    accounts = {
        SOMEONE: {"nonce": 3, "balance": "0x64", "code": "0x6001", "storage": {"0x" + "00" * 31 + "01": WORD}},
        portal: {"nonce": 0, "balance": "0x0", "code": "0x", "storage": {}},
    }
    state = pack(json.dumps({"accounts": accounts, "blocks": []}).encode())
    code = ask("l1", "eth_getCode", portal)["result"]
    for port in ("l1", "l2"):
        assert ask(port, "anvil_loadState", "0x" + state.hex())["result"] is True
        assert ask(port, "eth_getBalance", SOMEONE)["result"] == "0x64"
        assert ask(port, "eth_getTransactionCount", SOMEONE)["result"] == "0x3"
        assert ask(port, "eth_getStorageAt", SOMEONE, "0x1")["result"] == WORD
    assert ask("l1", "eth_getCode", portal)["result"] == code  # the rollup's own contracts stay
    settle(node)


def test_a_reset_takes_both_layers_to_the_beginning(node, ask):
    number = ask("l2", "evm_snapshot")["result"]
    user = "0x" + USERS[1].address.hex()
    balance = ask("l2", "eth_getBalance", user)["result"]
    ask("l2", "anvil_setBalance", user, "0x1")
    assert ask("l1", "anvil_reset", {"forking": {"blockNumber": None}})["result"] is True
    for chain in (node.l1.chain, node.l2.chain, node.verifier.chain):
        assert chain.head.number == 0
    assert ask("l2", "eth_getBalance", user)["result"] == balance
    assert ask("l2", "evm_revert", number)["result"] is False
    node.run_until_safe(5)
    settle(node)


def test_a_reset_without_the_first_states_changes_nothing(node, ask):
    for chain in (node.l1.chain, node.l2.chain, node.verifier.chain):
        chain.states.history = 2
    node.run_until_safe(80)
    before = state_of(node)
    assert "--archive" in ask("l2", "hardhat_reset")["error"]["message"]
    assert state_of(node) == before


def test_a_node_that_resumed_does_not_know_its_beginning(tmp_path):
    open_node(tmp_path).close()
    node = open_node(tmp_path)
    node.run_until_safe(3)
    node.close()
    node = open_node(tmp_path)
    with pytest.raises(ValueError, match="began with a chain that was kept"):
        Cheats(node).reset()
    node.close()
