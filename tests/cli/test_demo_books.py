"""The books of the demo: those of this demo alone, whatever was earned before, and checked as a sum."""

import json

import pytest
from click.testing import CliRunner

from rollup.cli import main
from rollup.cli.demo_node import own_node
from rollup.cli.demo_story import DemoResult, Earned


def result(credited: int, **fields: int) -> DemoResult:
    rows = [Earned("a", "0x" + "11" * 20, 1, credited, credited)]
    left = 100 - credited - fields.get("paid_before", 0)
    values = {"fees": 100, "platform": 5, "owner": 30, "balance_change": left, "owed_change_scaled": left << 64}
    return DemoResult(1, 0, contributors=rows, **(values | fields))


def test_books_are_conserved_only_when_their_rows_sum_up() -> None:
    assert result(64).is_conserved
    assert result(64).in_pool == 1
    assert not result(66).is_conserved  # contributors have more than came in
    assert not result(40).is_conserved  # something is missing
    assert result(64, paid_before=7).is_conserved
    assert not result(64, platform=6, owner=31).is_conserved


def test_the_json_of_the_books_has_decimal_strings_for_wei() -> None:
    found = json.loads(json.dumps(result(64, fees=2**60).to_json()))
    assert found["fees"] == str(2**60)
    assert found["contributors"][0]["credited"] == "64"
    assert not [name for name in found if "_" in name]
    assert not [value for value in found.values() if isinstance(value, int) and value > 2**53]


@pytest.mark.slow
def test_a_second_demo_on_a_node_has_the_books_of_the_first() -> None:
    with own_node() as endpoints:
        urls = ["--l2", endpoints.l2, "--verifier", str(endpoints.verifier)]
        books = []
        for _ in range(2):
            done = CliRunner().invoke(main, ["demo", *urls, "--inferences", "10", "--json"])
            assert done.exit_code == 0, done.output
            books.append(json.loads(done.stdout.strip().splitlines()[-1]))
    names = ("fees", "platform", "owner", "contributors")
    assert [books[0][name] for name in names] == [books[1][name] for name in names]
    assert int(books[1]["paidBefore"]) == 0  # the claim of the first demo left nothing
