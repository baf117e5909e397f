"""The native attribution precompile: it divides the fee each time a model answers.

    execute(host, calldata) -> bytes

runs one call of IAttribution.sol over a `Host`. The package does not import the node and uses neither a clock nor
random numbers.
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
