"""The examples in docstrings run and print what they say. tests/python runs those of the openrollup package."""

import doctest
import importlib
from pathlib import Path

import pytest
import structlog

ROOT = Path(__file__).parents[2]
PACKAGES = ("rollup", "sequencer", "derivation", "attribution_precompile")
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>> " in path.read_text()
]
# What a user calls by name, apart from the openrollup package.
IMPORTED = {
    "attribution_precompile": ("DictHost.call", "execute", "explain", "genesis_storage"),
    "attribution_precompile.attestation": ("encode_influence", "decode_influence", "sign_attestation"),
    "attribution_precompile.gas": ("keccak_gas",),
    "rollup.economics": ("Prices.preset", "grid", "lerner_price", "zipf_weights", "best_rule"),
    "rollup.load.job": ("Job",),
}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    with structlog.testing.capture_logs():  # in a program they go to standard error
        results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0
    assert results.attempted > 0


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in IMPORTED.items() for name in names])
def test_what_a_user_calls_has_an_example(module: str, name: str) -> None:
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    assert ">>> " in found.__doc__
