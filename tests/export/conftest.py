"""A node of its own for the exports, with models, contributors and inferences of every kind."""

import pytest

from tests.cli.conftest import Shell
from tests.cli.nodes import own_node


@pytest.fixture(scope="module")
def export_urls():
    with own_node("native") as urls:
        yield urls


@pytest.fixture(scope="module")
def busy(export_urls):
    """The shell of a chain with a DataNet, a model, and five inference records of six queries and more."""
    shell = Shell(export_urls["L2 JSON-RPC"])
    shell.run("datanet", "create", "--name", "export")
    shell.run("datanet", "contribute", "1", "examples/medical")
    shell.run("model", "register", "examples/model.yaml")
    for account in ("2", "3", "3"):
        shell.run("infer", "1", "--input-tokens", "9", "--output-tokens", "9", "--account", account)
    shell.run("infer", "1", "--count", "40", "--input-tokens", "400", "--output-tokens", "90", "--account", "1")
    return shell
