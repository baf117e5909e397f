"""Subcommands of cast on both layers, each against what the node answers to a plain JSON-RPC call."""

import json
import os
import subprocess

import pytest

from rollup.protocol.accounts import USERS
from tests.external.conftest import failed, need_package
from tests.node.node_process import L1, L2, call
from tests.rpc.story import TOPIC_A, TOPIC_B, contract_code, init_code

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(600)]

VERSION = "1.7.1"
KEY, WHO = "0x" + USERS[6].private_key.hex(), "0x" + USERS[6].address.hex()
OTHER = "0x" + USERS[7].address.hex()
A, B = "0x" + TOPIC_A.hex(), "0x" + TOPIC_B.hex()


class Cast:
    """cast on one layer, and a contract there that logs, writes and reads."""

    def __init__(self, path, layer, url):
        self._path, self.layer, self.url = path, layer, url
        created = self.json("send", "--private-key", KEY, "--create", "0x" + init_code(contract_code()).hex())
        self.contract = created["contractAddress"]
        self.logging = self.json("send", "--private-key", KEY, self.contract, "0x00")
        self.json("send", "--private-key", KEY, self.contract, "0x05")
        self.block, self.hash = int(self.logging["blockNumber"], 16), self.logging["transactionHash"]

    def run(self, command, *words, with_url=True):
        """The output of a program. If the program fails, the test fails with the program's own words."""
        words = command, *(("--rpc-url", self.url) if with_url else ()), *words
        # cast run re-executes by the rules of L1 unless this or the chain's id tells it otherwise.
        network = {"FOUNDRY_NETWORK": "optimism"} if self.layer == L2 and command == "run" else {}
        done = subprocess.run(
            [str(self._path), *map(str, words)],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, **network},
        )
        # The wrapper from npm ends with 0 whatever its program ends with.
        assert (done.returncode, failed(done.stderr)) == (0, False), f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def json(self, command, *words):
        return json.loads(self.run(command, "--json", *words))

    def rpc(self, method, *params):
        return call(self.url, method, *params)

    def number(self, method, *params):
        return int(self.rpc(method, *params), 16)

    def at(self):
        return "--block", self.block


@pytest.fixture(scope="module", params=[L1, L2], ids=["l1", "l2"])
def cast(request, node):
    folder = need_package("@foundry-rs/cast", VERSION)
    return Cast((folder / "node_modules/.bin/cast").resolve(), request.param, node.url(request.param))


def traced(it):
    said = it.run("run", it.hash)
    return "emit" in said.lower() and "successfully executed" in said


def published(it):
    raw = it.run("mktx", "--private-key", KEY, OTHER, "--value", "3")
    decoded = json.loads(json.loads(it.run("decode-transaction", raw, with_url=False)))
    receipt = json.loads(it.run("publish", raw))
    name = it.run("keccak", raw, with_url=False)
    return (receipt["transactionHash"], receipt["status"], decoded["value"]) == (name, "0x1", "0x3")


def proof(it):
    given = it.json("proof", it.contract, "1", *it.at())
    return given == it.rpc("eth_getProof", it.contract, ["0x" + format(1, "064x")], hex(it.block))


def block_of(it):
    return it.rpc("eth_getBlockByNumber", hex(it.block), False)


def delegated(it):
    receipt = it.json("send", "--private-key", KEY, WHO, "--auth", it.contract)
    code = it.run("code", WHO)
    it.json("send", "--private-key", KEY, WHO, "--auth", "0x" + "00" * 20)
    return receipt["status"] == "0x1" and code == "0xef0100" + it.contract[2:].lower() and it.run("code", WHO) == "0x"


# By name: True where cast and the node agree.
CHECKS = {
    "access-list": lambda it: it.contract.lower() in it.run("access-list", it.contract, "0x05").lower(),
    "age": lambda it: bool(it.run("age", it.block)),
    "balance": lambda it: int(it.run("balance", WHO, *it.at())) == it.number("eth_getBalance", WHO, hex(it.block)),
    "balance in ether": lambda it: float(it.run("balance", "--ether", OTHER)) > 0,
    "base-fee": lambda it: int(it.run("base-fee", it.block)) == int(block_of(it)["baseFeePerGas"], 16),
    "block": lambda it: it.json("block", it.block)["hash"] == block_of(it)["hash"],
    "block as text": lambda it: block_of(it)["stateRoot"] in it.run("block", it.block),
    "block, full": lambda it: it.json("block", it.block, "--full")["transactions"][-1]["hash"] == it.hash,
    "block, one field": lambda it: (
        it.run("block", it.block, "--field", "timestamp") == str(int(block_of(it)["timestamp"], 16))
    ),
    "block by hash": lambda it: int(it.json("block", block_of(it)["hash"])["number"], 16) == it.block,
    "block by tag": lambda it: it.json("block", "finalized")["hash"] is not None,
    "block-number": lambda it: int(it.run("block-number")) >= it.block,
    "call": lambda it: int(it.run("call", it.contract, "--data", "0x07"), 16) == 42,
    "call at a block": lambda it: int(it.run("call", it.contract, "--data", "0x07", *it.at()), 16) == 0,
    "call with a trace": lambda it: "[Return]" in it.run("call", "--trace", it.contract, "--data", "0x07"),
    "chain-id": lambda it: int(it.run("chain-id")) == it.number("eth_chainId"),
    "chain": lambda it: bool(it.run("chain")),
    "client": lambda it: it.run("client") == it.rpc("web3_clientVersion"),
    "code": lambda it: it.run("code", it.contract) == "0x" + contract_code().hex(),
    "codehash": lambda it: (
        it.run("codehash", it.contract) == it.rpc("eth_getProof", it.contract, [], "latest")["codeHash"]
    ),
    "codesize": lambda it: int(it.run("codesize", it.contract)) == len(contract_code()),
    "compute-address": lambda it: "Computed Address" in it.run("compute-address", WHO),
    "delegation (EIP-7702)": delegated,
    "disassemble": lambda it: "LOG2" in it.run("disassemble", it.run("code", it.contract), with_url=False),
    "estimate": lambda it: int(it.run("estimate", "--from", WHO, it.contract, "0x05")) > 21_000,
    "find-block": lambda it: int(it.run("find-block", int(block_of(it)["timestamp"], 16))) == it.block,
    "gas-price": lambda it: int(it.run("gas-price")) > 0,
    "implementation": lambda it: it.run("implementation", it.contract) == "0x" + "00" * 20,
    "logs": lambda it: (
        [log["topics"] for log in it.json("logs", "--address", it.contract, "--from-block", it.block)] == [[A, B], [A]]
    ),
    "logs by topics": lambda it: len(it.json("logs", A, B, "--from-block", it.block, "--address", it.contract)) == 1,
    "mktx and publish": published,
    "nonce": lambda it: int(it.run("nonce", WHO)) == it.number("eth_getTransactionCount", WHO, "latest"),
    "proof": proof,
    "receipt": lambda it: it.json("receipt", it.hash)["logs"][0]["topics"] == [A, B],
    "receipt, one field": lambda it: it.run("receipt", it.hash, "status") == "true",
    "rpc": lambda it: int(json.loads(it.run("rpc", "eth_blockNumber")), 16) >= it.block,
    "run": traced,
    "send": lambda it: it.json("send", "--private-key", KEY, OTHER, "--value", "1")["status"] == "0x1",
    "send, legacy": lambda it: (
        it.json("send", "--legacy", "--private-key", KEY, OTHER, "--value", "1")["type"] == "0x0"
    ),
    "send by an account of the node": lambda it: (
        it.json("send", "--unlocked", "--from", OTHER, WHO, "--value", "1")["status"] == "0x1"
    ),
    "storage": lambda it: int(it.run("storage", it.contract, "1"), 16) == 42,
    "storage-root": lambda it: (
        it.run("storage-root", it.contract) == it.rpc("eth_getProof", it.contract, [], "latest")["storageHash"]
    ),
    "trace": lambda it: bool(it.run("trace", it.hash)),
    "tx": lambda it: it.json("tx", it.hash)["hash"] == it.hash,
    "tx, one field": lambda it: it.run("tx", it.hash, "from").lower() == WHO,
    "tx, raw": lambda it: it.run("tx", it.hash, "--raw") == it.rpc("eth_getRawTransactionByHash", it.hash),
    "tx-pool content": lambda it: (
        "pending" in json.loads(it.run("tx-pool", "content", "--rpc-url", it.url, with_url=False))
    ),
    "tx-pool status": lambda it: (
        "pending" in json.loads(it.run("tx-pool", "status", "--rpc-url", it.url, with_url=False))
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_cast_says_what_the_node_says(cast, name):
    assert CHECKS[name](cast)


def test_cast_names_a_failure(cast):
    with pytest.raises(AssertionError, match="execution reverted: no"):
        cast.run("call", cast.contract, "--data", "0x01")
