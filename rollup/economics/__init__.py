"""The economics of the chain: measured gas, break-even, claims, markets, supply, noise.

The names of a notebook: `from rollup.economics import GasProfile, Prices, Market, Experiment, grid`. Each is
imported when it is asked for, so that a command loads only what it needs.
"""

import importlib
from typing import Any, Final

_NAMES: Final = {
    "builder": ("Answer", "Model", "Wishes", "answer"),
    "claims": ("ClaimRule", "best_rule"),
    "critical": ("TakeOff", "fixed_point", "take_off"),
    "demand": ("lerner_price", "living_models", "simulate", "zipf_weights"),
    "errors": ("EconomicsError",),
    "experiment": ("Experiment", "grid", "quantiles"),
    "facts": ("conclusion", "csv_text", "facts"),
    "health": ("Health", "health"),
    "liquidity": ("Flow", "Sheet", "sheets"),
    "market": ("Market",),
    "noise": ("Paid", "Transfer", "World", "label"),
    "observed": ("Observed", "observe"),
    "planted": ("found_by_kind",),
    "prices": ("Prices",),
    "profile": ("GasProfile",),
    "scenario": ("Scenario",),
    "sensitivity": ("one_at_a_time",),
    "shape": ("Level", "Shape"),
    "supply": ("Absorption", "Schedule"),
}
_MODULE_OF: Final = {name: module for module, names in _NAMES.items() for name in names}
_MODULES: Final = ("plots",)

__all__ = sorted([*_MODULE_OF, *_MODULES])


def __getattr__(name: str) -> Any:
    """Imports the module that a name is from."""
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
