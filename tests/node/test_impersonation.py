"""Impersonation: any account sends on both layers, without its key, and the verifier stays equal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.cheats import Cheats
from rollup.l1 import contracts
from rollup.protocol.accounts import USERS
from rollup.protocol.deposits import TRANSACTION_DEPOSITED
from rollup.protocol.known_transactions import known_or_decoded
from rollup.protocol.transaction import DYNAMIC_FEE, LEGACY, Transaction, TransactionError, decode_transaction
from rollup.rpc.dispatch import is_local_caller
from tests.node.asking import asking, node_with_safe
from tests.node.test_snapshots import open_node, settle, state_of

WHALE, NOBODY = "0x" + "ab" * 20, "0x" + "cd" * 20
ETHER = 10**18


@pytest.fixture
def node():
    with node_with_safe(3) as node:
        yield node


@pytest.fixture
def ask(node):
    return asking(node)


@pytest.fixture
def whale(ask):
    """An account with coins on both layers, and with code on both."""
    for port in ("l1", "l2"):
        ask(port, "anvil_setBalance", WHALE, hex(5 * ETHER))
        ask(port, "anvil_setCode", WHALE, "0x00")
        ask(port, "anvil_impersonateAccount", WHALE)
    return WHALE


def test_on_l2_the_receipt_is_there_when_the_method_has_answered(node, ask, whale):
    sent = ask("l2", "eth_sendTransaction", {"from": whale, "to": NOBODY, "value": hex(ETHER), "gasPrice": "0x1"})
    receipt = ask("l2", "eth_getTransactionReceipt", sent["result"])["result"]
    assert (receipt["status"], receipt["type"], receipt["from"]) == ("0x1", "0x7e", whale)
    assert ask("l2", "eth_getBalance", NOBODY)["result"] == hex(ETHER)
    assert ask("l2", "eth_getBalance", whale)["result"] == hex(4 * ETHER)  # no fees
    assert ask("l1", "eth_getBalance", whale)["result"] == hex(5 * ETHER)
    settle(node)
    assert node.verifier.chain.find_transaction(bytes.fromhex(sent["result"][2:])) is not None


def test_the_receipt_is_answered_where_it_is_asked_for_at_once(node, ask, whale):
    receipt = ask("l2", "eth_sendTransactionSync", {"from": whale, "to": NOBODY, "value": hex(ETHER)})["result"]
    assert (receipt["status"], receipt["type"], receipt["from"]) == ("0x1", "0x7e", whale)
    assert receipt == ask("l2", "eth_getTransactionReceipt", receipt["transactionHash"])["result"]
    settle(node)


def test_on_l2_the_senders_nonce_counts_and_a_contract_can_be_made(node, ask, whale):
    before = int(ask("l2", "eth_getTransactionCount", whale)["result"], 16)
    sent = ask(
        "l2", "eth_sendTransaction", {"from": whale, "data": "0x6001600c60003960016000f300", "nonce": hex(before)}
    )
    receipt = ask("l2", "eth_getTransactionReceipt", sent["result"])["result"]
    assert ask("l2", "eth_getCode", receipt["contractAddress"])["result"] == "0x00"
    assert int(ask("l2", "eth_getTransactionCount", whale)["result"], 16) == before + 1
    settle(node)


def test_on_l1_a_contract_sends_and_pays_in_the_next_block(node, ask, whale):
    sent = ask("l1", "eth_sendTransaction", {"from": whale, "to": NOBODY, "value": "0x7"})["result"]
    assert ask("l1", "eth_getTransactionReceipt", sent)["result"] is None
    ask("l1", "evm_mine")
    receipt = ask("l1", "eth_getTransactionReceipt", sent)["result"]
    assert (receipt["status"], receipt["from"]) == ("0x1", whale)
    assert int(ask("l1", "eth_getBalance", whale)["result"], 16) < 5 * ETHER - 7
    trace = ask("l1", "debug_traceTransaction", sent, {"tracer": "callTracer"})["result"]
    assert trace["from"] == whale
    settle(node)


def test_an_l1_transaction_waits_in_the_pool_across_a_restart(tmp_path):
    first = open_node(tmp_path)
    ask = asking(first)
    ask("l1", "anvil_setBalance", WHALE, hex(ETHER))
    ask("l1", "anvil_impersonateAccount", WHALE)
    sent = ask("l1", "eth_sendTransaction", {"from": WHALE, "to": NOBODY, "value": "0x7"})["result"]
    first.close()
    again = open_node(tmp_path)
    ask = asking(again)
    assert ask("l1", "eth_getTransactionByHash", sent)["result"]["from"] == WHALE
    ask("l1", "evm_mine")
    assert ask("l1", "eth_getTransactionReceipt", sent)["result"]["status"] == "0x1"
    again.close()


def test_after_an_l1_reorganisation_the_deposit_comes_again(node, ask, whale):
    sent = ask("l2", "eth_sendTransaction", {"from": whale, "to": NOBODY, "value": "0x7"})["result"]
    Cheats(node).l1.reorg(1)
    assert ask("l2", "eth_getTransactionReceipt", sent)["result"] is None
    assert int(ask("l2", "eth_getBalance", NOBODY)["result"], 16) == 0
    ask("l1", "anvil_mine", "0x2")
    assert ask("l2", "eth_getBalance", NOBODY)["result"] == "0x7"
    settle(node)


def test_only_impersonated_accounts_send_without_a_key(ask):
    request = {"from": WHALE, "to": NOBODY, "value": "0x0"}
    for port in ("l1", "l2"):
        ask(port, "anvil_setBalance", WHALE, hex(ETHER))
        assert ask(port, "eth_sendTransaction", request)["error"]["message"] == "unknown account"
        for begin, end in (
            (("hardhat_impersonateAccount", WHALE), ("hardhat_stopImpersonatingAccount", WHALE)),
            (("anvil_autoImpersonateAccount", True), ("anvil_autoImpersonateAccount", False)),
        ):
            assert ask(port, *begin)["result"] is None
            assert "result" in ask(port, "eth_sendTransaction", request)
            assert ask(port, *end)["result"] is None
            assert "error" in ask(port, "eth_sendTransaction", request)
        assert "result" in ask(port, "eth_sendUnsignedTransaction", request)
        ask(port, "anvil_impersonateAccount", WHALE)
        assert ask(port, "eth_accounts")["result"][-1] == WHALE
        assert WHALE not in ask("verifier", "eth_accounts")["result"]


def test_an_account_with_a_key_signs(node, ask):
    user = "0x" + USERS[0].address.hex()
    ask("l2", "anvil_autoImpersonateAccount", True)
    sent = ask("l2", "eth_sendTransaction", {"from": user, "to": NOBODY, "value": "0x1"})["result"]
    assert node.l2.pool.get(bytes.fromhex(sent[2:])) is not None


@pytest.mark.parametrize(
    ("port", "fields", "reason"),
    [
        ("l2", {"nonce": "0x9"}, "nonce too high"),
        ("l2", {"value": hex(6 * ETHER), "gas": "0x5208"}, "insufficient funds"),
        ("l2", {"gas": hex(30_000_000)}, "portal refuses"),
        ("l2", {"accessList": [{"address": NOBODY, "storageKeys": []}]}, "is a deposit"),
        ("l1", {"to": "0x" + contracts.BATCH_INBOX.hex(), "gas": "0x7530"}, "batcher's signature"),
        ("l1", {"value": hex(6 * ETHER), "gas": "0x5208"}, "insufficient funds"),
    ],
)
def test_a_call_that_cannot_be_sent_is_refused_and_changes_nothing(node, ask, whale, port, fields, reason):
    before = state_of(node)
    answer = ask(port, "eth_sendTransaction", {"from": whale, "to": NOBODY, **fields})
    assert reason in answer["error"]["message"]
    assert state_of(node) == before


def test_a_stopped_sequencer_refuses_it(node, ask, whale):
    node.sequencer.stop()
    before = state_of(node)
    assert "stopped" in ask("l2", "eth_sendTransaction", {"from": whale, "to": NOBODY})["error"]["message"]
    assert state_of(node) == before


def test_strict_and_callers_from_elsewhere_are_refused(node, ask, whale):
    request = {"from": whale, "to": NOBODY, "gas": "0x5208"}
    strict = asking(node, is_strict=True)
    before = state_of(node)
    for port in ("l1", "l2"):
        assert "--strict" in strict(port, "eth_sendUnsignedTransaction", request)["error"]["message"]
        assert strict(port, "eth_sendTransaction", request)["error"]["message"] == "unknown account"
        token = is_local_caller.set(False)
        try:
            for method in ("eth_sendTransaction", "eth_sendUnsignedTransaction"):
                assert "from this machine" in ask(port, method, request)["error"]["message"]
        finally:
            is_local_caller.reset(token)
    assert state_of(node) == before


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=20, max_size=20), st.sampled_from([LEGACY, DYNAMIC_FEE]), st.sampled_from([None, 1, 900]))
def test_the_bytes_of_an_impersonated_transaction_do_not_recover_its_sender(sender, tx_type, chain_id):
    transaction = Transaction(tx_type, to=bytes(20), gas_limit=21_000, chain_id=chain_id).impersonated(sender)
    assert transaction.is_impersonated
    read = decode_transaction(transaction.encode())
    assert not read.is_impersonated
    assert read.hash == transaction.hash
    try:
        assert read.sender != sender
    except TransactionError:
        pass
    assert not read.is_impersonated


def test_an_impersonated_transaction_is_not_shared_by_its_bytes(node, ask, whale):
    sent = ask("l1", "eth_sendTransaction", {"from": whale, "to": NOBODY, "value": "0x7"})["result"]
    transaction = node.l1.pool.get(bytes.fromhex(sent[2:]))
    assert transaction.sender == bytes.fromhex(whale[2:])
    assert not known_or_decoded(transaction.encode()).is_impersonated


def test_the_portal_s_event_names_the_sender_without_an_alias(node, ask, whale):
    ask("l2", "eth_sendTransaction", {"from": whale, "to": NOBODY})
    receipts = [item for item in node.l1.chain.receipts(node.l1.chain.head.hash) if item.logs]
    (log,) = receipts[-1].logs
    assert log.topics[:2] == (TRANSACTION_DEPOSITED, bytes(12) + bytes.fromhex(whale[2:]))
