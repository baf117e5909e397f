"""The servers of a comparison, each started on loopback in a process of its own: this node, anvil, Hardhat."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.node_load import node_process
from rollup.load.job import LoadError
from rollup.load.scene import Scene

_START_SECONDS: Final = 60.0
_GAS_LIMIT: Final = 10**12  # of a peer's block, so that one block can take a whole run
OURS: Final = ("--block-time=1", "--l1-block-time=1", "--gas-limit=500000000", "--no-web")


class Missing(Exception):
    """A peer that is not installed; the message says how to install it."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. mines: it makes a block only when `evm_mine` is called. verifier: the second node's URL.

    posts: its blocks become safe.
    """

    name: str
    url: str
    process_id: int
    mines: bool = False
    verifier: str | None = None
    posts: bool = True

    def scene(self) -> Scene:
        """The chain, for what a load needs before it starts."""
        return Scene(self.url, mine=_mine if self.mines else None)


def _mine(scene: Scene) -> None:
    scene.call("evm_mine")


@contextmanager
def ours(name: str = "openrollup", options: tuple[str, ...] = ()) -> Iterator[Server]:
    """This node with 1 s blocks, verifier and batcher, in memory; more options of `openrollup run` come last."""
    with (
        tempfile.TemporaryDirectory(prefix="openrollup-bench-") as folder,
        node_process(Path(folder), *OURS, *options, is_kept=False) as target,
    ):
        assert target.process_id is not None
        posts = "--da=none" not in " ".join(options).replace("--da none", "--da=none").split()
        yield Server(name, target.l2, target.process_id, verifier=target.verifier, posts=posts)


@contextmanager
def anvil(name: str, options: tuple[str, ...]) -> Iterator[Server]:
    """anvil with these options."""
    program = packages() / "node_modules" / ".bin" / "anvil"
    if not program.exists():
        raise Missing("anvil: npm install @foundry-rs/anvil, then name the folder of node_modules in NODE_PACKAGES")
    port = _free_port()
    command = [str(program), "--port", str(port), "--gas-limit", str(_GAS_LIMIT), "--balance", "1000000", "--quiet"]
    with _process([*command, *options], Path()) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process, name)
        yield Server(name, url, process.pid, mines="--no-mining" in options)


_HARDHAT_CONFIG: Final = """
module.exports = { solidity: "0.8.28", networks: { hardhat: {
  blockGasLimit: %d, mining: { auto: false, interval: 0, mempool: { order: "fifo" } },
  accounts: { mnemonic: "test test test test test test test test test test test junk", accountsBalance: "%d" },
} } };
"""


@contextmanager
def hardhat(name: str) -> Iterator[Server]:
    """Hardhat's node, which mines on request."""
    folder = packages()
    if not (folder / "node_modules" / "hardhat").is_dir():
        raise Missing("Hardhat: npm install hardhat@2.26.3 in the folder that NODE_PACKAGES names")
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="openrollup-hardhat-") as made:
        Path(made, "node_modules").symlink_to((folder / "node_modules").resolve())
        Path(made, "package.json").write_text('{"name": "bench", "private": true}\n')
        Path(made, "hardhat.config.js").write_text(_HARDHAT_CONFIG % (10**11, 10**24))
        command = ["node", "node_modules/hardhat/internal/cli/bootstrap.js", "node", "--port", str(port)]
        with _process(command, Path(made)) as process:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process, name)
            yield Server(name, url, process.pid, mines=True)


def packages() -> Path:
    """The folder whose node_modules has the peers: the variable NODE_PACKAGES, or the current folder."""
    if shutil.which("node") is None:
        raise Missing("node is not installed, so no peer can run")
    return Path(os.environ.get("NODE_PACKAGES", "."))


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"HARDHAT_DISABLE_TELEMETRY_PROMPT": "true"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sys.stderr
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], name: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            Scene(url)
            return
        except LoadError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise LoadError(f"{name} does not start: {error}") from error
            time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def versions() -> dict[str, str]:
    """The installed version of each peer's package."""
    found = {}
    for package in ("@foundry-rs/anvil", "hardhat"):
        try:
            path = packages() / "node_modules" / package / "package.json"
        except Missing:
            return {}
        if path.exists():
            found[package] = str(json.loads(path.read_text())["version"])
    return found
