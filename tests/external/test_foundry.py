"""Foundry on a node in mode native: its programs execute contracts themselves, with the code that the account holds."""

import json
import os
import shutil
import subprocess

import pytest

from attribution_precompile import ADDRESS_BYTES
from rollup.protocol.accounts import USERS
from rollup.protocol.primitives import keccak256
from tests.external.conftest import SCRIPTS, failed, need_package
from tests.external.op_stack import Program, free_port
from tests.node.node_process import L2, NodeProcess, RpcFailure, call

pytestmark = [pytest.mark.external, pytest.mark.timeout(300)]

FOUNDRY, SOLC = "1.7.1", "0.8.30"
ATTRIBUTION = "0x" + ADDRESS_BYTES.hex()
KEY = "0x" + USERS[4].private_key.hex()
ONE = "0x" + format(1, "064x")
TOML = """[profile.default]
evm_version = "prague"
solc = "{solc}"
"""


class Foundry:
    """Foundry's programs out of node_modules, in a project of their own."""

    def __init__(self, folder, packages):
        self.folder = folder
        self._packages = packages
        shutil.copytree(SCRIPTS / "foundry", folder)
        solc = folder / "solc"
        solc.write_text(f'#!/bin/sh\nexec node "{folder / "solc.mjs"}" "{packages.resolve()}" "$@"\n')
        solc.chmod(0o755)
        (folder / "foundry.toml").write_text(TOML.format(solc=solc))

    def path(self, program):
        return (self._packages / "node_modules" / ".bin" / program).resolve()

    def run(self, program, *words, **environment):
        """The output of a program. If the program fails, the test fails with the program's own words."""
        done = subprocess.run(
            [str(self.path(program)), *map(str, words)],
            cwd=self.folder,
            env={**os.environ, "NO_COLOR": "1", **environment},
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert (done.returncode, failed(done.stderr)) == (0, False), done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def foundry(tmp_path_factory):
    need_package("solc", SOLC)
    for name in ("forge", "cast", "anvil"):
        packages = need_package(f"@foundry-rs/{name}", FOUNDRY)
    return Foundry(tmp_path_factory.mktemp("foundry") / "project", packages)


def created(node, foundry):
    """The hash of a transaction to the precompile, with the gas that the node estimated."""
    words = ("send", ATTRIBUTION, "createDatanet(bytes32)", ONE, "--private-key", KEY, "--json")
    receipt = json.loads(foundry.run("cast", *words, "--rpc-url", node.url(L2)))
    assert receipt["status"] == "0x1"
    return receipt["transactionHash"]


def test_forge_test_on_a_fork_calls_the_precompile(node, foundry):
    said = json.loads(foundry.run("forge", "test", "--offline", "--json", "--fork-url", node.url(L2)))
    (suite,) = said.values()
    results = suite["test_results"]
    assert len(results) == 3
    assert {result["status"] for result in results.values()} == {"Success"}


def test_a_forge_script_is_simulated_and_then_sent(node, foundry):
    words = ("script", "--offline", "script/Deploy.s.sol", "--broadcast", "--private-key", KEY)
    foundry.run("forge", *words, "--rpc-url", node.url(L2))
    done = json.loads((foundry.folder / "broadcast/Deploy.s.sol/901/run-latest.json").read_text())
    receipts = [call(node.url(L2), "eth_getTransactionReceipt", item["transactionHash"]) for item in done["receipts"]]
    assert [receipt["status"] for receipt in receipts] == ["0x1", "0x1"]
    assert [log["address"] for log in receipts[1]["logs"]] == [ATTRIBUTION]


def test_cast_call_traces_into_the_code(node, foundry):
    said = foundry.run("cast", "call", "--trace", ATTRIBUTION, "version()(uint64)", "--rpc-url", node.url(L2))
    assert f"[Return] {ONE}" in said
    assert "Transaction successfully executed" in said


def test_cast_run_repeats_a_transaction_with_the_gas_that_it_had(node, foundry):
    said = foundry.run("cast", "run", created(node, foundry), "--rpc-url", node.url(L2), FOUNDRY_NETWORK="optimism")
    assert "[Return]" in said
    assert "Transaction successfully executed" in said


def test_cast_run_knows_the_chain_by_an_op_stack_chain_id(foundry):
    with NodeProcess("--block-time", 1, "--l1-block-time", 1, "--l2-chain-id", 10) as node:
        assert node.wait_for("L1BlockMined")
        said = foundry.run("cast", "run", created(node, foundry), "--rpc-url", node.url(L2))
    assert "Transaction successfully executed" in said


def test_a_fork_in_anvil_goes_on_with_the_precompile(node, foundry, tmp_path):
    """Snapshots, time and impersonation are anvil's; the fork runs the account's code."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path / "anvil.log"
    with Program(log, foundry.path("anvil"), "--fork-url", node.url(L2), "--port", port, "--silent") as anvil:
        anvil.wait_for(url)
        words = ("send", ATTRIBUTION, "createDatanet(bytes32)", ONE, "--private-key", KEY, "--json", "--rpc-url", url)
        receipt = json.loads(foundry.run("cast", *words))
        assert (receipt["status"], len(receipt["logs"])) == ("0x1", 1)
        with pytest.raises(RpcFailure, match="revert"):
            call(url, "eth_call", {"to": ATTRIBUTION, "data": unknown_model()}, "latest")


def test_a_typed_error_is_named_by_the_node_alone(node):
    with pytest.raises(RpcFailure, match=r"execution reverted: UnknownModel\(77\)"):
        call(node.url(L2), "eth_call", {"to": ATTRIBUTION, "data": unknown_model()}, "latest")


def unknown_model():
    return "0x" + (keccak256(b"usage(uint64)")[:4] + (77).to_bytes(32, "big")).hex()
