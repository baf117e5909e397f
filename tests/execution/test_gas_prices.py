"""benchmarks.gas_prices' table: each program does what its row says."""

import json

import pytest

from benchmarks import gas_prices
from benchmarks.gas_prices import accepts, measure, patterns, run_out

PRECOMPILES = [pattern for pattern in patterns() if pattern.precompile is not None]


@pytest.mark.parametrize("pattern", PRECOMPILES, ids=lambda pattern: pattern.name)
def test_precompiles_accept_the_inputs_that_they_are_measured_with(pattern):
    assert accepts(pattern)


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.name)
def test_programs_run_until_their_gas_is_gone(pattern):
    assert run_out(pattern, 50_000).get_gas_used() == 50_000


def test_every_precompile_of_the_chain_has_a_row():
    computation = gas_prices.our_state(native=True).computation_class
    measured = {pattern.precompile.to_bytes(20, "big") for pattern in PRECOMPILES}
    assert (
        set(computation.get_precompiles() if hasattr(computation, "get_precompiles") else computation._precompiles)
        - {gas_prices.ADDRESS_BYTES}
        == measured
    )


def test_rows_are_sorted_and_set_beside_additions(capsys, monkeypatch):
    names = {"ADD", "MUL", "identity of nothing"}
    rows = measure(100_000, 1, names.__contains__)
    assert {row.name for row in rows} == names
    assert [row.ns_per_gas for row in rows] == sorted((row.ns_per_gas for row in rows), reverse=True)
    assert {row.name: row.ratio for row in rows}["ADD"] == 1
    monkeypatch.setattr(gas_prices, "measure", lambda gas, runs: rows)
    assert gas_prices.main(["--quick", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == [row.name for row in rows]
    assert gas_prices.main(["--quick"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(rows)
