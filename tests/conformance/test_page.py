"""docs/conformance.md has the counts of these tests and every exception of their tables."""

import pytest

from tests.conformance.conftest import CASES
from tests.conformance.test_engine_schemas import EXCEPTIONS as ENGINE_EXCEPTIONS
from tests.conformance.test_engine_schemas import SERVED
from tests.conformance.test_schemas import EXAMPLES, METHODS, NOT_SERVED, REQUESTS
from tests.conformance.test_schemas import EXCEPTIONS as SCHEMA_EXCEPTIONS
from tests.conformance.web3py_suites import ASYNC_EXCEPTIONS, EXCEPTIONS
from tests.docs.pages import page, sections
from tests.external.test_cast import CHECKS
from tests.node.node_process import L1, L2


def rows(title):
    (found,) = [part for part in sections(page("conformance.md")) if part.title == title]
    return {row[0]: row[1:] for row in found.rows}


def test_the_counts_of_web3pys_cases(request):
    cases = request.config.stash[CASES]
    layers = [layer for layer in (L1, L2) if cases[layer, "Eth"]]
    if len(layers) < 2:
        pytest.skip("NO COUNTS: they are those of a run of tests/conformance, or of all tests")
    sync = ("Eth", "Net", "Web3", "Debug", "TxPool")
    asynchronous = tuple(f"Async{name}" for name in sync)
    groups = {"the modules over HTTP": sync, "a WebSocket that stays open": ("PersistentConnection",)}
    groups["the modules over a WebSocket"] = asynchronous
    counts = {
        title: [str(sum(cases[layer, name] for name in names)) for layer in layers] for title, names in groups.items()
    }
    counts["of these with an exception below"] = [str(cases[layer, "exceptions"]) for layer in layers]
    assert rows("web3.py") == counts


def test_every_exception_of_web3pys_cases_has_its_row():
    expected = {
        f"`{name}`": ["both" if name in EXCEPTIONS[L1] else "L2", *unmet] for name, unmet in EXCEPTIONS[L2].items()
    }
    expected |= {f"`{name}`": ["both, over a WebSocket", *unmet] for name, unmet in ASYNC_EXCEPTIONS.items()}
    assert EXCEPTIONS[L1].keys() <= EXCEPTIONS[L2].keys()
    assert rows("Exceptions of web3.py") == expected


def test_every_exception_of_the_schemas_has_its_row():
    listed = [part.rows for part in sections(page("conformance.md")) if part.title == "Exceptions of the schemas"]
    expected = [
        [f"`{method}`", layer.upper(), *exception]
        for (layer, method), exceptions in SCHEMA_EXCEPTIONS.items()
        for exception in sorted(exceptions)
    ]
    expected += [
        [f"`{method}`", "engine", ", ".join(f"`{place}`" for place in sorted(places)), "geth: null"]
        for method, places in ENGINE_EXCEPTIONS.items()
    ]
    assert [sorted(table) for table in listed] == [sorted(expected)]


def test_the_counts_of_the_schemas():
    assert rows("Schemas") == {
        "methods that the specification names": [str(len(METHODS))],
        "methods that are called on L1 and on L2": [str(len(REQUESTS))],
        "`engine_` methods that are called on chains of five forks": [str(len(SERVED))],
        "methods that are not served": [str(len(NOT_SERVED))],
        "answers with an exception, by layer and method": [str(len(SCHEMA_EXCEPTIONS) + len(ENGINE_EXCEPTIONS))],
        "examples that hold on any chain": [str(len(EXAMPLES))],
    }


def test_the_count_of_casts_subcommands():
    assert f"{len(CHECKS)} checks" in page("conformance.md")
