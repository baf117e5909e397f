"""The JSON-RPC calls that an export makes, over HTTP or in the same process."""

from collections.abc import Sequence
from typing import Any, Protocol


class NodeRpc(Protocol):
    """JSON-RPC calls of one node. rollup.l1.json_rpc.JsonRpcClient makes them over HTTP."""

    def call(self, method: str, *params: Any) -> Any:
        """One call's result; raises rollup.l1.json_rpc.RpcError for the node's error."""

    def batch(self, method: str, params: Sequence[Sequence[Any]]) -> list[Any]:
        """The results of one method for many parameter lists, in order; raises as `call` for the first that fails."""
