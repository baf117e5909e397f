"""Nodes that tests share end with the folder's last test, and with a run that is stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli import nodes
from tests.cli.nodes import SharedNodes


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The modes of the nodes that run; none is a process."""
    found: set[str] = set()

    @contextmanager
    def node(mode: str) -> Iterator[dict[str, str]]:
        found.add(mode)
        try:
            yield {"mode": mode}
        finally:
            found.remove(mode)

    monkeypatch.setattr(nodes, "own_node", node)
    return found


def test_a_node_of_each_mode_ends_with_the_last_test_of_the_folder(running: set[str]) -> None:
    plugins, shared = pytest.PytestPluginManager(), SharedNodes()
    one, two, other = (SimpleNamespace(path=Path(path)) for path in ("cli/test_a.py", "cli/test_b.py", "web/test_a.py"))
    for end in (other, None):
        for mode in ("native", "contract", "native"):
            assert shared.urls(mode, plugins) == {"mode": mode}
        plugins.hook.pytest_runtest_teardown(item=one, nextitem=two)
        assert running == {"native", "contract"}
        plugins.hook.pytest_runtest_teardown(item=two, nextitem=end)
        assert running == set()


def test_a_node_ends_with_a_run_that_is_stopped(running: set[str]) -> None:
    plugins, shared = pytest.PytestPluginManager(), SharedNodes()
    shared.urls("native", plugins)
    plugins.hook.pytest_sessionfinish(session=None, exitstatus=2)
    assert running == set()
