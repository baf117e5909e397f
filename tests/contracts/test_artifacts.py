"""The committed artifacts are what the committed sources compile to, and fit the chain."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rollup.execution.contract_artifact import ContractArtifact, load_artifact, pack_fields, short_string

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("rollup/l1/artifacts", "rollup/execution/artifacts")
COMPILED = sorted(
    path.relative_to(ROOT)
    for folder in FOLDERS
    for path in (ROOT / folder).glob("*.json")
    if path.stem not in ("preinstalls", "system_contracts")
)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize("path", COMPILED, ids=str)
def test_an_artifact_names_its_compiler_and_fits_the_chain(path: Path) -> None:
    data = read(ROOT / path)
    assert data["compiler"].startswith("0.8.28+")
    assert (data["settings"]["evmVersion"], data["contract"]) == ("paris", path.stem)
    assert (ROOT / data["source"]).is_file()
    assert 0 < len(data["deployedBytecode"]) // 2 - 1 <= 24_576, "EIP-170"


@pytest.mark.external
def test_the_artifacts_can_be_rebuilt(tmp_path: Path) -> None:
    """Needs node, and `npm ci` in contracts/."""
    if shutil.which("node") is None or not (ROOT / "contracts/node_modules/solc").is_dir():
        pytest.skip("NO SOLC: run `npm ci` in contracts/ (node 20)")
    done = subprocess.run(
        ["node", "compile.mjs", "--out", str(tmp_path)],
        cwd=ROOT / "contracts",
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rebuilt = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.json"))
    assert rebuilt == sorted([*COMPILED, Path("attribution_precompile/twin.json")])
    for path in rebuilt:
        assert read(tmp_path / path) == read(ROOT / path), f"{path} is not what its source compiles to"


def test_immutables_are_set_everywhere_they_stand() -> None:
    vault = load_artifact("rollup.execution", "BaseFeeVault")
    assert [len(starts) for starts in vault.immutables] == [2, 2, 2]
    code = vault.runtime_with(7, 8, 1)
    for starts, value in zip(vault.immutables, (7, 8, 1), strict=True):
        assert {code[start : start + 32] for start in starts} == {value.to_bytes(32, "big")}
    with pytest.raises(ValueError, match="has 3 immutables, 1 given"):
        vault.runtime_with(7)


def test_variables_share_slots_as_solidity_packs_them() -> None:
    block = load_artifact("rollup.execution", "L1Block")
    assert block.storage(number=2, timestamp=3, basefee=4) == {0: 3 << 64 | 2, 1: 4}
    with pytest.raises(KeyError):
        block.storage(nothing=1)
    assert pack_fields(((1, 4), (2, 1), (3, 16))) == 1 | 2 << 32 | 3 << 40
    with pytest.raises(ValueError, match="256 does not fit 1 bytes"):
        pack_fields(((256, 1),))
    assert short_string("WOPEN") == int.from_bytes(b"WOPEN".ljust(31, b"\0") + b"\x0a", "big")
    with pytest.raises(ValueError, match="32 bytes"):
        short_string("x" * 32)


def test_a_missing_artifact_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        load_artifact("rollup.l1", "Nothing")
    assert isinstance(load_artifact("rollup.l1", "Proxy"), ContractArtifact)
    assert load_artifact("rollup.l1", "Proxy") == load_artifact("rollup.execution", "Proxy")
