"""Automine: the sender is answered when the block is there, through a front process as well."""

import json
import time
from urllib.request import Request, urlopen

import pytest

from rollup.protocol.accounts import USERS
from tests.node.node_process import L2, NodeProcess, call, transfer
from tests.rpc.front.raw_http import call as request

SENDER = "0x" + USERS[0].address.hex()


def raw(nonce, user=0):
    return "0x" + transfer(901, user, nonce).encode().hex()


def is_mined(url, tx_hash):
    return call(url, "eth_getTransactionReceipt", tx_hash) is not None


def batch(url, *requests):
    body = json.dumps(requests).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=20) as response:
        return [answer["result"] for answer in json.load(response)]


def wait_for_fronts(node, count):
    """Waits until the node has so many front processes that take connections."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with urlopen(node.url("op-node RPC") + "/health", timeout=20) as response:
            if json.load(response)["processes"]["front"] == count:
                return
    raise AssertionError("the front processes do not come")


@pytest.fixture(scope="module", params=[1, 2], ids=["alone", "with a front"])
def url(request):
    """The L2 port of a node whose blocks come once in a minute."""
    options = (f"--processes={request.param}", "--block-time=60", "--l1-block-time=120", "--da=calldata")
    with NodeProcess(*options, "--conditional-transactions") as node:
        wait_for_fronts(node, request.param - 1)
        yield node.url(L2)


@pytest.fixture
def nonce(url):
    """The next nonce of the sender on a node with automine."""
    assert call(url, "evm_setAutomine", True) is True
    return int(call(url, "eth_getTransactionCount", SENDER, "pending"), 16)


def test_a_transaction_is_mined_when_its_hash_is_answered(url, nonce):
    for later in range(3):
        assert is_mined(url, call(url, "eth_sendRawTransaction", raw(nonce + later)))
    assert call(url, "eth_getTransactionCount", SENDER) == hex(nonce + 3)


def test_every_method_that_sends_waits_for_the_block(url, nonce):
    assert is_mined(url, call(url, "eth_sendTransaction", {"from": SENDER, "to": SENDER}))
    assert is_mined(url, call(url, "eth_sendRawTransactionConditional", raw(nonce + 1), {}))
    receipt = call(url, "eth_sendRawTransactionSync", raw(nonce + 2))
    assert receipt["status"] == "0x1"


def test_all_of_a_batch_is_mined_when_it_is_answered(url, nonce):
    sends = [request("eth_sendRawTransaction", raw(nonce + later), ident=later) for later in range(5)]
    assert all(is_mined(url, tx_hash) for tx_hash in batch(url, *sends))
    mixed = request("eth_chainId"), request("eth_sendRawTransaction", raw(nonce + 5))
    assert is_mined(url, batch(url, *mixed)[1])


def test_what_no_block_can_take_is_answered_from_the_pool(url, nonce):
    gapped = call(url, "eth_sendRawTransaction", raw(nonce + 1))
    assert not is_mined(url, gapped)
    first = call(url, "eth_sendRawTransaction", raw(nonce))
    assert is_mined(url, first)
    assert is_mined(url, gapped)


def test_without_automine_the_answer_waits_for_no_block(url, nonce):
    assert call(url, "evm_setAutomine", False) is True
    sent = call(url, "eth_sendRawTransaction", raw(nonce))
    assert not is_mined(url, sent)
    assert call(url, "anvil_setAutomine", True) is True
    assert is_mined(url, call(url, "eth_sendRawTransaction", raw(nonce + 1)))
    assert is_mined(url, sent)
