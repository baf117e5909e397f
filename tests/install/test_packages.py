"""The wheel and the sdist: everything the checkout has is in them, and the commands run from them."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from subprocess import PIPE

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("openrollup", "rollup", "sequencer", "derivation", "attribution_precompile", "benchmarks")
IGNORED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "node_modules", "tests", "docs", "build", "dist")


def build(tree: Path, kind: str, into: Path) -> Path:
    """Builds a `wheel` or an `sdist` of a tree with the locked build backend; returns the file."""
    code = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
    into.mkdir(exist_ok=True)
    subprocess.run([sys.executable, "-c", code, into], cwd=tree, check=True, capture_output=True)
    (file,) = into.iterdir()
    return file


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist() if not name.endswith("/RECORD")}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("tree") / "openrollup", ignore=IGNORED)


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tree, "wheel", tmp_path_factory.mktemp("wheel") / "out")


def test_the_wheel_holds_every_file_of_the_packages_and_the_examples(tree: Path, wheel: Path) -> None:
    names = contents(wheel).keys()
    for folder in PACKAGES:
        for path in (tree / folder).rglob("*"):
            if path.is_file() and path.suffix not in (".md", ".svg", ".png"):
                assert path.relative_to(tree).as_posix() in names
    for path in (tree / "examples").rglob("*"):
        if path.is_file():
            assert f"rollup/examples/{path.relative_to(tree / 'examples').as_posix()}" in names


def test_a_wheel_built_from_the_sdist_is_the_same(tree: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(build(tree, "sdist", tmp_path / "sdist")) as file:
        file.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 on
        file.extractall(tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    again = contents(build(unpacked, "wheel", tmp_path / "wheel"))
    assert again == contents(wheel)


def run(wheel: Path, folder: Path, *arguments: str) -> str:
    """Runs the commands from an unpacked wheel, elsewhere than in the checkout."""
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "site")
    command = [sys.executable, "-P", "-m", "rollup.cli", *arguments]
    done = subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(folder / "site")}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_and_the_example_texts_run_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    assert "openrollup" in run(wheel, tmp_path, "--version")
    answer = tmp_path / "site" / "rollup" / "examples" / "answers" / "night-shift.txt"
    texts = answer.parents[1] / "medical"
    assert "contributor" in run(wheel, tmp_path, "trace", str(answer), "--texts", str(texts))


@pytest.mark.slow
def test_the_demo_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    assert "exact to the wei" in run(wheel, tmp_path, "demo", "--inferences", "2")


@pytest.mark.slow
def test_the_pages_are_served_from_the_wheel_without_node(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    ports = [f"--{name}-port=0" for name in ("l1", "l2", "verifier", "rollup", "beacon", "engine")]
    command = [sys.executable, "-P", "-m", "rollup.cli", "run", "--json", *ports]
    # No PATH: neither Node nor a shell is found.
    environment = {"PYTHONPATH": str(tmp_path / "site")}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            url = json.loads(node.stdout.readline())["urls"]["pages for browsers"]
            page = requests.get(url, headers={"Accept": "text/html"}, timeout=30)
            assert page.headers["Content-Type"].startswith("text/html")
            links = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
            assert {Path(link).suffix for link in links} >= {".js", ".css"}
            for link in links:
                assert requests.get(url.rstrip("/") + link, timeout=30).ok, link
        finally:
            node.terminate()
