"""Everything that a user imports has examples in its docstring. The examples run and print what they say.

The examples of a chain use `chain`, those of the precompile's client use `client`, `alice`, `bob`, `bob_key`, `now`.
"""

import doctest
import importlib
import inspect
import re
from functools import cached_property
from pathlib import Path

import pytest
import structlog
from coincurve import PrivateKey
from web3 import Web3

from openrollup import Chain
from tests.attribution.harness import GENESIS_TIME, MODES, Evm
from tests.attribution.test_client import OTHER, SENDER, EvmProvider

ROOT = Path(__file__).parents[2]
FOLDERS = ("openrollup", "rollup", "sequencer", "derivation", "attribution_precompile")
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ">>> " in path.read_text()
]
PACKAGES = (
    "openrollup",
    "attribution_precompile",
    "attribution_precompile.client",
    "rollup.economics",
    "rollup.export",
)
# Classes whose methods are what a user comes for: each method is used in an example.
VERBS = {
    "openrollup": ("Chain", "L1", "L2", "Rows"),
    "attribution_precompile.client": ("AttributionClient", "AttributionReader"),
    "rollup.export": ("Exporter", "Manifest", "Table"),
}
# What a user calls by name without its being a function of these packages.
ALSO = {
    "attribution_precompile": ("DictHost.call",),
    "attribution_precompile.gas": ("keccak_gas",),
    "rollup.economics": ("Prices.preset",),
    "rollup.load.job": ("Job",),
}
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
EXAMPLE = re.compile(r"^\s*(?:>>>|\.\.\.) (.*)$", re.MULTILINE)


def public(package):
    module = importlib.import_module(package)
    return [getattr(module, name) for name in module.__all__]


def functions():
    return sorted({item for package in PACKAGES for item in public(package) if inspect.isfunction(item)}, key=name_of)


def name_of(item):
    return f"{item.__module__}.{item.__qualname__}"


def is_written(item):
    """Whether a member of a class is a method or a property, and not a field or its default."""
    return callable(item) or isinstance(item, property | cached_property | classmethod | staticmethod)


@pytest.fixture(scope="module")
def chain():
    with Chain() as found:
        yield found


@pytest.mark.parametrize("item", functions(), ids=name_of)
def test_a_public_function_has_an_example(item):
    assert ">>> " in (item.__doc__ or "")


@pytest.mark.parametrize(("package", "name"), [(package, name) for package, names in VERBS.items() for name in names])
def test_every_verb_is_used_in_an_example(package, name):
    kind = getattr(importlib.import_module(package), name)
    text = "\n".join(EXAMPLE.findall(inspect.getsource(inspect.getmodule(kind))))
    verbs = [verb for verb, item in vars(kind).items() if not verb.startswith("_") and is_written(item)]
    unused = [verb for verb in verbs if not re.search(rf"\.{verb}\b", text)]
    assert not unused


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name, chain):
    evm = Evm(MODES[0])
    for account in (SENDER, OTHER):
        evm.fund(int(account.address, 16))
    client_module = importlib.import_module("attribution_precompile.client")
    given = {
        "chain": chain,
        "client": client_module.AttributionClient(Web3(EvmProvider(evm))),
        "alice": SENDER,
        "bob": OTHER,
        "bob_key": PrivateKey(bytes(OTHER.key)),
        "now": GENESIS_TIME,
    }
    with structlog.testing.capture_logs():  # in a program they go to standard error
        results = doctest.testmod(importlib.import_module(name), extraglobs=given, optionflags=FLAGS)
    assert results.failed == 0
    assert results.attempted > 0
