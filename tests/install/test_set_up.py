"""Setting up from the lock files: complete, current, and with clear words when it fails."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("set_up", ROOT / "tools" / "set_up.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


set_up = load()


def locked(name: str) -> dict[str, str]:
    """The packages of a lock file and their versions."""
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", ["build"]), ("requirements-dev.lock", ["build", "dev"])]
)
def test_every_dependency_is_locked_at_a_version_that_fits(lock: str, extras: list[str]) -> None:
    versions = locked(lock)
    wanted = PROJECT["dependencies"] + [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    for requirement in map(Requirement, wanted):
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), requirement


def test_the_run_lock_is_a_part_of_the_development_lock() -> None:
    run, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert run.items() < dev.items()
    assert not {"pytest", "mypy", "ruff"} & run.keys()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_hashes(lock: str) -> None:
    entries = re.split(r"^(?=\w)", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("Retrying ... NewConnectionError('Failed to establish a new connection')", "needs the internet"),
        ("error: command 'gcc' failed: No such file or directory", "needs a C compiler"),
        ("error: subprocess-exited-with-error\nFailed to build 'safe-pysha3'", "safe-pysha3 has no ready-made wheel"),
        ("ERROR: Failed building wheel for safe-pysha3", "safe-pysha3 has no ready-made wheel"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: something else", "the packages could not be installed:\nERROR: something else"),
    ],
)
def test_a_failure_of_pip_is_explained(output: str, words: str) -> None:
    assert words in set_up._reason(output, "the packages")


def script(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(ROOT / "tools" / "set_up.sh"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)


def fake_python(folder: Path, version: str) -> str:
    """A program that answers as a Python of another version: it runs the code with the version replaced."""
    path = folder / f"python{version}"
    major, minor = version.split(".")
    code = f"import sys; sys.version_info = ({major}, {minor}, 0); exec(sys.argv[1])"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$2"\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("version", ["2.7", "3.10", "3.14"])
def test_another_version_of_python_is_refused_in_one_sentence(tmp_path: Path, version: str) -> None:
    python = fake_python(tmp_path, version)
    done = script("run", python, "command line")
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: openrollup needs Python 3.11, 3.12 or 3.13, and {python} is Python {version} "
        "(choose one: make run PYTHON=python3.12)\n"
    )


def test_a_missing_python_is_named() -> None:
    done = script("run", "python3.77", "command line")
    assert (done.returncode, done.stderr.split(";")[0]) == (1, "Error: there is no python3.77")


def test_an_environment_of_another_python_or_lock_is_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    class Recorded(set_up.Environment):  # type: ignore[misc, name-defined]
        def create(self, pip: str | None) -> None:
            done.append("create")
            self.python.parent.mkdir(parents=True, exist_ok=True)
            if not self.python.exists():
                self.python.symlink_to(sys.executable)

        def _run(self, arguments: list[object], what: str, packages: int = 0) -> None:
            done.append(what)

    monkeypatch.setattr(set_up, "Environment", Recorded)
    folder = tmp_path / "venv"
    installing = ["the build backend", "the packages", "openrollup", "the set of packages"]
    set_up.set_up("run", folder)
    assert done == ["create", *installing]
    done.clear()
    set_up.set_up("run", folder)
    assert done == []
    set_up.set_up("dev", folder)
    assert done == installing  # more packages in the same environment
    done.clear()
    set_up.set_up("run", folder)
    assert done == []
    (folder / ".installed").write_text("run:of-an-older-lock-file\n")
    set_up.set_up("run", folder)
    assert done == ["create", *installing]
    done.clear()
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").write_text("#!/bin/sh\necho 3.9\n")
    (folder / "bin" / "python").chmod(0o755)
    set_up.set_up("run", folder)
    assert done == ["create", *installing]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["run", "dev"])
@pytest.mark.parametrize("pip", ["23.2", "newest"])
def test_the_environment_is_built_from_an_empty_cache(tmp_path: Path, pip: str, kind: str) -> None:
    command = [sys.executable, ROOT / "tools" / "set_up.py", kind, "--venv", tmp_path / "venv", "--pip", pip]
    environment = os.environ | {"PIP_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    version = subprocess.run(
        [tmp_path / "venv" / "bin" / "openrollup", "--version"], capture_output=True, text=True, check=True
    )
    assert version.stdout.startswith("openrollup")
