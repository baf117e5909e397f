"""A node as a user starts it, and the commands as a user gives them."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner, Result
from web3 import Web3
from web3.types import RPCEndpoint

from attribution_precompile import ADDRESS_BYTES, genesis_storage
from attribution_precompile.twin import RUNTIME_CODE
from rollup.cli import main
from rollup.protocol.accounts import OWNER
from tests.cli.nodes import SHARED

_TRIES, _PAUSE_SECONDS = 100, 0.1  # another program's start


@dataclass(frozen=True)
class Shell:
    """Runs commands against one node, in this process."""

    url: str
    has_index: bool = True

    def run(self, *arguments: object, exit_code: int = 0, stdin: str | None = None) -> Result:
        environment = {"OPENROLLUP_RPC_URL": self.url, "COLUMNS": "100", "NO_COLOR": "1"}
        result = CliRunner().invoke(main, [str(item) for item in arguments], env=environment, input=stdin)
        assert result.exit_code == exit_code, result.output
        # Nothing but click's own exits: no traceback would reach a user.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def json(self, *arguments: object, stdin: str | None = None) -> Any:
        return json.loads(self.run(*arguments, "--json", stdin=stdin).stdout)

    def refusal(self, *arguments: object) -> str:
        """The message of a command that must fail with status 1."""
        return self.run(*arguments, exit_code=1).stderr


@pytest.fixture(scope="module")
def node_urls(pytestconfig: pytest.Config) -> dict[str, str]:
    return SHARED.urls("native", pytestconfig.pluginmanager)


@pytest.fixture(scope="module")
def native_shell(node_urls: dict[str, str]) -> Shell:
    return Shell(node_urls["L2 JSON-RPC"])


@pytest.fixture(scope="module")
def shell(native_shell: Shell) -> Shell:
    return native_shell


@pytest.fixture(scope="module")
def contract_shell(pytestconfig: pytest.Config) -> Shell:
    """A chain whose attribution account is the Solidity twin."""
    return Shell(SHARED.urls("contract", pytestconfig.pluginmanager)["L2 JSON-RPC"])


@pytest.fixture(scope="session")
def anvil_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A chain of another client with the twin at the address: nothing but standard methods is there."""
    program = os.environ.get("ANVIL") or shutil.which("anvil")
    if not program:
        pytest.skip("NO ANVIL: npm install @foundry-rs/anvil, then put it on PATH or name it in ANVIL")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("anvil") / "log"
    with log.open("w") as output:
        process = subprocess.Popen([program, "--port", str(port), "--chain-id", "901"], stdout=output, stderr=output)
    try:
        web3 = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}"))
        for _ in range(_TRIES):
            if web3.is_connected() or process.poll() is not None:
                break
            time.sleep(_PAUSE_SECONDS)
        assert web3.is_connected(), log.read_text()
        at = "0x" + ADDRESS_BYTES.hex()
        web3.provider.make_request(RPCEndpoint("anvil_setCode"), [at, "0x" + RUNTIME_CODE.hex()])
        for slot, value in genesis_storage(OWNER.address, OWNER.address, 500).items():
            words = ["0x" + number.to_bytes(32, "big").hex() for number in (slot, value)]
            web3.provider.make_request(RPCEndpoint("anvil_setStorageAt"), [at, *words])
        yield Shell(f"http://127.0.0.1:{port}", has_index=False)
    finally:
        process.terminate()
        process.wait(timeout=20)
