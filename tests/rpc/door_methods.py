"""Methods of a server without a node, good and bad, and the object of a request."""

from rollup.rpc.errors import RpcError


def _crash(params):
    raise KeyError("secret detail")


def _deep(params):
    value = []
    for _ in range(2000):
        value = [value]
    return value


def _refuse(params):
    raise RpcError("no", -32000, "0x00")


METHODS = {
    "eth_echo": lambda params: params,
    "eth_wide": lambda params: {"value": 2**64},
    "eth_bytes": lambda params: b"\0",
    "eth_deep": _deep,
    "eth_crash": _crash,
    "eth_refuse": _refuse,
    "eth_long": lambda params: "0" * 10_000_000,
}


def request(method, *params, ident=1, **fields):
    return {"jsonrpc": "2.0", "id": ident, "method": method, "params": list(params), **fields}
