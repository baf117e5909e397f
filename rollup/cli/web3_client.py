"""web3.py's client of a node, as the commands use it."""

from typing import Any, Final

from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint, RPCResponse

_TIMEOUT_SECONDS: Final = 30
_CHAIN_ID: Final = "eth_chainId"


class _Provider(HTTPProvider):
    """HTTP that asks for the chain id once.

    web3.py asks before each call and several times for a transaction, which is a third of all requests of a command.
    Its own cache fails with an AttributeError on an answer that is not an object.
    """

    _chain_id: RPCResponse | None = None

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        if method != _CHAIN_ID:
            return super().make_request(method, params)
        if self._chain_id is not None:
            return self._chain_id
        answer = super().make_request(method, params)
        if isinstance(answer, dict) and isinstance(answer.get("result"), str):
            self._chain_id = answer
        return answer


def web3_client(url: str) -> Web3:
    """A client of the node at an http:// or https:// address, with 30 s for each answer."""
    return Web3(_Provider(url, request_kwargs={"timeout": _TIMEOUT_SECONDS}))
