"""Which handlers an endpoint has: every public method of a namespace object that is named like an RPC method."""

from collections.abc import Callable
from typing import Any

NAMESPACES = frozenset("admin debug engine eth evm miner net open optimism personal rpc txpool web3".split())


def collect(*namespaces: object) -> dict[str, Callable[..., Any]]:
    """Handlers by method name."""
    found: dict[str, Callable[..., Any]] = {}
    for namespace in namespaces:
        for name in dir(type(namespace)):
            if name.split("_")[0] in NAMESPACES and "_" in name:
                found[name] = getattr(namespace, name)
    return found
