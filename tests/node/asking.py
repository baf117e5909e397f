"""A node that answers in this process: JSON-RPC requests without a socket, and the command lines of openrollup ctl."""

import asyncio
import json
from contextlib import contextmanager

from rollup.cli import ctl
from rollup.serve import NodeServers
from tests.node.test_snapshots import open_node
from tests.rpc.conftest import FREE_PORTS


@contextmanager
def node_with_safe(number, **options):
    """A node whose safe head is at least this block; the end of the context closes it."""
    node = open_node(**options)
    node.run_until_safe(number)
    yield node
    node.close()


def asking(node, **options):
    """A function that sends a request to one of the node's ports and returns the answer."""
    servers = NodeServers(node, FREE_PORTS, "127.0.0.1", **options).rpc_servers

    def ask(port, method, *params):
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        return json.loads(asyncio.run(servers[port].handle(request)))

    return ask


def answer_ctl(ask, monkeypatch):
    """Makes openrollup ctl send its requests to this node."""

    def answer(url, method, *params):
        found = ask("rollup", method, *params)
        if "error" in found:
            raise ctl.click.ClickException(found["error"]["message"])
        return found["result"]

    monkeypatch.setattr(ctl, "_ask", answer)
