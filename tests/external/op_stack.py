"""The OP Stack's own programs as processes, driven by the files and ports of a node of ours."""

import os
import shutil
import socket
import subprocess
from urllib.error import URLError

import pytest

from rollup.protocol.accounts import BATCHER
from tests.node.node_process import L1, RpcFailure, call

COMPLAINTS = ("lvl=error", "lvl=crit", "lvl=warn", "error", "flag provided but not defined")
OP_NODE_LOG = "op-node.log"
BUILD = "docs/official.md says how to build it; then name it in {}, or put it on the PATH"


def need_program(name):
    """The path of a program of the OP Stack: from OP_NODE, OP_GETH …, or the PATH; skips where there is none."""
    variable = name.upper().replace("-", "_")
    path = os.environ.get(variable) or shutil.which(name)
    if path is None:
        pytest.skip(f"NO {name.upper()}: {BUILD.format(variable)}")
    return path


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def version_of(path):
    """The version line of a program, such as `op-node version v1.19.0`."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    return (done.stdout or done.stderr).strip().partition("\n")[0] or os.path.basename(path)


def last_complaint(log):
    """The last line of a log that is an error or a warning, or its last line."""
    lines = log.read_text(errors="replace").strip().splitlines() or ["it wrote nothing"]
    complaints = [line for line in lines if any(word in line.lower() for word in COMPLAINTS)]
    return (complaints or lines)[-1][:500]


class Program:
    """A process that writes into a file; killed in the end."""

    def __init__(self, log, *command):
        self.log = log
        self.path = command[0]
        with log.open("w") as file:
            self.process = subprocess.Popen([str(word) for word in command], stdout=file, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def must_run(self):
        if self.process.poll() is not None:
            self.fail("ended")

    def fail(self, what):
        """Ends the test with one line: the program, its version, what it did and its last complaint."""
        pytest.fail(f"{version_of(self.path)} {what}: {last_complaint(self.log)}", pytrace=False)

    def wait_for(self, url):
        """Waits until a URL answers. Fails when the program ends."""
        while not answers(url):
            self.must_run()


def answers(url):
    try:
        call(url, "eth_chainId")
    except RpcFailure:
        return True  # not that method
    except (URLError, ConnectionError):
        return False
    return True


def op_geth(node, folder):
    """op-geth on the node's genesis.json; its JSON-RPC and Engine API."""
    path, data = need_program("op-geth"), folder / "op-geth"
    genesis = node.started["files"]["genesis.json"]
    subprocess.run([path, "init", "--datadir", data, genesis], check=True, capture_output=True)
    rpc, engine = free_port(), free_port()
    program = Program(
        folder / "op-geth.log",
        *(path, "--datadir", data, "--networkid", 901, "--gcmode=archive", "--syncmode=full"),
        *("--http", "--http.port", rpc, "--authrpc.port", engine),
        *("--authrpc.jwtsecret", node.started["files"]["jwt.hex"]),
        *("--port", 0, "--nodiscover", "--maxpeers", 0, "--ipcdisable", "--rollup.disabletxpoolgossip"),
    )
    return program, f"http://127.0.0.1:{rpc}", f"http://127.0.0.1:{engine}"


def op_node(node, folder, engine, *options):
    """op-node between the node's L1 and an engine."""
    files, urls, port = node.started["files"], node.started["urls"], free_port()
    program = Program(
        folder / OP_NODE_LOG,
        *(need_program("op-node"), f"--l1={urls[L1]}", f"--l1.beacon={urls['beacon API']}", "--l1.rpckind=standard"),
        *("--l1.http-poll-interval=500ms", "--l1.epoch-poll-interval=2s", "--verifier.l1-confs=0"),
        *(f"--l2={engine}", f"--l2.jwt-secret={files['jwt.hex']}", "--l2.enginekind=geth"),
        *(f"--rollup.config={files['rollup.json']}", f"--rollup.l1-chain-config={files['l1-chain-config.json']}"),
        *("--syncmode=consensus-layer", "--p2p.disable", "--rpc.addr=127.0.0.1", f"--rpc.port={port}"),
        *options,
    )
    return program, f"http://127.0.0.1:{port}"


def op_batcher(node, folder, l2, rollup):
    """op-batcher with the batcher's key: an L2 and its op-node to the node's L1, in blobs."""
    return Program(
        folder / "op-batcher.log",
        *(need_program("op-batcher"), f"--l1-eth-rpc={node.url(L1)}", f"--l2-eth-rpc={l2}", f"--rollup-rpc={rollup}"),
        *(f"--private-key=0x{BATCHER.private_key.hex()}", "--data-availability-type=blobs", "--batch-type=1"),
        *("--compression-algo=brotli-10", "--poll-interval=1s", "--max-channel-duration=2", "--sub-safety-margin=4"),
        *("--num-confirmations=1", f"--rpc.port={free_port()}"),
    )
