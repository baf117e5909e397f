"""A keep-alive HTTP/1.1 connection that posts JSON and does little else, so that the load takes little CPU."""

import asyncio
import re
from typing import Any, Final, cast
from urllib.parse import urlsplit

import orjson

from rollup.load.job import LoadError

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """One request at a time; `post` answers with the body."""

    def __init__(self, host: str, path: str) -> None:
        self._head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: "
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] | None = None

    @classmethod
    async def open(cls, url: str) -> "Connection":
        """Connects; raises LoadError."""
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise LoadError(f"{url}: an http:// address is expected")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        loop = asyncio.get_running_loop()
        try:
            _, made = await loop.create_connection(
                lambda: cls(parts.netloc.rpartition("@")[2], path), parts.hostname, parts.port or 80
            )
        except OSError as error:
            raise LoadError(f"{url}: {error.strerror or error}") from error
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Collects an answer until it is whole."""
        self._received += data
        body = _body(self._received)
        if body is not None and self._answer is not None and not self._answer.done():
            self._received.clear()
            self._answer.set_result(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fails the request that waits."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LoadError("the node closed a connection before it had answered"))

    async def post(self, body: bytes) -> bytes:
        """The body of the answer; raises LoadError when the connection ends before."""
        if self._transport is None:
            raise LoadError("the node closed a connection")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
        return await self._answer

    async def call(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC call; raises LoadError for an error."""
        answer = await self.post(orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        try:
            parsed = orjson.loads(answer)
        except orjson.JSONDecodeError as error:
            raise LoadError(f"{method}: the answer is not JSON: {answer[:80]!r}") from error
        if not isinstance(parsed, dict) or "error" in parsed or "result" not in parsed:
            raise LoadError(f"{method}: {_error_text(parsed)}")
        return parsed["result"]

    def close(self) -> None:
        """Ends the connection."""
        if self._transport is not None:
            self._transport.close()


def _body(received: bytearray) -> bytes | None:
    """The body of the answer that the bytes hold, or None while some of it is missing."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[:end]
    length = _LENGTH.search(head)
    if length is not None:
        whole = end + 4 + int(length[1])
        return bytes(received[end + 4 : whole]) if len(received) >= whole else None
    if _CHUNKED.search(head):
        return _dechunked(received, end + 4)
    return b""


def _dechunked(received: bytearray, at: int) -> bytes | None:
    parts: list[bytes] = []
    while True:
        line = received.find(b"\r\n", at)
        if line < 0:
            return None
        size = int(received[at:line].split(b";")[0], 16)
        if len(received) < line + 2 + size + 2:
            return None
        if size == 0:
            return b"".join(parts)
        parts.append(bytes(received[line + 2 : line + 2 + size]))
        at = line + 2 + size + 2


def _error_text(parsed: Any) -> str:
    error = parsed.get("error") if isinstance(parsed, dict) else None
    return str(error.get("message") if isinstance(error, dict) else parsed)[:200]


def errors_of(answer: bytes, count: int) -> list[str]:
    """The error texts of an answer to `count` sent transactions; almost always there is none."""
    if b'"error"' not in answer and answer:
        return []
    try:
        parsed = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return [f"not JSON: {answer[:60]!r}"] * count
    if not isinstance(parsed, list):
        return [_error_text(parsed)] * (count if isinstance(parsed, dict) and "error" in parsed else 0)
    return [_error_text(item) for item in parsed if isinstance(item, dict) and "error" in item]
