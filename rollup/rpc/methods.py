"""Which handlers an endpoint has: every public method of a namespace object that is named like an RPC method."""

from collections.abc import Callable
from typing import Any

_CHAIN = ("debug", "eth", "net", "personal", "txpool", "web3")
_NODE = ("admin", "engine", "evm", "miner", "open", "optimism")
NAMESPACES = frozenset((*_CHAIN, *_NODE))


def collect(*namespaces: object) -> dict[str, Callable[..., Any]]:
    """Handlers by method name."""
    found: dict[str, Callable[..., Any]] = {}
    for namespace in namespaces:
        for name in dir(type(namespace)):
            if name.split("_")[0] in NAMESPACES and "_" in name:
                found[name] = getattr(namespace, name)
    return found
