"""`from openrollup import Chain`: what the verbs do is what the node says, and the examples run as printed."""

import doctest
import re
import subprocess
import sys

import pytest
import structlog

import openrollup
from openrollup import Chain, DataFramesMissing, ReorgError, Rows, RpcError
from rollup.export.schema import TABLES
from tests.docs.pages import page

BLOCKS = re.findall(r"^```python\n(.*?)^```", page("python.md"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def chain():
    with Chain() as found:
        found.inferences(60, contributors=4)
        yield found


def test_the_sums_of_the_rows_are_the_books(chain):
    books = chain.audit()
    assert books["isConserved"]
    assert books["isIndexEqual"]
    fees = chain.table("inferences").sum("fee")
    assert fees == chain.credits().sum("amount") == chain.table("usage").sum("fees") == books["received"]


def test_each_inference_is_a_transaction_of_its_own():
    with Chain() as chain:
        made = chain.inferences(25, contributors=3)
        assert len(set(made.column("transaction_hash"))) == 25
        assert made.column("inference_id") == list(range(1, 26))
        assert set(made.column("count")) == {1}
        again = chain.inferences(5, contributors=3)
        assert (set(again.column("model_id")), again.column("inference_id")) == ({1}, list(range(26, 31)))
        assert set(chain.inferences(2, contributors=2).column("model_id")) == {2}
        assert len(chain.table("contributors")) == 5


def test_after_an_l1_reorg_inferences_go_on_and_both_nodes_agree():
    with Chain(da="calldata") as chain:
        chain.inferences(20, contributors=2)
        chain.l1.mine(3)
        before = chain.l1.head
        after = chain.l1.reorg(3)
        assert (after.number, after.hash != before.hash) == (before.number, True)
        chain.inferences(20, contributors=2)
        chain.run_until_safe()
        assert chain.l2.verified == chain.l2.safe
        assert chain.l2.safe.number > 0
        assert chain.table("inferences").column("inference_id") == list(range(1, 41))
        assert chain.audit()["isConserved"]


def test_a_reorg_below_genesis_is_refused(chain):
    with pytest.raises(ReorgError):
        chain.l1.reorg(10_000)


def test_the_same_calls_give_the_same_hashes():
    heads = []
    for _ in range(2):
        with Chain(seed=5) as chain:
            chain.inferences(3, contributors=2)
            heads.append((chain.l1.mine(), chain.l2.build(2)))
    assert heads[0] == heads[1]


def test_without_a_batcher_the_safe_head_stands_still():
    with Chain(da="calldata") as chain:
        chain.l2.stop_batcher()
        chain.l2.build(20)
        assert chain.l2.safe.number == 0
        assert len(chain.batches()) == 0
        chain.l2.start_batcher()
        assert chain.run_until_safe(20).number >= 20
        assert chain.batches().sum("cost") > 0


def test_a_kept_chain_goes_on(tmp_path):
    with Chain(data_dir=tmp_path / "kept") as chain:
        chain.inferences(3, contributors=2)
        head = chain.l2.head
    with Chain(data_dir=tmp_path / "kept") as chain:
        assert chain.l2.head == head
        assert chain.inferences(1, contributors=2).column("inference_id") == [1]


def test_unknown_names_say_what_there_is(chain):
    with pytest.raises(KeyError, match="there are blocks, transactions"):
        chain.table("colours")
    with pytest.raises(KeyError, match="it has number, hash"):
        chain.blocks().column("colour")
    with pytest.raises(RpcError, match="unknown model 99"):
        chain.call("open_getModel", "0x63")
    with pytest.raises(RpcError, match="does not exist"):
        chain.call("evm_unheardOf")


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_rows_with_its_columns(chain, name):
    chain.run_until_safe()
    rows = chain.table(name)
    assert rows
    assert tuple(rows[0]) == tuple(column.name for column in TABLES[name].columns if column.name != "overflow")


def test_a_data_frame_keeps_amounts_above_64_bits():
    pd = pytest.importorskip("pandas", reason="NO PANDAS: pip install 'openrollup[notebook]'")
    amounts = [2**255, 10**19, None]
    rows = Rows(TABLES["usage"], [{"day": 0, "model_id": 1, "fees": wei} for wei in amounts])
    frame = rows.to_pandas()
    assert list(frame["fees"][:2]) == amounts[:2]
    assert frame["fees"][:2].sum() == rows.sum("fees") == 2**255 + 10**19
    assert (str(frame["model_id"].dtype), frame["model_id"].sum()) == ("Int64", 3)
    assert pd.isna(frame["fees"][2])


def test_without_pandas_the_error_says_what_to_install(monkeypatch, chain):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(DataFramesMissing, match=r"pip install 'openrollup\[notebook\]'"):
        chain.blocks().to_pandas()


def test_a_program_needs_no_extra_and_its_log_lines_go_to_standard_error():
    code = (
        "import sys; from openrollup import Chain; chain = Chain(); chain.l1.mine(4); chain.l1.reorg(2); chain.close();"
        "sys.exit(bool({'pandas', 'pyarrow', 'duckdb'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=120, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert "derivation starts over" in done.stderr


@pytest.mark.parametrize("block", BLOCKS)
def test_the_examples_of_the_page_run_as_printed(block):
    example = doctest.DocTestParser().get_doctest(block, {}, "python.md", "python.md", 0)
    runner = doctest.DocTestRunner()
    with structlog.testing.capture_logs():
        runner.run(example)
    assert (runner.failures, bool(example.examples)) == (0, True)


def test_the_page_names_every_public_verb_and_table():
    text = page("python.md")
    for owner, name in ((Chain, "chain"), (openrollup.L1, "chain.l1"), (openrollup.L2, "chain.l2"), (Rows, "rows")):
        for verb in vars(owner):
            if not verb.startswith("_"):
                assert f"`{name}.{verb}" in text, f"{name}.{verb}"
