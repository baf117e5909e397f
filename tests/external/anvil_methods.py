"""Writes docs/anvil.md: what anvil, L1 and L2 answer to each cheat, from calling all three.

    ANVIL=…/anvil python -m tests.external.anvil_methods

L1 and L2 are a node in this process, on a virtual clock. tests/docs/test_anvil_page.py asks them again.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from rollup.node import Node, NodeParams
from rollup.rpc.blob_cheat_api import BlobCheatApi
from rollup.rpc.block_cheat_api import BlockCheatApi
from rollup.rpc.cheat_api import CheatApi
from rollup.rpc.methods import declarations
from rollup.rpc.state_cheat_api import StateCheatApi
from rollup.rpc.token_cheat_api import TokenCheatApi
from rollup.serve import PORTS, NodeServers

PAGE = Path(__file__).parents[2] / "docs" / "anvil.md"
VERSION = "1.7.1"
SOMEONE, OTHER = "0x" + "ab" * 20, "0x" + "cd" * 20
WORD, TX = "0x" + "07" * 32, "0x" + "11" * 32
PRESENT, REFUSED, ABSENT = "yes", "refused", "no"
CHEATS = (CheatApi, BlockCheatApi, StateCheatApi, TokenCheatApi, BlobCheatApi)
OURS = {name for kind in CHEATS for _, declaration in declarations(kind) for name in declaration.names} | {
    "eth_sendUnsignedTransaction"
}
# Cheats of anvil that this node does not have.
OTHERS = {
    "anvil_enableTraces",
    "evm_addAccount",
}
# Parameters by the handler's names, the first of them; all others are called without any.
PARAMETERS = {
    "anvil_mine": ["0x1"],
    "evm_increaseTime": [4],
    "evm_setTime": ["later"],
    "evm_setNextBlockTimestamp": ["later"],
    "evm_revert": ["0x1"],
    "evm_setAutomine": [False],
    "evm_setIntervalMining": [0],
    "anvil_dropTransaction": [TX],
    "anvil_removePoolTransactions": [SOMEONE],
    "anvil_setBalance": [SOMEONE, hex(10**18)],
    "anvil_addBalance": [SOMEONE, "0x1"],
    "anvil_setCode": [OTHER, "0x6001"],
    "anvil_setNonce": [SOMEONE, "0x5"],
    "anvil_setStorageAt": [OTHER, "0x1", WORD],
    "anvil_impersonateAccount": [SOMEONE],
    "anvil_stopImpersonatingAccount": [SOMEONE],
    "anvil_autoImpersonateAccount": [True],
    "anvil_reorg": [1, []],
    "anvil_rollback": [1],
    "anvil_setCoinbase": [OTHER],
    "anvil_setNextBlockBaseFeePerGas": ["0x77359400"],
    "anvil_setNextBlockPrevRandao": [WORD],
    "evm_setBlockGasLimit": ["0x2625a00"],
    "anvil_setBlockTimestampInterval": [4],
    "anvil_setMinGasPrice": ["0x1"],
    "anvil_setLoggingEnabled": [True],
    "anvil_setRpcUrl": ["http://127.0.0.1:1"],
    "anvil_setChainId": [31337],
    "anvil_loadState": ["dumped"],
    "anvil_dealERC20": [SOMEONE, "token", "0x5"],
    "anvil_setERC20Allowance": [SOMEONE, OTHER, "token", "0x5"],
    "eth_sendUnsignedTransaction": [{"from": SOMEONE, "to": OTHER, "value": "0x1", "gas": "0x186a0"}],
    "anvil_impersonateSignature": [["0x" + "11" * 65, SOMEONE]],
    "anvil_getBlobByHash": [TX],
    "anvil_getBlobsByTransactionHash": [TX],
    "evm_addAccount": [SOMEONE, "password"],
}
TOKEN = "0x" + "70" * 20
# balanceOf and allowance alike: the slot of the first parameter's hash with 5.
TOKEN_CODE = "0x" + "6004356000526005602052604060002054" + "60005260206000f3"


def groups():
    """Names of one handler, the first of them first."""
    for kind in CHEATS:
        yield from (declaration.names for _, declaration in declarations(kind))
    yield ("eth_sendUnsignedTransaction",)
    for name in sorted(OTHERS):
        yield (name,)


def outcomes(ask):
    """A port's answer to each method, by name. ask: a function of a method and its parameters."""
    found = {}
    for names in groups():
        for name in names:
            found[name] = _outcome(ask, name, PARAMETERS.get(names[0], []))
    return found


def _outcome(ask, name, parameters):
    if "token" in parameters:  # a reset has taken it away
        ask("anvil_setCode", TOKEN, TOKEN_CODE)
    if name == "eth_sendUnsignedTransaction":
        ask("anvil_setBalance", SOMEONE, hex(10**18))
    given = [_given(ask, name, item) for item in parameters]
    answer = ask(name, *given)
    if "error" not in answer:
        return PRESENT
    if answer["error"]["code"] == -32601 or "Method not found" in answer["error"]["message"]:
        return ABSENT
    message = answer["error"]["message"]
    if "unknown variant" in message or "deserialize" in message:
        return ABSENT
    return f"{REFUSED}: {message}"


def _given(ask, name, item):
    if item == "later":
        time_of_head = int(ask("eth_getBlockByNumber", "latest", False)["result"]["timestamp"], 16)
        return time_of_head + 40
    if item == "dumped":
        return ask("anvil_dumpState")["result"]
    return TOKEN if item == "token" else item


def of_a_node(layer):
    """The outcomes of a layer's port, of a new node."""
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, l1_block_time=4, archive=True))
    try:
        node.run_until_safe(3)
        server = NodeServers(node, dict.fromkeys(PORTS, 0), "127.0.0.1").rpc_servers[layer]

        def ask(method, *params):
            request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
            return json.loads(asyncio.run(server.handle(request)))

        return outcomes(ask)
    finally:
        node.close()


def of_anvil(program):
    """The outcomes of anvil; its version."""
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([program, "--port", str(port)], stdout=subprocess.DEVNULL)

    def ask(method, *params):
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        asked = urllib.request.Request(f"http://127.0.0.1:{port}", request, {"content-type": "application/json"})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.loads(answer.read())

    try:
        for _ in range(600):
            try:
                ask("eth_chainId")
                break
            except OSError:
                time.sleep(0.1)
        return outcomes(ask), version.split("-")[0]
    finally:
        process.terminate()
        process.wait(10)


def page(version, anvil, l1, l2):
    """The text of docs/anvil.md."""
    head = (
        "# Cheats: anvil and both layers\n\n"
        f"The answers of anvil {version} and of both layers of a node to each cheat, called with the same parameters.\n"
        "`tests/external/anvil_methods.py` calls all three and writes this page. [cheats.md](cheats.md) says what\n"
        "each cheat does here.\n\n"
        "| method | anvil | L1 | L2 |\n|---|---|---|---|\n"
    )
    rows = []
    for names in groups():
        for name in names:
            cells = [_cell(outcome[name]) for outcome in (anvil, l1, l2)]
            rows.append(f"| `{name}` | {' | '.join(cells)} |\n")
    return head + "".join(rows)


def _cell(outcome):
    """One line without what differs from run to run."""
    line = outcome.split("\n")[0].replace("|", "\\|")
    return line if len(line) <= 120 else line[:117] + "…"


def rows_of(text):
    """The cells of each row of the page, by method."""
    rows = [line.strip("|\n ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip("`"): cells[1:] for cells in rows}


def main():
    program = os.environ.get("ANVIL") or shutil.which("anvil")
    if program is None:
        sys.exit("NO ANVIL: npm install @foundry-rs/anvil, then put it on PATH or name it in ANVIL")
    anvil, version = of_anvil(program)
    PAGE.write_text(page(version, anvil, of_a_node("l1"), of_a_node("l2")))


if __name__ == "__main__":
    main()
