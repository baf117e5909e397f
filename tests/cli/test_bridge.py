"""`openrollup deposit` and `openrollup withdraw`, and the bridge examples, on a chain whose clock does not wait."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner
from eth_account import Account

from rollup.cli import main
from rollup.protocol.accounts import USERS
from tests.external.conftest import need_package
from tests.node.node_process import L1, L2, ROOT, NodeProcess, call

pytestmark = pytest.mark.timeout(120)
EXAMPLES = ROOT / "examples" / "bridge"


@pytest.fixture(scope="module")
def chain():
    """The endpoints of a node that builds as fast as it can."""
    with NodeProcess("--virtual-clock", "--da=calldata") as node:
        yield node


def run(node, *arguments, exit_code=0):
    options = ("--l1-url", node.url(L1), "--rpc-url", node.url(L2))
    result = CliRunner().invoke(main, [*map(str, arguments), *options], env={"NO_COLOR": "1"})
    assert result.exit_code == exit_code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def run_json(node, *arguments):
    return json.loads(run(node, *arguments, "--json").stdout)


def balance(url, address):
    return int(call(url, "eth_getBalance", address, "latest"), 16)


def test_a_deposit_arrives_on_l2(chain):
    receiver = Account.create().address
    result = run_json(chain, "deposit", "7gwei", "--to", receiver)
    assert balance(chain.url(L2), receiver) == 7 * 10**9
    receipt = call(chain.url(L2), "eth_getTransactionReceipt", result["l2Transaction"])
    assert (receipt["type"], int(receipt["blockNumber"], 16)) == ("0x7e", result["l2Block"])
    assert call(chain.url(L1), "eth_getTransactionReceipt", result["l1Transaction"])["status"] == "0x1"
    text = run(chain, "deposit", "1gwei")
    assert "deposited 0.000000001 OPEN" in text.stdout


def test_a_withdrawal_goes_step_by_step_and_each_step_can_be_repeated(chain):
    receiver = Account.create().address
    run(chain, "deposit", "1gwei")  # the portal must hold what it pays out
    started = run_json(chain, "withdraw", "start", "5", "--to", receiver)
    l2_hash = started["l2Transaction"]
    early = run(chain, "withdraw", "finalize", l2_hash, exit_code=1)
    assert f"openrollup withdraw prove {l2_hash}" in early.stderr
    proven = run_json(chain, "withdraw", "prove", l2_hash)
    assert proven["status"] == "proven"
    assert proven["outputBlock"] >= started["l2Block"]
    assert "nothing to do" in run(chain, "withdraw", "prove", l2_hash).stdout
    finalized = run_json(chain, "withdraw", "finalize", l2_hash)
    assert (finalized["status"], finalized["to"], finalized["amount"]) == ("finalized", receiver, "5")
    assert balance(chain.url(L1), receiver) == 5
    assert "nothing to do" in run(chain, "withdraw", "finalize", l2_hash).stdout
    assert "nothing to do" in run(chain, "withdraw", "prove", l2_hash).stdout
    assert balance(chain.url(L1), receiver) == 5


def test_an_error_is_one_sentence(chain):
    unknown = "0x" + "11" * 32
    paid = run_json(chain, "deposit", "1")["l2Transaction"]
    poor = "0x" + "77" * 32
    for arguments, message in (
        (("withdraw", "prove", unknown), "the L2 has no transaction"),
        (("withdraw", "finalize", paid), "started no withdrawal"),
        (("deposit", "1", "--portal", "0x" + "99" * 20), "has no OptimismPortal"),
        (("deposit", "1", "--private-key", poor), "insufficient funds|cannot pay"),
    ):
        found = run(chain, *arguments, exit_code=1).stderr
        assert any(part in found for part in message.split("|")), found
        assert len(found.strip().splitlines()) == 1


def test_a_missing_chain_is_refused_in_one_sentence():
    arguments = ["deposit", "1", "--l1-url", "http://127.0.0.1:9"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "does not answer: connection refused" in result.stderr


def settings(node, user):
    return {
        **os.environ,
        "L1_URL": node.url(L1),
        "L2_URL": node.url(L2),
        "PORTAL": node.started["contracts"]["L1 OptimismPortal"],
        "ORACLE": node.started["contracts"]["L1 L2OutputOracle"],
        "PRIVATE_KEY": "0x" + USERS[user].private_key.hex(),
    }


def finished(command, folder, environment, timeout):
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "withdrew 5 wei"


@pytest.mark.slow
def test_the_web3py_example(chain):
    finished([sys.executable, EXAMPLES / "web3py_bridge.py"], ROOT, settings(chain, 2), 60)


@pytest.mark.external
def test_the_ethers_example(chain):
    finished(["node", EXAMPLES / "ethers.mjs"], need_package("ethers"), settings(chain, 3), 60)


@pytest.mark.external
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_viem_example():
    """viem works out from block times how long it has to wait, so that this chain's clock must be the machine's."""
    folder = need_package("viem")
    with NodeProcess("--block-time", 1, "--l1-block-time", 1) as node:
        finished(["node", EXAMPLES / "viem.mjs"], folder, settings(node, 4), 300)
