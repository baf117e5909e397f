"""Nodes that the tests of one folder share. They end with its last test: a node that nobody asks still makes blocks."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest


class SharedNodes:
    """The endpoints of `openrollup run --instant --attribution MODE` in another process, one for each mode."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._started: dict[str, dict[str, str]] = {}

    def urls(self, mode: str) -> dict[str, str]:
        """The endpoints of the node of a mode, which is started if it does not run."""
        if mode not in self._started:
            self._started[mode] = self._running.enter_context(own_node(mode))
        return self._started[mode]

    def close(self) -> None:
        """Ends them."""
        self._started.clear()
        self._running.close()


SHARED = SharedNodes()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """For a conftest.py to import: ends the nodes after the last test of its folder."""
    if nextitem is None or nextitem.path.parent != item.path.parent:
        SHARED.close()


@contextmanager
def own_node(mode: str) -> Iterator[dict[str, str]]:
    """The endpoints of one node, which ends with the block."""
    ports = [f"--{name}-port=0" for name in ("l1", "l2", "verifier", "rollup", "beacon", "engine")]
    with tempfile.NamedTemporaryFile("w", prefix="openrollup-tests-") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "rollup.cli", "run", "--instant", "--json", "--attribution", mode, *ports],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the node did not start: {Path(stderr.name).read_text()}"
            # Somebody reads the events that follow: a full pipe must not stop the node.
            with subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL):
                yield json.loads(line)["urls"]
                process.terminate()
                process.wait(timeout=20)
        finally:
            process.kill()
