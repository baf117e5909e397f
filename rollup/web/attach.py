"""The pages on the ports of a node, or on a port of their own in front of nodes elsewhere."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from rollup.rpc.server import RpcServer
from rollup.serve import NodeServers
from rollup.web.forward import Forward
from rollup.web.site import Site

# The endpoint's name in the pages, and the port of a node that it is.
_OF_NODE: Final = {"l1": "l1", "node": "rollup", "verifier": "verifier"}


def attach_pages(servers: NodeServers) -> None:
    """Serves the pages at `/` of a node's L2 port, and the methods of other ports that the pages need."""
    found = servers.rpc_servers
    status = partial(found["rollup"].methods["openrollup_status"], ())
    _mount(found["l2"], {name: found[port] for name, port in _OF_NODE.items() if port in found}, status)


def forwarding_server(l2: str, others: Mapping[str, str]) -> tuple[RpcServer, list[RpcServer]]:
    """A server of the pages for nodes elsewhere, by URL; and the endpoints that are to be stopped with it.

    others: any of l1, node and verifier.
    """
    server = Forward("pages", l2)
    endpoints: dict[str, RpcServer] = {name: Forward(name, url) for name, url in others.items()}
    _mount(server, endpoints)
    return server, list(endpoints.values())


def _mount(
    server: RpcServer, endpoints: Mapping[str, RpcServer], status: Callable[[], dict[str, Any]] | None = None
) -> None:
    server.pages.update(Site(endpoints, status).pages)
    server.mounted.update({f"/rpc/{name}": endpoint for name, endpoint in endpoints.items()})
