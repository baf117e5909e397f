"""The static files: what is vendored is what npm has, modules can be read, and the first load is small."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rollup.web.files import StaticFiles
from tests.docs.pages import ROOT

STATIC = ROOT / "rollup" / "web" / "static"
MODULES = sorted(STATIC.rglob("*.js"))
OWN = sorted((STATIC / "app").rglob("*.js"))
IMPORTS = re.compile(r"^(?:import|export) (?:[^;]*? from )?'([^']+)'|\bimport\('([^']+)'\)", re.MULTILINE)
MANIFEST = json.loads((STATIC / "vendor" / "vendor.json").read_text())


def test_every_vendored_file_is_in_the_manifest_with_its_hash_and_its_licence():
    licences = {row["licenceFile"] for row in MANIFEST}
    files = {path.name for path in (STATIC / "vendor").iterdir()}
    assert files == {row["file"] for row in MANIFEST} | licences | {"vendor.json"}
    for row in MANIFEST:
        assert hashlib.sha256((STATIC / "vendor" / row["file"]).read_bytes()).hexdigest() == row["sha256"], row["file"]
        assert row["npmIntegrity"].startswith("sha512-")
        assert re.fullmatch(r"\d+\.\d+\.\d+", row["version"])
        assert row["licence"] in ("MIT", "Apache-2.0")


@pytest.mark.slow
@pytest.mark.external
@pytest.mark.skipif(shutil.which("npm") is None, reason="no npm")
def test_the_vendored_files_are_made_again_from_npm(tmp_path):
    code = "import sys, vendor, pathlib; vendor.build(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT / "tools", check=True)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (STATIC / "vendor" / path.name).read_bytes(), path.name


@pytest.mark.external
@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_every_module_can_be_read_by_node(tmp_path):
    copies = []
    for number, path in enumerate(MODULES):
        copies.append(tmp_path / f"{number}-{path.stem}.mjs")
        shutil.copy(path, copies[-1])
    script = (
        "const {SourceTextModule} = require('vm'), {readFileSync} = require('fs');"
        "for (const file of process.argv.slice(1)) new SourceTextModule(readFileSync(file, 'utf8'), {identifier: file})"
    )
    command = ["node", "--experimental-vm-modules", "--no-warnings", "-e", script, *map(str, copies)]
    found = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(STATIC)))
def test_a_module_says_what_it_is_and_imports_only_files_that_are_there(path):
    text = path.read_text()
    assert text.startswith("/**"), "a module begins with what it is"
    assert len(text.splitlines()) < 260
    for target in IMPORTS.findall(text):
        target = "".join(target)
        assert target.startswith("."), target
        assert (path.parent / target).resolve().is_file(), target


@pytest.mark.parametrize(
    "word",
    [
        "innerHTML",
        "dangerouslySetInnerHTML",
        "eval(",
        "document.write",
        "localStorage",
        "Number.parseFloat",
        "privateKey",
    ],
)
def test_no_module_of_ours_uses_what_makes_text_into_code_or_keeps_keys(word):
    for path in OWN:
        assert word not in path.read_text(), path


def test_the_first_load_is_below_270_kilobytes():
    static = StaticFiles()
    first = {*static.modules(), "app.css"}
    sizes = {item.path: len(item.content) for item in static.files}
    assert sum(sizes[path] for path in first) < 270_000
    assert sum(size for path, size in sizes.items() if path.startswith("app")) < 260_000


def test_the_root_of_the_files_changes_with_their_content(monkeypatch):
    static = StaticFiles()
    assert static.root == StaticFiles().root
    changed = hashlib.sha256
    monkeypatch.setattr(hashlib, "sha256", lambda data=b"": changed(data + b"x"))
    assert StaticFiles().root != static.root


def test_the_package_ships_the_files():
    listed = (ROOT / "pyproject.toml").read_text()
    for ending in {path.suffix for path in STATIC.rglob("*.*")}:
        assert f'"*{ending}"' in listed, ending
    # setuptools takes no folder whose name has a dot for a package.
    assert not [path for path in STATIC.rglob("*") if path.is_dir() and not path.name.isidentifier()]
    assert Path(STATIC / "app.css").is_file()
