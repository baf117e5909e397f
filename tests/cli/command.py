"""`openrollup` as another process or in this one: what it prints and how it ends."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from rollup.cli import main

ROOT = Path(__file__).parents[2]


@dataclass
class Result:
    """The output of a command, and its exit status."""

    status: int
    output: str
    errors: str

    @property
    def json(self):
        """The output of --json: one document."""
        return json.loads(self.output)

    def must_fail(self, *words, status=1):
        """Asserts that the command failed with one message that has these words, and without a stack trace."""
        assert self.status == status, self.errors
        assert "Traceback" not in self.errors
        assert "Error: " in self.errors
        for word in words:
            assert word in self.errors
        assert self.output == ""


def openrollup(*arguments, timeout=120):
    """Runs a command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "rollup.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=timeout,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def openrollup_here(*arguments):
    """Runs a command to its end in this process, which has imported everything and has KZG's setup."""
    done = CliRunner().invoke(main, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Result(done.exit_code, done.stdout, done.stderr)
