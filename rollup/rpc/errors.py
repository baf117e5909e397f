"""JSON-RPC errors, with geth's codes and texts: clients match on them."""

from typing import Any

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
SERVER_ERROR, REVERTED, SYNC_TIMED_OUT = -32000, 3, 4  # the last by EIP-7966
TIMED_OUT, RESPONSE_TOO_LARGE, LIMIT_EXCEEDED, HANDLER_CRASHED = -32002, -32003, -32005, -32603
TRANSACTION_REJECTED = -32003  # by EIP-1474, of a condition that is not met
INDEX_BEHIND = -32010  # ours; EIP-1474 and geth leave it free


class RpcError(Exception):
    """An answer with an error. data is a part that the client may decode (revert data as a 0x string)."""

    def __init__(self, message: str, code: int = SERVER_ERROR, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.data = data

    def to_json(self) -> dict[str, Any]:
        """The error object."""
        result: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            result["data"] = self.data
        return result


class InvalidParams(RpcError):
    """Parameters that cannot be read (-32602)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, INVALID_PARAMS)


def method_not_found(name: str) -> RpcError:
    """geth's text, which ethers recognises."""
    return RpcError(f"the method {name} does not exist/is not available", METHOD_NOT_FOUND)


def notifications_not_supported() -> RpcError:
    """eth_subscribe over HTTP (geth rpc/subscription.go)."""
    return RpcError("notifications not supported", METHOD_NOT_FOUND)


def index_behind(block: int, head: int) -> RpcError:
    """An index that is still being built; `data` has both block numbers, so that a client can wait for it."""
    data = {"indexBlock": hex(block), "headBlock": hex(head)}
    return RpcError(f"the attribution index is at block {block} of {head}: ask again later", INDEX_BEHIND, data)


def request_timed_out() -> RpcError:
    """A request that takes too long (geth rpc/errors.go)."""
    return RpcError("request timed out", TIMED_OUT)


class RpcCannotListen(OSError):
    """A server cannot listen where it is to; the message is for the user."""


class RpcPortInUse(RpcCannotListen):
    """The port a server is to listen on is taken."""

    def __init__(self, host: str, port: int, name: str) -> None:
        super().__init__(f"port {port} on {host} is in use: {name} cannot listen there (choose another port)")
        self.port = port
