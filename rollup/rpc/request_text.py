"""Reading the JSON text of requests, with ids that come back as they were written."""

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

import orjson

from rollup.rpc.errors import PARSE_ERROR, RpcError
from rollup.rpc.limits import MAX_VALUES

_READ_AT_ONCE = 20  # calls of a batch


class Batch:
    """The calls of a batch, as text until their turn comes.

    Read, a call takes ten times the room of its text, in small pieces that Python's allocator does not give back to
    the operating system. So many batches at once would leave the node at their peak.
    """

    def __init__(self, requests: list[Any]) -> None:
        """Takes the calls out of the list."""
        self._parts: deque[bytes | list[Any]] = deque()
        for start in range(0, len(requests), _READ_AT_ONCE):
            self._parts.append(_as_text(requests[start : start + _READ_AT_ONCE]))
        requests.clear()

    def __iter__(self) -> Iterator[Any]:
        """The calls, each once."""
        while self._parts:
            part = self._parts.popleft()
            yield from part if isinstance(part, list) else parse_request(part)


def _as_text(requests: list[Any]) -> bytes | list[Any]:
    try:
        return orjson.dumps(requests)
    except orjson.JSONEncodeError:  # nested deeper than orjson writes
        return requests


def parse_request(body: bytes) -> Any:
    """A request or a batch; raises RpcError.

    A text of more than MAX_VALUES values is refused before it is read: 5 MiB of brackets are two million lists, and
    nobody else has a turn while they are made. The count is that of the characters, those in strings too.

    An id is echoed as text where its value would be rounded: 123456789012345678901 does not fit a float (geth echoes
    the bytes).
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise RpcError(f"request has more than {MAX_VALUES} values", PARSE_ERROR)
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RpcError("parse error", PARSE_ERROR) from error
    for one in request if isinstance(request, list) else [request]:
        if isinstance(one, dict) and isinstance(one.get("id"), float):
            return _with_written_ids(request, body)
    return request


def _with_written_ids(request: Any, body: bytes) -> Any:
    try:
        written = json.loads(body, parse_int=_Written, parse_float=_Written)
    except (ValueError, RecursionError):  # nested deeper than this reader goes
        return request
    requests, texts = (value if isinstance(value, list) else [value] for value in (request, written))
    for one, text in zip(requests, texts, strict=True):
        if isinstance(one, dict) and isinstance(one.get("id"), float) and isinstance(text["id"], _Written):
            one["id"] = orjson.Fragment(text["id"].encode())
    return request


class _Written(str):
    """A number as it was written."""

    __slots__ = ()
