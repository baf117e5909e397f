"""An export of many single inferences, read by DuckDB: its sums are the books of open_audit, to the wei."""

import pytest

from openrollup import Chain
from rollup.export.exporter import Exporter
from rollup.export.schema import TABLES as SCHEMA

TABLES = ["blocks", "receipts", "fees", "inferences", "credits", "usage", "contributors"]


@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_the_sums_of_an_export_are_those_of_open_audit(tmp_path, count, kind):
    """Every inference is a transaction of its own. The contributors' pools hold the rest below one wei each."""
    duckdb = pytest.importorskip("duckdb", reason="NO DUCKDB: pip install duckdb")
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="NO PYARROW: pip install 'openrollup[export]'")
    with Chain() as chain:
        for contributors in (7, 100):
            chain.inferences(count // 2, contributors)
        books = chain.audit()
        list(Exporter.open(chain.rpc, tmp_path, kind, TABLES).export(chain.l2.head.number, 50))
    assert books["isConserved"]

    def one(query):
        for table in TABLES:
            query = query.replace(f"${table}", reader(table, f"'{tmp_path}/{table}/*.{kind}'", kind))
        return duckdb.sql(query).fetchall()[0]

    assert one("SELECT count(*), count(DISTINCT transaction_hash), sum(fee) FROM $inferences") == (
        count,
        count,
        books["received"],
    )
    assert one("SELECT sum(amount) FROM $credits") == (books["received"],)
    assert one("SELECT sum(inferences), sum(fees) FROM $usage") == (count, books["received"])
    to_pools, to_accounts = one(
        "SELECT sum(amount) FILTER (role = 'pool'), sum(amount) FILTER (role <> 'pool') FROM $credits"
    )
    assert to_accounts == books["credits"]
    assert int(to_pools) << 64 == books["poolsPendingScaled"] + books["poolsRemainderScaled"]
    (pending,) = one("SELECT sum(pending) FROM $contributors")
    assert 0 <= to_pools - pending <= 107 + 2


def reader(table, files, kind):
    """A table in DuckDB's words. For CSV the types of amounts are stated: DuckDB would guess DOUBLE, which rounds."""
    amounts = [column.name for column in SCHEMA[table].columns if column.kind == "amount"]
    if kind == "parquet" or not amounts:
        return files
    types = ", ".join(f"'{name}': 'DECIMAL(38, 0)'" for name in amounts)
    return f"read_csv({files}, types = {{{types}}})"
