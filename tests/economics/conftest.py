"""The node and the commands of tests/cli, for the tests of the economics."""

from tests.cli.conftest import contract_shell, native_shell, node_urls, shell

__all__ = ["contract_shell", "native_shell", "node_urls", "shell"]
