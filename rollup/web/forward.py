"""JSON-RPC of a node elsewhere, under another port: `openrollup web` serves its pages from it."""

from typing import Any, Final

import aiohttp

from rollup.rpc.answers import failure
from rollup.rpc.errors import RpcError
from rollup.rpc.request_text import parse_request
from rollup.rpc.server import RpcServer
from rollup.rpc.subscriptions import Connection

_SECONDS: Final = 30
_MOST_BYTES: Final = 64 * 2**20


class Forward(RpcServer):
    """Passes each request body on to a URL as it is. Subscriptions are refused there, and the pages then ask again."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__(name, {})
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def handle(self, body: bytes, connection: Connection | None = None) -> bytes | None:
        """The answer of the node there, or an error that says why there is none."""
        del connection
        try:
            asked = parse_request(body)
        except RpcError as error:
            return failure(None, error)
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS))
        try:
            async with self._session.post(self._url, data=body, headers={"Content-Type": "application/json"}) as answer:
                found = await answer.content.read(_MOST_BYTES)
                while not answer.content.at_eof() and len(found) < _MOST_BYTES:
                    found += await answer.content.read(_MOST_BYTES - len(found))
        except (aiohttp.ClientError, TimeoutError) as error:
            return _failed(asked, f"{self._url} does not answer: {str(error) or type(error).__name__}")
        if found.lstrip()[:1] not in (b"{", b"["):
            return _failed(asked, f"{self._url} answers with HTTP {answer.status} and no JSON-RPC")
        return found

    async def stop(self) -> None:
        """Closes the connections to the node."""
        await super().stop()
        if self._session is not None:
            await self._session.close()


def _failed(asked: Any, message: str) -> bytes:
    """An answer with this error for each call of a request."""
    error = RpcError(message)
    calls = asked if isinstance(asked, list) else [asked]
    answers = [failure(call.get("id") if isinstance(call, dict) else None, error) for call in calls]
    return b"[%b]" % b",".join(answers) if isinstance(asked, list) else answers[0]
