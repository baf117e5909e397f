"""Nodes that the tests of one folder share. They end with its last test: a node that nobody asks still makes blocks."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.node.node_process import NodeProcess


class SharedNodes:
    """The endpoints of `openrollup run --instant --attribution MODE` in another process, one for each mode.

    It is a plugin of pytest from the first start on, so that no conftest.py has to think of the end.
    """

    def __init__(self) -> None:
        self._running = ExitStack()
        self._started: dict[str, dict[str, str]] = {}

    def urls(self, mode: str, plugins: pytest.PytestPluginManager) -> dict[str, str]:
        """The endpoints of the node of a mode, which is started if it does not run."""
        if not plugins.is_registered(self):
            plugins.register(self)
        if mode not in self._started:
            self._started[mode] = self._running.enter_context(own_node(mode))
        return self._started[mode]

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Ends the nodes after the last test of the folder."""
        if nextitem is None or nextitem.path.parent != item.path.parent:
            self.close()

    def pytest_sessionfinish(self) -> None:
        """Ends the nodes where a run is stopped in the middle of a folder."""
        self.close()

    def close(self) -> None:
        """Ends them."""
        self._started.clear()
        self._running.close()


SHARED = SharedNodes()


@contextmanager
def own_node(mode: str) -> Iterator[dict[str, str]]:
    """The endpoints of one node, which ends with the block. It posts calldata: blobs take 2 s of a processor more."""
    with NodeProcess("--instant", "--da=calldata", f"--attribution={mode}") as node:
        assert node.started is not None, node.errors()
        yield node.started["urls"]
        node.end(signal.SIGTERM)
