"""A node as a user starts it, and the commands as a user gives them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rollup.cli import main


@dataclass(frozen=True)
class Shell:
    """Runs commands against one node, in this process."""

    url: str

    def run(self, *arguments: object, exit_code: int = 0, stdin: str | None = None) -> Result:
        environment = {"OPENROLLUP_RPC_URL": self.url, "COLUMNS": "100", "NO_COLOR": "1"}
        result = CliRunner().invoke(main, [str(item) for item in arguments], env=environment, input=stdin)
        assert result.exit_code == exit_code, result.output
        # Nothing but click's own exits: no traceback would reach a user.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def json(self, *arguments: object, stdin: str | None = None) -> Any:
        return json.loads(self.run(*arguments, "--json", stdin=stdin).stdout)

    def refusal(self, *arguments: object) -> str:
        """The message of a command that must fail with status 1."""
        return self.run(*arguments, exit_code=1).stderr


@pytest.fixture(scope="session")
def node_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The endpoints of `openrollup run --instant` in another process."""
    ports = [f"--{name}-port=0" for name in ("l1", "l2", "verifier", "rollup", "beacon", "engine")]
    errors = tmp_path_factory.mktemp("node") / "stderr"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "rollup.cli", "run", "--instant", "--json", *ports],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the node did not start: {errors.read_text()}"
        # Somebody reads the events that follow: a full pipe must not stop the node.
        with subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL):
            yield json.loads(line)["urls"]
            process.terminate()
            process.wait(timeout=20)
    finally:
        process.kill()


@pytest.fixture(scope="session")
def shell(node_urls: dict[str, str]) -> Shell:
    return Shell(node_urls["L2 JSON-RPC"])
