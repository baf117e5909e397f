"""The methods of a node's L2 port, called without a server."""

import orjson

from rollup.serve import PORTS, NodeServers

SECRET = bytes(32)


def l2_methods(node):
    """A function of a method's name and its parameters; the answer is as a client reads it. Raises RpcError."""
    methods = NodeServers(node, PORTS, "127.0.0.1", SECRET).rpc_servers["l2"].methods
    return lambda method, *params: orjson.loads(orjson.dumps(methods[method](list(params))))
