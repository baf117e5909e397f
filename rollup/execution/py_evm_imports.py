"""Loads py-evm without its own precompiles on curves, which the node replaces.

The node's are in vms/bls12_precompiles.py and vms/bn254_precompiles.py. py-evm's import py_ecc, which computes its
tables at each start: BLS12-381 takes a fifth of the time that all imports of a node take, BN254 a fortieth. Functions
that load the originals when they are called stand in their place.
"""

import importlib
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

_PACKAGE = "eth.precompiles"
# What the package takes from each module.
_FUNCTIONS = {
    f"{_PACKAGE}.bls12_381.bls12_381_g1": ("bls12_g1_add", "bls12_g1_msm", "bls12_map_fp_to_g1"),
    f"{_PACKAGE}.bls12_381.bls12_381_g2": ("bls12_g2_add", "bls12_g2_msm", "bls12_map_fp2_to_g2"),
    f"{_PACKAGE}.bls12_381.bls12_381_pairing": ("bls12_pairing_check",),
    f"{_PACKAGE}.ecadd": ("ecadd",),
    f"{_PACKAGE}.ecmul": ("ecmul",),
    f"{_PACKAGE}.ecpairing": ("ecpairing",),
}


def load_without_curves() -> None:
    """Imports py-evm's precompiles; does nothing where py-evm has been imported before.

    The modules themselves can be imported as always afterwards.
    """
    if "eth" in sys.modules:
        return
    for name, functions in _FUNCTIONS.items():
        sys.modules[name] = _stand_in(name, functions)
    try:
        importlib.import_module(_PACKAGE)
    finally:
        for name in _FUNCTIONS:
            del sys.modules[name]


def _stand_in(name: str, functions: tuple[str, ...]) -> ModuleType:
    module = ModuleType(name)
    for function in functions:
        setattr(module, function, _loaded_when_called(name, function))
    return module


def _loaded_when_called(name: str, function: str) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        if not arguments:  # py-evm gives a fork's gas cost first, and the computation later
            return partial(call, **options)
        return getattr(importlib.import_module(name), function)(*arguments, **options)

    return call
