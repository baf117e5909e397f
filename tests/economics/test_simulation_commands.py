"""`openrollup economics claims`, `supply`, `demand`, `sweep`, `compare` and `noise` as a user gives them."""

import json
import re
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from rollup.cli import main
from rollup.economics import Market, plots
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient

HELPERS = {"new_figure", "figure_bytes", "format_of"}
MARKET = "months: 6\nruns: 4\nseed: 2\nparameters: {models: 10, max_models: 20}\n"


def economics(*arguments, exit_code=0):
    result = CliRunner().invoke(main, ["economics", *map(str, arguments)], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == exit_code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def market(tmp_path):
    path = tmp_path / "market.yaml"
    path.write_text(MARKET)
    return path


def test_claims_say_the_gas_and_where_it_is_from():
    found = json.loads(economics("claims", "--queries", "50,1000", "--json").stdout)
    assert found["gas"] == 45_009
    assert "measured at blocks" in found["source"]
    assert found["rows"][0]["intervalMonths"] > found["rows"][1]["intervalMonths"]
    more = found["costPerDatanet"]
    assert 0 < 4 * more < found["cost"]
    assert f"each DataNet more in a claim: {more:.3g} OPEN*" in economics("claims", "--queries", "50").stdout


def test_supply_has_the_months_of_the_schedule():
    rows = json.loads(economics("supply", "--months", "0,8,48", "--json").stdout)["rows"]
    assert [round(row["circulating"], 2) for row in rows] == [215.5, 290.77, 1000.0]
    assert "290.7667" in economics("supply").stdout


def test_demand_prints_medians_and_writes_every_month(market, tmp_path):
    path = tmp_path / "months.csv"
    text = economics("demand", market, "--csv", path).stdout
    assert "4 runs, seed 2" in text
    assert len(path.read_text().splitlines()) == 1 + 4 * 6
    assert json.loads(economics("demand", market, "--json").stdout)["seed"] == 2


def test_sensitivity_puts_the_widest_swing_first(market):
    market.write_text(MARKET + "sweep: {hosting: [1, 100], zipf: [1.0, 1.01]}\n")
    found = json.loads(economics("sensitivity", market, "--json").stdout)
    assert [swing["name"] for swing in found["swings"]] == ["hosting", "zipf"]
    assert "at high" in economics("sensitivity", market, "--column", "queries").stdout
    market.write_text(MARKET)
    assert "under sweep" in economics("sensitivity", market, exit_code=1).stderr


def test_every_figure_of_the_package_can_be_drawn_by_a_command():
    own = {name for name, member in vars(plots).items() if getattr(member, "__module__", "") == plots.__name__}
    drawn = {name for name in own - HELPERS if not name.startswith("_")}
    commands = "".join(path.read_text() for path in Path("rollup/cli").glob("*.py"))
    assert len(drawn) == 11
    assert {name for name in drawn if not re.search(rf"\b{name}\b", commands)} == set()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["claims", "--queries", "50,1000"], "claims.svg"),
        (["supply"], "supply.png"),
        (["take-off", "MARKET", "--users", "100,9000", "--models", "2,40"], "take-off.png"),
        (["noise", "--planted", "--runs", "1"], "noise.svg"),
        (["model", "examples/model.yaml", "--queries", "50", "--figure", "heat-map"], "map.svg"),
        (["model", "examples/model.yaml", "--queries", "50", "--figure", "gas"], "gas.svg"),
        (["sensitivity", "SWEEP"], "tornado.svg"),
        (["demand", "MARKET", "--column", "users"], "fan.svg"),
    ],
)
def test_a_command_draws_its_figure(market, tmp_path, arguments, name):
    pytest.importorskip("matplotlib", reason="NO MATPLOTLIB: pip install 'openrollup[plots]'")
    swept = tmp_path / "swept.yaml"
    swept.write_text(MARKET + "sweep: {hosting: [1, 20]}\n")
    economics(*({"MARKET": market, "SWEEP": swept}.get(item, item) for item in arguments), "--svg", tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(b"<?xml" if name.endswith("svg") else b"\x89PNG")


def test_compare_of_a_scenario_with_itself_is_nothing(market, tmp_path):
    found = json.loads(economics("compare", market, market, "--json").stdout)
    assert all(row["difference"] == row["standardError"] == 0 for row in found["difference"].values())
    dearer = tmp_path / "dearer.yaml"
    dearer.write_text(MARKET.replace("models: 10", "fee: 0.1, models: 10"))
    changed = json.loads(economics("compare", market, dearer, "--json").stdout)
    assert changed["difference"]["queries"]["difference"] < 0


def test_sweep_writes_a_line_for_each_task(market, tmp_path):
    market.write_text(MARKET + "sweep: {elasticity: [-0.5, -2], zipf: [1.0, 1.2]}\n")
    output = tmp_path / "sweep.jsonl"
    assert "4 tasks, 4 points" in economics("sweep", market, "--output", output).stdout
    assert [json.loads(line)["subset"] for line in output.read_text().splitlines()] == [0, 1, 2, 3]
    manifest = json.loads((tmp_path / "sweep.jsonl.manifest.json").read_text())
    assert manifest["sha256"] == sha256(output.read_bytes()).hexdigest()
    assert (manifest["runs"], manifest["seed"], manifest["sweep"]["zipf"]) == (4, 2, [1.0, 1.2])
    assert manifest["parameters"] == asdict(Market(models=10, max_models=20))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour: red\n", ":1: colour: unknown field"),
        ("parameters: {fees: 1}\n", "parameters.fees: unknown field"),
        ("parameters: {fee: -1}\n", ":1: parameters.fee: fee is negative"),
        ("parameters: {fee: much}\n", "'much' is not a number"),
        ("kind: lottery\n", "neither market nor chain"),
        ("months: 0\n", "not from 1"),
        ("kind: chain\nparameters: {blocks: 0}\n", "from 1 to 1,000"),
        ("sweep: {zipf: []}\n", "1 to 100,000 points"),
        ("parameters: {models: 5, max_models: 4}\n", "not more than max_models"),
        ("parameters: {queries_per_user: .nan}\n", "is not a number"),
    ],
)
def test_a_wrong_scenario_names_its_line(tmp_path, text, words):
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    result = economics("sweep", path, "--output", tmp_path / "out.jsonl", exit_code=1)
    assert words in result.stderr
    assert str(path) in result.stderr
    assert sorted(item.name for item in tmp_path.iterdir()) == ["scenario.yaml"]


def test_the_observed_use_of_a_chain_becomes_a_market(shell, tmp_path):
    datanet = shell.json("datanet", "create", "--name", "observed")["datanetId"]
    path = tmp_path / "model.yaml"
    path.write_text(f"name: seen\nprice: {{per_call: 0.5 open}}\ndatanets: [{{id: {datanet}}}]\n")
    model = shell.json("model", "register", path)["modelId"]
    before = int(JsonRpcClient(HttpEndpoint(shell.url)).call("eth_blockNumber"), 16)
    asked = ("infer", model, "--input-tokens", "1", "--output-tokens", "1", "--account")
    gas = sorted(shell.json(*asked, account)["gasUsed"] for account in ("3", "5", "5"))
    found = shell.json("economics", "observed", "--from", before, "--output", tmp_path / "market.yaml")
    use = next(item for item in found["models"] if item["modelId"] == model)
    assert (use["inferences"], use["payers"], use["fees"]) == (3, 2, str(3 * 5 * 10**17))
    assert list(use["gas"].values()) == gas
    assert "median gas" in shell.run("economics", "observed").stdout
    assert json.loads(economics("demand", tmp_path / "market.yaml", "--json").stdout)["quantiles"]


def test_noise_labels_what_was_paid_on_a_chain(shell):
    """Registers a model, pays for it as its owner and as somebody else: self-paid and independent."""
    datanet = shell.json("datanet", "create", "--name", "noise", "--account", "3")["datanetId"]
    import pathlib
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.yaml"
        path.write_text(f"name: noisy\nprice: {{per_call: 0.5 open}}\ndatanets: [{{id: {datanet}}}]\n")
        model = shell.json("model", "register", path, "--account", "3")["modelId"]
    for account in ("3", "5"):
        shell.run("infer", model, "--input-tokens", "1", "--output-tokens", "1", "--account", account)
    pairs = [pair for pair in shell.json("economics", "noise")["pairs"] if pair["modelId"] == model]
    assert sorted(pair["class"] for pair in pairs) == ["independent", "self-paid"]
    own = next(pair for pair in pairs if pair["class"] == "self-paid")
    # No contributor has units: the data's share is the owner's too, all but the platform's 5 %.
    assert int(own["returned"]) == int(own["fees"]) * 95 // 100
    assert "cost to fake" in shell.run("economics", "noise").stdout


@pytest.mark.parametrize("name", ["market", "take-off", "sweep", "chain"])
def test_the_examples_are_scenarios(name):
    from pathlib import Path

    from rollup.cli.economics_scenario_file import read_scenario

    assert read_scenario(Path("examples/economics") / f"{name}.yaml").tasks()
