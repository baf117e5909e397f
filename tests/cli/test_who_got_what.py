"""Who got how much, by name; percentages; a warning on a registration that is there already."""

import json

import pytest
from eth_account import Account

from rollup.inputs.model_file import read_model
from rollup.inputs.yaml_fields import FieldError

WHO = "0x09DB0a93B389bEF724429898f539AEB7ac2Dd55f"
MODEL = "name: {name}\nprice: {{per_call: 0.5 open}}\nsplit: {{owner: 40%, data: 60%}}\ndatanets: [{{id: {datanet}}}]\n"


@pytest.fixture(scope="module")
def world(shell, tmp_path_factory):
    """A DataNet with the medical texts and a model over it, of an account that no other test uses."""
    datanet = shell.json("datanet", "create", "--name", "who", "--account", "6")["datanetId"]
    shell.run("datanet", "contribute", datanet, "examples/medical", "--account", "6")
    path = tmp_path_factory.mktemp("who") / "model.yaml"
    path.write_text(MODEL.format(name="who", datanet=datanet))
    model = shell.json("model", "register", path, "--account", "6")["modelId"]
    return datanet, model, path


def test_infer_says_who_got_how_much_to_the_wei(shell, world):
    datanet, model, _ = world
    found = shell.json("infer", model, "--account", "7", "--input-tokens", "1", "--output-tokens", "1")
    assert sum(int(item["amount"]) for item in found["credits"]) == int(found["fee"])
    assert [item["role"] for item in found["credits"]] == ["platform", "owner", "pool"]
    assert len(found["credits"][-1]["shares"]) == 8
    again = shell.json("inference", model, found["inferenceId"])
    assert again["credits"] == found["credits"]
    text = shell.run("inference", model, found["inferenceId"], "--texts", "examples/medical").stdout
    assert f"pool of DataNet {datanet}" in text
    assert "Amara Lindqvist 0x09DB" in text
    assert "platform" in text


def test_an_inference_that_is_not_there_is_one_sentence(shell, world):
    assert "there is no inference 999" in shell.refusal("inference", world[1], "999")


def test_a_node_without_an_index_still_infers(anvil_shell, tmp_path):
    datanet = anvil_shell.json("datanet", "create", "--name", "plain")["datanetId"]
    path = tmp_path / "model.yaml"
    path.write_text(MODEL.format(name="plain", datanet=datanet))
    model = anvil_shell.json("model", "register", path)["modelId"]
    found = anvil_shell.json("infer", model, "--input-tokens", "1", "--output-tokens", "1")
    assert found["credits"] is None
    assert "it has no index" in anvil_shell.refusal("inference", model, "1")


def test_earnings_of_all_are_those_of_each(shell, world):
    datanet, _, _ = world
    rows = shell.json("earnings", "--all", "--datanet", datanet, "--texts", "examples/medical")["accounts"]
    assert len(rows) == 8
    assert [int(row["earned"]) for row in rows] == sorted((int(row["earned"]) for row in rows), reverse=True)
    shown = shell.json("datanet", "show", datanet)["contributors"]
    pending = {row["account"]: row["pending"] for row in shown}
    assert {row["address"] for row in rows} == set(pending)
    assert all(row["name"] for row in rows)
    assert "Amara Lindqvist" in shell.run("earnings", "--all", "--texts", "examples/medical").stdout
    for arguments in ([], [WHO, "--all"], [WHO, "--datanet", "1"]):
        shell.run("earnings", *arguments, exit_code=2)


def test_the_same_model_again_is_warned_of(shell, world):
    _, model, path = world
    result = shell.run("model", "register", path, "--account", "6", "--json")
    assert f"Warning: model {model} is the same already" in result.stderr
    assert json.loads(result.stdout)["modelId"] > model
    other = path.with_name("dearer.yaml")
    other.write_text(path.read_text().replace("0.5", "0.6"))
    assert "Warning" not in shell.run("model", "register", other, "--account", "6").stderr


def test_the_platforms_share_stands_beside_the_split(shell, world):
    assert "platform 5 % of the fee; of the rest owner 40 %" in shell.run("model", "show", world[1]).stdout
    assert shell.json("model", "show", world[1])["platformBps"] == 500


@pytest.mark.parametrize(
    ("split", "bps"),
    [("{owner: 30%, data: 70%}", (3_000, 7_000)), ('{owner: "12.5%", data: 8750}', (1_250, 8_750))],
)
def test_a_split_may_be_percentages(tmp_path, split, bps):
    path = tmp_path / "model.yaml"
    path.write_text(f"name: x\nsplit: {split}\ndatanets: [{{id: 1}}]\n")
    found = read_model(path).split
    assert (found.owner_bps, found.data_bps) == bps


@pytest.mark.parametrize("share", ["30.001%", "%", "-1%", "101%", "1e2%", "half%", "٣%"])
def test_a_value_that_is_not_a_percentage_is_refused(tmp_path, share):
    path = tmp_path / "model.yaml"
    path.write_text(f"name: x\nsplit: {{owner: '{share}', data: 70%}}\ndatanets: [{{id: 1}}]\n")
    with pytest.raises(FieldError, match=r"model.yaml:2: split.owner"):
        read_model(path)


def test_a_new_account_is_a_key_and_its_address(shell):
    made = shell.json("account", "new")
    assert Account.from_key(made["privateKey"]).address == made["address"]
    assert shell.json("account", "new") != made
    assert "Keep the key" in shell.run("account", "new").stdout
