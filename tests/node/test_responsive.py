"""A node under hard work: it answers, builds blocks in time, keeps every transaction, and stops on SIGTERM."""

import threading
import time

import pytest
from eth_abi import encode

from rollup.l1 import contracts
from rollup.protocol.primitives import keccak256
from tests.node.node_process import L1, L2, NodeProcess, RpcFailure, call

# Init code that calls blake2f with so many rounds until its gas is gone.
LOOP = "63{rounds:08x}60e01b6000525b604061010060d5600060095afa50600b56"
ENDLESS_CALLS = "0x5b6000600060006000600460fffa50600056"
GAS = 59_000_000
LONGEST_ANSWER = 0.25  # seconds
BLOCK_TIME = 2  # seconds
MOST_LATE = 1.0  # seconds: a block is filled for so long


def blake2f_loop(rounds=1_000_000):
    return "0x" + LOOP.format(rounds=rounds)


def send_loops(node, url):
    limit = int(call(url, "eth_getBlockByNumber", "latest", False)["gasLimit"], 16)
    senders = [account["address"] for account in node.started["accounts"][:4]]
    gas = hex(min(GAS, limit - 1_000_000))
    return [call(url, "eth_sendTransaction", {"from": who, "data": blake2f_loop(), "gas": gas}) for who in senders]


def deposit_loop(node, gas):
    """A deposit whose creation runs the loop on L2."""
    arguments = encode(
        ["address", "uint256", "uint64", "bool", "bytes"],
        ["0x" + "00" * 20, 0, gas, True, bytes.fromhex(blake2f_loop()[2:])],
    )
    data = keccak256(b"depositTransaction(address,uint256,uint64,bool,bytes)")[:4] + arguments
    sender = node.started["accounts"][5]["address"]
    to = "0x" + contracts.OPTIMISM_PORTAL.hex()
    request = {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(25_000_000)}
    return call(node.url(L1), "eth_sendTransaction", request)


class Poller(threading.Thread):
    """Asks for the block number without pause; keeps the longest wait for an answer."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.longest, self.is_over = url, 0.0, False

    def run(self):
        while not self.is_over:
            begun = time.monotonic()
            call(self.url, "eth_blockNumber")
            self.longest = max(self.longest, time.monotonic() - begun)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_slow_transactions_on_both_layers_are_included_in_time_while_the_node_answers():
    """The bounds are those of an idle machine, plus what the node takes before it has anything to do."""
    with NodeProcess("--da=calldata", "--l1-block-time=4") as node:
        node.wait_for("L2BlockBuilt", lambda event: event["number"] >= 2)
        pollers = [Poller(node.url(name)) for name in (L1, L2)]
        for poller in pollers:
            poller.start()
        node.wait_for("L2BlockBuilt", lambda event: event["number"] >= 4)
        idle = max(poller.longest for poller in pollers)
        waiting = {(name, tx_hash) for name in (L1, L2) for tx_hash in send_loops(node, node.url(name))}
        late = include_all(node, waiting)
        deposit = {(L1, deposit_loop(node, 19_000_000))}
        include_all(node, deposit)
        node.wait_for("DepositIncluded")
        for poller in pollers:
            poller.is_over = True
            poller.join()
        assert max(poller.longest for poller in pollers) < LONGEST_ANSWER + idle
        assert late < MOST_LATE + idle


def include_all(node, waiting):
    """Waits until every transaction of these layers and hashes has its receipt, and asks for all of them after each
    L2 block. Returns the most seconds by which two L2 blocks were further apart than the block time."""
    most, before = 0.0, time.monotonic()
    while waiting:
        node.wait_for("L2BlockBuilt")
        most, before = max(most, time.monotonic() - before - BLOCK_TIME), time.monotonic()
        for name, tx_hash in sorted(waiting):
            assert call(node.url(name), "eth_getTransactionByHash", tx_hash) is not None
            if call(node.url(name), "eth_getTransactionReceipt", tx_hash) is not None:
                waiting.discard((name, tx_hash))
    return most


def test_blocks_are_built_while_calls_run_that_do_not_end():
    with NodeProcess("--da=calldata", "--block-time=1") as node:
        node.wait_for("L2BlockBuilt")
        target = "0x" + "cc" * 20
        answers = []

        def endless():
            try:
                call(node.url(L2), "eth_call", {"to": target}, "latest", {target: {"code": ENDLESS_CALLS}})
            except (RpcFailure, OSError) as error:
                answers.append(error)

        for _ in range(20):
            threading.Thread(target=endless, daemon=True).start()
        first = node.wait_for("L2BlockBuilt")["number"]
        node.wait_for("L2BlockBuilt", lambda event: event["number"] >= first + 3)
        assert not answers  # all of them still run
        node.process.terminate()
        node.rest()
        assert node.process.returncode == 0
        assert node.errors() == ""


@pytest.mark.parametrize("name", [L1, L2])
@pytest.mark.slow
def test_sigterm_ends_the_node_in_the_middle_of_a_slow_transaction(tmp_path, name):
    options = ("--da=calldata", f"--data-dir={tmp_path / 'chain'}", "--l1-block-time=2")
    with NodeProcess(*options) as node:
        node.wait_for("L2BlockBuilt")
        hashes = send_loops(node, node.url(name))
        node.wait_for("L2BlockBuilt")
        node.process.terminate()
        events = node.rest()
        assert node.process.returncode == 0
        assert node.errors().count("Traceback") == 0
        built = [event["number"] for event in events if event["event"] == "L2BlockBuilt"]
    with NodeProcess(*options) as again:
        assert again.started is not None
        assert again.wait_for("L2BlockBuilt")["number"] >= built[-1]
        for tx_hash in hashes:
            assert call(again.url(name), "eth_getTransactionByHash", tx_hash) is not None
