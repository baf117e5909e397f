"""Exports of a real chain: what is in the files is what the node says, to the wei."""

import csv
import json
import re
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from rollup.export.schema import TABLES
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient
from tests.docs.pages import named, page, section

ALL = ",".join(name for name in TABLES if name != "batches")


def rows(folder, table):
    found = []
    for path in sorted((folder / table).glob("*.csv")):
        with path.open(newline="") as file:
            found += csv.DictReader(file)
    return found


@pytest.fixture(scope="module")
def exported(busy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "csv"
    busy.run("export", "--out", folder, "--format", "csv", "--what", ALL, "--part-blocks", "7")
    return folder


def test_the_fees_are_the_books_to_the_wei(busy, exported):
    books = JsonRpcClient(HttpEndpoint(busy.url)).call("open_audit")
    assert sum(int(row["fee"]) for row in rows(exported, "inferences")) == int(books["received"], 16)
    credits = rows(exported, "credits")
    assert sum(int(row["amount"]) for row in credits) == int(books["received"], 16)
    assert {"platform", "owner", "pool"} <= {row["role"] for row in credits}


def test_each_inferences_credits_sum_to_its_fee(exported):
    credits = rows(exported, "credits")
    for row in rows(exported, "inferences"):
        own = [int(item["amount"]) for item in credits if item["inference_id"] == row["inference_id"]]
        assert sum(own) == int(row["fee"])


def test_the_fees_of_gas_are_the_indexes(exported):
    fees = {row["transaction_hash"]: int(row["total"]) for row in rows(exported, "fees")}
    for row in rows(exported, "inferences"):
        assert fees[row["transaction_hash"]] == int(row["gas_total"])


def test_every_transaction_has_its_block_and_its_receipt(exported):
    blocks = rows(exported, "blocks")
    assert [int(row["number"]) for row in blocks] == list(range(len(blocks)))
    assert all(after["parent_hash"] == before["hash"] for before, after in pairwise(blocks))
    places = [(row["block_number"], row["transaction_index"]) for row in rows(exported, "transactions")]
    assert places == [(row["block_number"], row["transaction_index"]) for row in rows(exported, "receipts")]
    assert len(places) == sum(int(row["transactions"]) for row in blocks)
    assert sum(int(row["logs"]) for row in rows(exported, "receipts")) == len(rows(exported, "logs"))


def test_usage_counts_what_a_batch_stands_for(exported):
    assert sum(int(row["inferences"]) for row in rows(exported, "usage")) == 43


def test_every_column_that_can_hold_a_value_does(exported):
    """A column that no row fills would be a field with a misspelt name."""
    empty = {
        f"{name}.{column}"
        for name in ALL.split(",")
        for column in TABLES[name].names
        if not any(row[column] for row in rows(exported, name))
    }
    assert empty - {f"{name}.overflow" for name in TABLES} == {"receipts.contract_address"}


def test_contributors_have_what_the_datanet_says(busy, exported):
    found = rows(exported, "contributors")
    shown = busy.json("datanet", "show", "1")
    assert len(found) == shown["members"]
    assert sum(int(row["units"]) for row in found) == int(shown["totalUnits"])


def test_the_manifest_has_the_hash_and_the_rows_of_every_file(exported):
    manifest = json.loads((exported / "manifest.json").read_text())
    assert manifest["chain_id"] == 901
    entries = [entry for part in manifest["parts"] for entry in part["files"].values()]
    entries += manifest["snapshots"].values()
    for entry in entries:
        data = (exported / entry["name"]).read_bytes()
        assert (sha256(data).hexdigest(), len(data)) == (entry["sha256"], entry["bytes"])
        assert len(list(csv.DictReader(data.decode().splitlines()))) == entry["rows"]
    named_files = {entry["name"] for entry in entries} | {"manifest.json"}
    assert {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()} == named_files


def test_the_same_command_goes_on_where_it_ended(busy, exported):
    before = json.loads((exported / "manifest.json").read_text())["parts"]
    busy.run("infer", "1", "--input-tokens", "1", "--output-tokens", "1", "--account", "4")
    busy.run("export", "--out", exported, "--format", "csv", "--what", ALL, "--part-blocks", "7")
    after = json.loads((exported / "manifest.json").read_text())["parts"]
    assert after[: len(before)] == before
    assert after[len(before)]["first"] == before[-1]["last"] + 1


def test_jsonl_has_the_rows_of_csv_and_no_amount_as_a_number(busy, tmp_path):
    for kind in ("csv", "jsonl"):
        busy.run(
            "export",
            "--out",
            tmp_path / kind,
            "--format",
            kind,
            "--what",
            "inferences,fees",
            "--from",
            "1",
            "--to",
            "8",
        )
    lines = [
        json.loads(line)
        for path in sorted((tmp_path / "jsonl" / "fees").iterdir())
        for line in path.read_text().splitlines()
    ]
    assert all(isinstance(line["total"], str) for line in lines)
    assert [line["total"] for line in lines] == [row["total"] for row in rows(tmp_path / "csv", "fees")]


def test_batches_are_the_batchers_transactions(busy, export_urls, tmp_path):
    l1 = export_urls["L1 JSON-RPC"]
    assert "--l1" in busy.refusal("export", "--out", tmp_path / "no", "--what", "batches", "--format", "csv")
    busy.run("export", "--out", tmp_path / "b", "--what", "batches", "--format", "csv", "--l1", l1)
    for row in rows(tmp_path / "b", "batches"):
        receipt = JsonRpcClient(HttpEndpoint(l1)).call("eth_getTransactionReceipt", row["transaction_hash"])
        assert int(receipt["gasUsed"], 16) == int(row["gas_used"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "999999"], "block 999999 is not there"),
        (["--rpc-url", "http://127.0.0.1:1"], "127.0.0.1:1"),
        (["--rpc-url", "nowhere"], "URL is expected"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(busy, tmp_path, arguments, words):
    assert words in busy.refusal("export", "--out", tmp_path / "x", "--format", "csv", *arguments)
    assert not (tmp_path / "x").exists()


def test_a_folder_of_something_else_is_refused(busy, exported, tmp_path):
    assert "format csv, not jsonl" in busy.refusal("export", "--out", exported, "--format", "jsonl", "--what", ALL)
    (tmp_path / "mine.txt").write_text("")
    assert "is not empty" in busy.refusal("export", "--out", tmp_path, "--format", "csv")
    busy.run("export", "--out", tmp_path / "x", "--what", "colours", exit_code=2)
    busy.run("export", "--out", tmp_path / "x", "--from", "5", "--to", "4", exit_code=2)
    busy.run("export", "--out", tmp_path / "x", "--follow", "--to", "4", exit_code=2)


def test_the_page_has_every_table_and_its_columns():
    said = {named(row[0])[0]: tuple(named(row[2])) for row in section(page("export.md"), "Files").rows}
    assert said == {table.name: table.names for table in TABLES.values()}


QUERIES = re.findall(r"```sql\n(.*?)```", page("export.md"), flags=re.DOTALL)


def test_the_page_has_ten_queries():
    assert len(QUERIES) == 10


def test_the_queries_of_the_page_run_and_sum_to_the_books(busy, tmp_path, monkeypatch):
    duckdb = pytest.importorskip("duckdb", reason="NO DUCKDB: pip install duckdb")
    pytest.importorskip("pyarrow", reason="NO PYARROW: pip install 'openrollup[export]'")
    busy.run("export", "--out", tmp_path / "parquet", "--what", ALL)
    monkeypatch.chdir(tmp_path / "parquet")
    answers = [duckdb.sql(query).fetchall() for query in QUERIES]
    books = JsonRpcClient(HttpEndpoint(busy.url)).call("open_audit")
    assert answers[1] == [(int(books["received"], 16),)]
    assert answers[2] == []
    assert sum(wei for _, wei in answers[3]) == int(books["received"], 16)
    for number, answer in enumerate(answers):
        assert number == 2 or answer, QUERIES[number]
    assert Path("manifest.json").exists()
