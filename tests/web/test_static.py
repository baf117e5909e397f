"""The static files: what is vendored is what npm has, modules can be read, and the first load is small."""

import hashlib
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rollup.web.bundle import BUNDLE, MAIN, bundled
from rollup.web.files import SHEET, StaticFiles
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


def test_the_first_load_is_two_files_below_270_kilobytes():
    sizes = {item.path: len(item.content) for item in StaticFiles().files}
    assert sizes[BUNDLE] + sizes[SHEET] < 270_000
    assert sum(path.stat().st_size for path in OWN) < 260_000


def test_each_module_is_served_once_in_the_bundle_or_beside_it():
    served = {item.path: item.content.decode() for item in StaticFiles().files}
    in_bundle = set(re.findall(r"^// ((?:app|vendor)/\S+\.js)$", served[BUNDLE], re.MULTILINE))
    own = {str(path.relative_to(STATIC)) for path in MODULES}
    assert {MAIN, "app/rpc.js", "app/pages/explorer.js", "vendor/preact.js"} <= in_bundle
    assert not in_bundle & set(served)
    assert in_bundle | {path for path in served if path.endswith(".js")} == own | {BUNDLE}
    for path in own & set(served):
        for target in IMPORTS.findall(re.sub(r"/\*.*?\*/", "", served[path], flags=re.DOTALL)):
            name = posixpath.normpath(posixpath.join(posixpath.dirname(path), "".join(target)))
            assert name in served, (path, name)


SMALL = {
    "app/main.js": """/** Main. */
import {one, two as zwei} from './a.js';
import thing from '../vendor/v.js';
import '../vendor/w.js';
console.log(one, zwei(), thing(3));
import('./pages/late.js').then(({late}) => console.log(late));
""",
    "app/a.js": """/** A. */
import {eins} from '../vendor/v.js';
export const one = eins;
export function two() { return 2; }
""",
    "app/pages/late.js": """/** Late. */
import {one} from '../a.js';
import {far} from './far.js';
export const late = one + far;
""",
    "app/pages/far.js": "/** Far. */\nexport const far = 40;\n",
    "vendor/v.js": "var a=1;export default function(s){return s*a}export{a as eins};",
    "vendor/w.js": 'import{eins as a}from"./v.js";export{eins}from"./v.js";var b=a;export{b as x};',
}


def test_a_module_that_cannot_be_read_is_named_and_so_are_modules_that_import_each_other():
    with pytest.raises(ValueError, match=r"app/a\.js: an import or export"):
        bundled({**SMALL, "app/a.js": "export let one = 1;"})
    with pytest.raises(ValueError, match=r"app/main\.js -> app/a\.js -> app/main\.js"):
        bundled({**SMALL, "app/a.js": "import {x} from './main.js';"})


@pytest.mark.external
@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_the_bundle_does_what_its_modules_do(tmp_path):
    (tmp_path / "package.json").write_text('{"type": "module"}')
    said = []
    for folder, modules in (("plain", SMALL), ("bundled", bundled(SMALL))):
        for path, text in modules.items():
            (tmp_path / folder / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / path).write_text(text)
        main = tmp_path / folder / (MAIN if folder == "plain" else BUNDLE)
        said.append(subprocess.run(["node", main], capture_output=True, text=True, check=True).stdout)
    assert said == ["1 2 3\n41\n"] * 2


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
