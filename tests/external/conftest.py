"""Programs of other people's making against `openrollup run` in a process of its own."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rollup.protocol.accounts import USERS
from tests.node.node_process import L1, L2, NodeProcess

SCRIPTS = Path(__file__).parent


def need_package(name, version=None):
    """The folder whose node_modules has a package of npm; skips, saying what to install, where there is none.

    version: the one that is tried; where another is installed, that one is.
    """
    package = name if version is None else f"{name}@{version}"
    folder = Path(os.environ.get("NODE_PACKAGES", "."))
    if shutil.which("node") is None or not (folder / "node_modules" / name).is_dir():
        pytest.skip(f"NO {name.upper()}: npm install {package}, then name the folder of node_modules in NODE_PACKAGES")
    return folder


def failed(stderr):
    """Whether a program of Foundry names an error: the wrapper from npm ends with 0 whatever its program ends with."""
    return any(line.lower().startswith("error:") for line in stderr.splitlines())


def run_script(name, folder, node, tmp_path, timeout, **more):
    """Runs a script on a node: what it said, by step. Fails with its words when it fails."""
    settings = {
        "l1": {"id": 900, "url": node.url(L1)},
        "l2": {"id": 901, "url": node.url(L2)},
        "portal": node.started["contracts"]["L1 OptimismPortal"],
        "oracle": node.started["contracts"]["L1 L2OutputOracle"],
        "key": "0x" + USERS[2].private_key.hex(),
        "other": "0x" + USERS[3].private_key.hex(),
        **more,
    }
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(settings))
    command = ["node", SCRIPTS / name, file]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line.pop("step"): line for line in lines}


@pytest.fixture(scope="session")
def node():
    with NodeProcess("--block-time", 1, "--l1-block-time", 1) as process:
        yield process
