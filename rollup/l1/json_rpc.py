"""JSON-RPC and plain GET over HTTP, synchronous, with timeouts, a few tries, and one error for temporary failures."""

import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Protocol

import orjson
import urllib3
from urllib3.exceptions import HTTPError, LocationParseError

from derivation.errors import Temporary

_RETRIED_STATUSES = (408, 425, 429, 500, 502, 503, 504)


class RpcError(Exception):
    """The node's answer is an error object: JSON-RPC code, text and data."""

    def __init__(self, method: str, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.method = method
        self.code = code
        self.message = message
        self.data = data


class HttpEndpoint:
    """One HTTP address. A request is repeated if there is no answer.

    timeout in seconds for connecting and for each read; tries counts the first; pause seconds before the second try,
    doubled for each one after.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 10.0,
        tries: int = 3,
        pause: float = 0.25,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url, self._headers = _parse_url(url)
        self._tries = tries
        self._pause = pause
        self._sleep = sleep
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(timeout), maxsize=2)

    @property
    def url(self) -> str:
        """The address, without user and password."""
        return self._url

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()

    def get(self, path: str, fields: Sequence[tuple[str, str]] = ()) -> tuple[int, Any]:
        """GETs a path: the HTTP status and the parsed JSON; raises Temporary."""
        return self._request("GET", self.url + path, fields=list(fields))

    def post(self, body: Any) -> tuple[int, Any]:
        """POSTs JSON: the HTTP status and the parsed JSON; raises Temporary."""
        headers = {"Content-Type": "application/json"}
        return self._request("POST", self.url, body=orjson.dumps(body), headers=headers)

    def _request(self, method: str, url: str, **options: Any) -> tuple[int, Any]:
        options["headers"] = self._headers | options.get("headers", {})
        problem = ""
        for attempt in range(self._tries):
            if attempt:
                self._sleep(self._pause * 2 ** (attempt - 1))
            try:
                response = self._pool.request(method, url, **options)
            except HTTPError as error:
                problem = _reason(error)
                continue
            try:
                parsed = orjson.loads(response.data)
            except orjson.JSONDecodeError:
                parsed = None
            # A node's JSON-RPC error may come with any status: it is an answer, to be looked at by the caller.
            if parsed is not None and not (response.status in _RETRIED_STATUSES and method == "GET"):
                return response.status, parsed
            if response.status not in _RETRIED_STATUSES and method == "GET" and response.status >= 400:
                return response.status, None
            problem = f"HTTP {response.status}, {'no JSON' if parsed is None else 'try again'}"
        raise Temporary(f"{self.url} does not answer: {problem}")


class JsonEndpoint(Protocol):
    """An address that takes JSON by POST."""

    @property
    def url(self) -> str:
        """The address as errors show it."""

    def post(self, body: Any) -> tuple[int, Any]:
        """POSTs JSON: the HTTP status and the parsed JSON; raises Temporary."""


class JsonRpcClient:
    """A node's JSON-RPC."""

    def __init__(self, endpoint: JsonEndpoint) -> None:
        self._endpoint = endpoint
        self._ids = count(1)

    @property
    def url(self) -> str:
        """Where the node is."""
        return self._endpoint.url

    def call(self, method: str, *params: Any) -> Any:
        """One call's result; raises RpcError for the node's error object, Temporary when there is no answer."""
        _, answer = self._endpoint.post(self._request(method, params))
        return self._result(method, answer)

    def batch(self, method: str, params: Sequence[Sequence[Any]]) -> list[Any]:
        """The results of one method for many parameter lists, in order; raises as call, for the first that fails."""
        if not params:
            return []
        requests = [self._request(method, item) for item in params]
        _, answers = self._endpoint.post(requests)
        if not isinstance(answers, list):
            return [self._result(method, answers)]  # an error for the batch as a whole
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        return [self._result(method, by_id.get(request["id"])) for request in requests]

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def _result(self, method: str, answer: Any) -> Any:
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise Temporary(f"{self.url}: {method}: not a JSON-RPC answer")
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        if not isinstance(error, dict):
            raise RpcError(method, 0, str(error))
        code = error.get("code")
        raise RpcError(method, code if isinstance(code, int) else 0, str(error.get("message", "")), error.get("data"))


def _parse_url(url: str) -> tuple[str, dict[str, str]]:
    """The address without user and password, and the header that carries them; raises ValueError."""
    try:
        parsed = urllib3.util.parse_url(url)
    except LocationParseError as error:
        raise ValueError(f"not a URL: {url}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(f"an http:// or https:// URL is expected, got {url}")
    headers = urllib3.util.make_headers(basic_auth=parsed.auth) if parsed.auth else {}
    return parsed._replace(auth=None).url.rstrip("/"), headers


def _reason(error: HTTPError) -> str:
    return str(error) or type(error).__name__
