"""The JSON text of answers (JSON-RPC 2.0, section 5), and the HTTP answer to a connection that is one too many."""

from io import BytesIO
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


class BatchAnswer:
    """The answers of a batch as one text that grows: held as a thousand pieces they would be in memory three times."""

    def __init__(self) -> None:
        self._text = BytesIO()
        self._text.write(b"[")

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._text.tell()

    def add(self, answer: bytes) -> None:
        """Appends an answer."""
        if self._text.tell() > 1:
            self._text.write(b",")
        self._text.write(answer)

    def text(self) -> bytes | None:
        """The whole batch's answer; None where none of its calls is answered."""
        if self._text.tell() == 1:
            return None
        self._text.write(b"]")
        return self._text.getvalue()
