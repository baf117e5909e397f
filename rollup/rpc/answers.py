"""The JSON text of answers (JSON-RPC 2.0, section 5), and the HTTP answer to a connection that is one too many."""

from typing import Any

import orjson

from rollup.rpc.errors import RpcError

TOO_MANY_CONNECTIONS = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 21\r\n\r\ntoo many connections\n"
)


def success(ident: Any, result: Any) -> bytes:
    """The answer with a result. ident: the request's id, as it was read."""
    return orjson.dumps({"jsonrpc": "2.0", "id": ident, "result": result})


def failure(ident: Any, error: RpcError) -> bytes:
    """The answer with an error."""
    return orjson.dumps({"jsonrpc": "2.0", "id": ident, "error": error.to_json()})
