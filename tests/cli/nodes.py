"""Nodes that the tests of one folder share. They end with its last test: a node that nobody asks still makes blocks."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.node.node_process import NodeProcess


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
    """The endpoints of one node, which ends with the block. It posts calldata: blobs take 2 s of a processor more."""
    with NodeProcess("--instant", "--da=calldata", f"--attribution={mode}") as node:
        assert node.started is not None, node.errors()
        yield node.started["urls"]
        node.end(signal.SIGTERM)
