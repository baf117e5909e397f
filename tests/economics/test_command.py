"""`openrollup economics` as a user gives it: tables, JSON, CSV, figures, refusals."""

import csv
import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from rollup.cli import main
from rollup.economics.profile import GasProfile

MODEL = "examples/model.yaml"


def economics(*arguments, exit_code=0):
    result = CliRunner().invoke(main, ["economics", *map(str, arguments)], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == exit_code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_file_is_answered_without_a_chain():
    text = economics(MODEL, "--queries", "50").stdout
    assert "does not pay" in text
    assert "the platform takes 5 %" in text
    for route in ("infer", "inferCompact", "inferAttested", "request+settle", "inferBatch of 50"):
        assert route in text


def test_the_json_says_the_source_of_every_number():
    found = json.loads(economics(MODEL, "--json").stdout)
    assert all(fact["source"] and fact["unit"] for fact in found["facts"])
    assumed = {fact["quantity"] for fact in found["facts"] if fact["assumption"] and fact["table"] == "inputs"}
    assert {"OPEN in dollars", "hosting", "gas price"} <= assumed
    assert "forecast" not in found["conclusion"]


def test_v21_csv_and_json_are_the_same_numbers(tmp_path):
    path = tmp_path / "facts.csv"
    found = json.loads(economics(MODEL, "--csv", path, "--json").stdout)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["value"] for row in rows] == [fact["value"] for fact in found["facts"]]
    assert os.listdir(tmp_path) == ["facts.csv"]


def test_v21_a_model_of_the_chain_has_the_numbers_of_its_file(shell):
    shell.run("datanet", "create", "--name", "economics")
    model = shell.json("model", "register", MODEL)["modelId"]
    by_id = shell.json("economics", model, "--queries", "50", "--prices", "op-parity")
    by_file = shell.json("economics", MODEL, "--queries", "50", "--prices", "op-parity")
    assert by_id["conclusion"] == by_file["conclusion"]
    assert values(by_id, "month") == values(by_file, "month")
    quote = shell.json("model", "price", model, "--input-tokens", "812", "--output-tokens", "640")["quote"]
    assert values(by_id, "inputs")["fee"] == quote
    own = shell.json("economics", model)
    assert own["prices"] == "chain"
    assert not any(fact["assumption"] for fact in own["facts"] if fact["quantity"] == "gas price")


def values(found, table):
    return {fact["queries"] + fact["quantity"]: fact["value"] for fact in found["facts"] if fact["table"] == table}


def test_a_measured_profile_is_used_and_one_of_another_chain_refused(shell, tmp_path):
    path = tmp_path / "profile.json"
    shell.run("economics", "measure", "--entries", "2", "--output", path)
    profile = GasProfile.load(path)
    assert (profile.chain_id, profile.mode) == (901, "native")
    assert "measured at blocks" in profile.source
    assert "has no claim with 1 DataNets" in shell.refusal("economics", MODEL, "--profile", path)
    other = json.loads(path.read_text()) | {"chain_id": 10}
    path.write_text(json.dumps(other))
    assert "of chain 10, not of chain 901" in shell.refusal("economics", MODEL, "--profile", path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.yaml"], "No such file"),
        ([MODEL, "--fee", "0.001open"], "below the quote"),
        ([MODEL, "--open-usd", "0"], "above 0 dollars"),
        ([MODEL, "--queries", "0"], "queries per month"),
        ([MODEL, "--svg", "figure.pdf"], ".svg or .png"),
        (["7", "--rpc-url", "http://127.0.0.1:1"], "127.0.0.1:1"),
        (["measure", "--entries", "33"], "1 to 32"),
    ],
)
def test_bad_input_is_one_sentence(arguments, words):
    result = economics(*arguments, exit_code=1)
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [MODEL, "--queries", "many"],
        [MODEL, "--tokens", "1"],
        [MODEL, "--gas-price", "-1"],
        [MODEL, "--open-usd", "-0.2"],
        [MODEL, "--hosting", "x"],
        [MODEL, "--prices", "chain"],
        [MODEL, "--fee", "cheap"],
        [MODEL, "--unknown"],
    ],
)
def test_options_that_make_no_sense_end_with_status_2(arguments):
    assert "Usage" in economics(*arguments, exit_code=2).stderr


def test_an_impossible_split_names_its_line(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text("name: x\nprice: {per_call: 1 open}\nsplit: {owner: 9000, data: 2000}\ndatanets: [{id: 1}]\n")
    assert f"{path}:3" in economics(path, exit_code=1).stderr


def test_the_same_figure_has_the_same_bytes(tmp_path):
    pytest.importorskip("matplotlib", reason="NO MATPLOTLIB: pip install 'openrollup[plots]'")
    for name in ("one.svg", "two.svg"):
        economics("claims", "--svg", tmp_path / name)
    for name in ("one.png", "two.png"):
        economics("supply", "--svg", tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_file_too_large_for_the_disk_leaves_the_old_one(tmp_path):
    """A full disk, as a limit on a file's size shows it."""
    path = tmp_path / "facts.csv"
    path.write_text("before")
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        f"from rollup.cli import main; main(['economics', {MODEL!r}, '--csv', {str(path)!r}])"
    )
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(path) in done.stderr
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["facts.csv"]
