"""The native attribution precompile: who is paid, and how much, each time a model answers.

    execute(host, calldata) -> bytes

runs one call of IAttribution.sol over a `Host`. Nothing here knows the node, the clock or chance.
"""

from .dict_host import CallResult, DictHost
from .dispatch import METHODS, SELECTORS, Method, execute
from .errors import ERRORS, OutOfGas, Revert, explain
from .host import Host
from .layout import ADDRESS, genesis_storage
from .twin import RUNTIME_CODE

ADDRESS_BYTES = ADDRESS.to_bytes(20, "big")

__all__ = [
    "ADDRESS",
    "ADDRESS_BYTES",
    "ERRORS",
    "METHODS",
    "RUNTIME_CODE",
    "SELECTORS",
    "CallResult",
    "DictHost",
    "Host",
    "Method",
    "OutOfGas",
    "Revert",
    "execute",
    "explain",
    "genesis_storage",
]
