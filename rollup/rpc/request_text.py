"""Reading the JSON text of requests, with ids that come back as they were written."""

import json
from typing import Any

import orjson


def parse_request(body: bytes) -> Any:
    """A request or a batch; raises orjson.JSONDecodeError.

    An id is echoed as text where its value would be rounded: 123456789012345678901 is no float (geth echoes the bytes).
    """
    request = orjson.loads(body)
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
