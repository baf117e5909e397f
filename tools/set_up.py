"""Builds the virtual environment from a lock file and nothing else: `make` calls it before every target.

Each package is installed at the version and with the hash that the lock file names, without resolving anything, so
that no new release of a package can break an installation. `pip check` then confirms that the set is complete.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
_INSTALL = ("install", "--no-deps", "--require-hashes", "--no-build-isolation", "--progress-bar", "off")

_NO_NETWORK = re.compile(
    "NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|Network is unreachable|"
    "Failed to establish a new connection|Temporary failure in name resolution|getaddrinfo failed"
)
_NO_COMPILER = re.compile(
    r"command '?\S*(gcc|cc|clang|g\+\+|cl\.exe)'? failed|Microsoft Visual C\+\+|No such file.*gcc"
)
_BUILDING = re.compile(r"Building wheel for (\S+) .*error|Failed (?:building wheel for|to build) '?([\w-]+)")


class SetUpError(Exception):
    """The environment cannot be built; the message is one sentence for the user."""


class Environment:
    """A virtual environment, and the stamp that says from which lock file it was built."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        self._stamp = folder / ".installed"

    def kinds(self) -> list[str]:
        """Which of the lock files, as they are now, are installed completely."""
        try:
            written = self._stamp.read_text().split()
        except OSError:
            return []
        return [kind for kind in LOCKS if f"{kind}:{_digest(kind)}" in written]

    def is_of(self, version: str) -> bool:
        """Whether it works and has this version of Python, written as 3.11."""
        ask = "import sys; print('%d.%d' % sys.version_info[:2])"
        try:
            found = subprocess.run([self.python, "-c", ask], capture_output=True, text=True, check=False)
        except OSError:
            return False
        return found.stdout.strip() == version

    def create(self, pip: str | None) -> None:
        """Makes it anew with the Python that runs this; `pip` is a version, or None for the bundled one."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        made = subprocess.run([sys.executable, "-m", "venv", self.folder], capture_output=True, text=True, check=False)
        if made.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise SetUpError(
                f"{sys.executable} cannot make a virtual environment (on Debian and Ubuntu: apt-get install "
                f"python3-venv): {(made.stderr or made.stdout).strip().splitlines()[-1:]}"
            )
        if pip is not None:
            wanted = ["--upgrade", "pip"] if pip == "newest" else [f"pip=={pip}"]
            self._run([*_PIP, "install", "--quiet", *wanted], "pip")

    def install(self, kind: str) -> None:
        """Installs the lock file `kind`, then this project in place, and checks that nothing is missing."""
        text = LOCKS[kind].read_text()
        # First the build backend alone: a package without a wheel is then built with it, and nothing else is fetched.
        with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
            file.write(_entry(text, "setuptools"))
        try:
            self._run([*_PIP, *_INSTALL, "-r", file.name], "the build backend")
        finally:
            os.unlink(file.name)
        self._run(
            [*_PIP, *_INSTALL, "-r", LOCKS[kind]], "the packages", len(re.findall("^[a-z]", text, re.MULTILINE)) - 1
        )
        self._run([*_PIP, "install", "--no-deps", "--no-build-isolation", "-e", ROOT], "openrollup")
        self._run([*_PIP, "check"], "the set of packages")
        kinds = ["run", "dev"] if kind == "dev" else ["run"]
        self._stamp.write_text(" ".join(f"{name}:{_digest(name)}" for name in kinds) + "\n")

    def _run(self, arguments: list[object], what: str, packages: int = 0) -> None:
        """Runs Python in the environment, with a line of progress; raises SetUpError with the reason in words."""
        command = [str(self.python), *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
        assert process.stdout is not None
        lines = list(_with_progress(process.stdout, packages))
        if process.wait():
            raise SetUpError(_reason("".join(lines), what))


def _with_progress(output: Iterator[str], packages: int) -> Iterator[str]:
    """Passes pip's lines on and shows how many packages were fetched; a terminal gets one line that changes."""
    is_terminal, fetched = sys.stdout.isatty(), 0
    for line in output:
        yield line
        if packages and line.startswith("Collecting "):
            fetched += 1
            name = line.split()[1].partition("==")[0]
            if is_terminal:
                print(f"\r\033[K  fetching {fetched} of {packages}: {name}", end="", flush=True)
            elif fetched % 10 == 0:
                print(f"  fetched {fetched} of {packages} packages", flush=True)
        elif packages and line.startswith("Installing collected packages"):
            print(("\r\033[K" if is_terminal else "") + f"  installing {fetched} packages", flush=True)


def _reason(output: str, what: str) -> str:
    """The meaning of a failed pip run for the user, and the last lines of pip's output."""
    end = "\n".join(output.strip().splitlines()[-8:])
    building = _BUILDING.search(output)
    if _NO_COMPILER.search(output) or building:
        name = next(filter(None, building.groups()), "a package") if building else "a package"
        return (
            f"{name} has no ready-made wheel for this machine and could not be built: that needs a C compiler "
            f"(Debian and Ubuntu: apt-get install build-essential python3-dev; macOS: xcode-select --install)\n{end}"
        )
    if _NO_NETWORK.search(output):
        return (
            "PyPI, the Python package index, cannot be reached. The first start needs the internet; later ones do not. "
            f"Run the same command again when you are online.\n{end}"
        )
    if "No space left on device" in output:
        return f"the disk is full: the environment takes about 400 MB\n{end}"
    return f"{what} could not be installed:\n{end}"


def _entry(lock: str, name: str) -> str:
    """The lines of one package in a lock file."""
    found = re.search(rf"^{name}==.*?(?=^\S|\Z)", lock, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SetUpError(f"{name} is not in the lock file")
    return found.group()


def _digest(kind: str) -> str:
    digest = hashlib.sha256(LOCKS[kind].read_bytes())
    digest.update((ROOT / "pyproject.toml").read_bytes())
    return digest.hexdigest()


def set_up(kind: str, folder: Path, pip: str | None = None) -> None:
    """Makes `folder` hold what the lock file `kind` names; does nothing when it does already. Raises SetUpError."""
    environment = Environment(folder)
    version = "{}.{}".format(*sys.version_info[:2])
    is_usable = environment.is_of(version) and bool(environment.kinds())
    if is_usable and kind in environment.kinds():
        return
    print(f"Setting up {folder} with Python {version} (once; about a minute)", flush=True)
    if not is_usable:
        environment.create(pip)
    environment.install(kind)


def main() -> int:
    """The command: `python tools/set_up.py run` or `dev`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(LOCKS))
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--pip", help="a version of pip, or newest; the bundled one by default")
    options = parser.parse_args()
    try:
        set_up(options.kind, options.venv, options.pip)
    except (SetUpError, OSError) as error:
        print(f"\nError: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
