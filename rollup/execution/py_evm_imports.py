"""Loads py-evm without its own BLS12-381 precompiles, which the node replaces (vms/bls12_precompiles.py).

They import py_ecc's BLS12-381, which computes its tables at each start: a fifth of the time that all imports of a node
take. Functions that load the originals when they are called stand in their place.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

_PACKAGE = "eth.precompiles.bls12_381"
# What the package takes from each of its modules.
_FUNCTIONS = {
    "bls12_381_g1": ("bls12_g1_add", "bls12_g1_msm", "bls12_map_fp_to_g1"),
    "bls12_381_g2": ("bls12_g2_add", "bls12_g2_msm", "bls12_map_fp2_to_g2"),
    "bls12_381_pairing": ("bls12_pairing_check",),
}


def load_without_bls12() -> None:
    """Imports py-evm's precompiles; does nothing where py-evm has been imported before.

    The modules themselves can be imported as always afterwards.
    """
    if "eth" in sys.modules:
        return
    names = {f"{_PACKAGE}.{module}": functions for module, functions in _FUNCTIONS.items()}
    for name, functions in names.items():
        sys.modules[name] = _stand_in(name, functions)
    try:
        importlib.import_module(_PACKAGE)
    finally:
        for name in names:
            del sys.modules[name]


def _stand_in(name: str, functions: tuple[str, ...]) -> ModuleType:
    module = ModuleType(name)
    for function in functions:
        setattr(module, function, _loaded_when_called(name, function))
    return module


def _loaded_when_called(name: str, function: str) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        return getattr(importlib.import_module(name), function)(*arguments)

    return call
