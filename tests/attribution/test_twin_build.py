"""The committed artifact is what the committed source compiles to, with the compiler and settings it names."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from attribution_precompile.twin import ABI, COMPILER, RUNTIME_CODE, SETTINGS, STORAGE_LAYOUT

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "contracts" / "attribution"

COMPILE = """
const solc = require(require.resolve('solc', {paths: [process.cwd(), process.env.SOLC_DIR || '.']}));
const input = require('fs').readFileSync(0, 'utf8');
console.log(JSON.stringify({version: solc.version(), output: JSON.parse(solc.compile(input))}));
"""


def test_the_settings_beside_the_source_are_the_artifacts() -> None:
    assert json.loads((SOURCES / "settings.json").read_text()) == SETTINGS
    assert len(RUNTIME_CODE) <= 24_576, "EIP-170"


def compiled(sources: dict[str, Path], settings: dict[str, Any], version: str) -> dict[str, Any]:
    """The compiler's contracts by file; skips without node and npm's solc (SOLC_DIR names a folder that has it)."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    standard = {
        "language": "Solidity",
        "sources": {name: {"content": path.read_text()} for name, path in sources.items()},
        "settings": settings,
    }
    done = subprocess.run(
        ["node", "-e", COMPILE],
        input=json.dumps(standard),
        capture_output=True,
        text=True,
        env=dict(os.environ),
        cwd=ROOT / "contracts",
        check=False,
    )
    if "Cannot find module" in done.stderr:
        pytest.skip("npm's solc is not installed: npm install solc@0.8.28, and set SOLC_DIR")
    assert done.returncode == 0, done.stderr
    built = json.loads(done.stdout)
    if built["version"] != version:
        pytest.skip(f"another compiler is installed: {built['version']}, not {version}")
    contracts: dict[str, Any] = built["output"]["contracts"]
    return contracts


@pytest.mark.external
def test_the_artifact_can_be_rebuilt() -> None:
    sources = {name: SOURCES / name for name in ("Attribution.sol", "IAttribution.sol")}
    contracts = compiled(sources, SETTINGS, COMPILER)
    assert contracts["IAttribution.sol"]["IAttribution"]["abi"] == ABI
    twin = contracts["Attribution.sol"]["Attribution"]
    assert bytes.fromhex(twin["evm"]["deployedBytecode"]["object"]) == RUNTIME_CODE
    assert twin["storageLayout"] == STORAGE_LAYOUT


@pytest.mark.external
def test_the_splitters_can_be_rebuilt() -> None:
    folder = Path(__file__).parents[2] / "benchmarks" / "contracts"
    artifact = json.loads((folder / "splitters.json").read_text())
    contracts = compiled({"Splitters.sol": folder / "Splitters.sol"}, artifact["settings"], artifact["compiler"])
    for name in ("PushSplitter", "CreditSplitter", "PoolSplitter"):
        code = contracts["Splitters.sol"][name]["evm"]["deployedBytecode"]["object"]
        assert "0x" + code == artifact[name]
