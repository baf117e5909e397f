"""docs/conformance.md has the counts of these tests and every exception of their tables."""

import pytest

from tests.conformance.conftest import CASES
from tests.conformance.test_engine_schemas import EXCEPTIONS as ENGINE_EXCEPTIONS
from tests.conformance.test_engine_schemas import SERVED
from tests.conformance.test_schemas import EXAMPLES, METHODS, NOT_SERVED, REQUESTS
from tests.conformance.test_schemas import EXCEPTIONS as SCHEMA_EXCEPTIONS
from tests.conformance.web3py_suites import EXCEPTIONS
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
    listed = {name.strip("`"): cells for name, cells in rows("Exceptions of web3.py").items()}
    assert {name: cells[0] for name, cells in listed.items()} == {
        name: "both" if name in EXCEPTIONS[L1] else "L2" for name in EXCEPTIONS[L2]
    }


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
