"""A model builder's first commands: payments by name, all earnings, accounts, warnings, a demo that stays up."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from eth_account import Account

from rollup.cli import main
from rollup.cli.demo_texts import load_data_set
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient
from tests.cli.conftest import Shell

ROOT = Path(__file__).resolve().parents[2]
MEDICAL, ANSWER = ROOT / "examples" / "medical", ROOT / "examples" / "answers" / "night-shift.txt"
NAMES = {address: name for name, address in load_data_set(MEDICAL).contributors.items()}


@pytest.fixture(scope="module")
def model(native_shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, int]:
    """The file of a model of its own, its DataNet with the medical texts, its id."""
    datanet = native_shell.json("datanet", "create", "--name", "first use")["datanetId"]
    native_shell.run("datanet", "contribute", datanet, MEDICAL)
    file = tmp_path_factory.mktemp("first-use") / "model.yaml"
    file.write_text(
        "name: First use\nprice: {per_call: 0.01 open}\nsplit: {owner: 30%, data: 70%}\n"
        f"datanets: [{{id: {datanet}}}]\n"
    )
    return file, datanet, native_shell.json("model", "register", file)["modelId"]


def test_infer_says_who_was_paid_by_name_and_the_sum_is_the_fee(
    native_shell: Shell, model: tuple[Path, int, int]
) -> None:
    given = ("infer", model[2], "--account", 3, "--names", MEDICAL)
    found = native_shell.json(*given)
    assert [credit["role"] for credit in found["credits"]] == ["platform", "owner", "pool"]
    assert sum(int(credit["amount"]) for credit in found["credits"]) == int(found["fee"]) == 10**16
    shares = found["credits"][2]["shares"]
    assert {share["account"]: share["name"] for share in shares} == NAMES
    text = native_shell.run(*given).output
    assert "the platform" in text
    assert "5.00 %" in text
    assert all(f"{name} {address}" in text for address, name in NAMES.items())


def test_a_traced_inference_has_the_names_of_its_texts(native_shell: Shell, model: tuple[Path, int, int]) -> None:
    given = ("infer", model[2], "--output", ANSWER, "--texts", MEDICAL, "--account", 3, "--attributor-account", 0)
    found = native_shell.json(*given)
    quoted = [credit for credit in found["credits"] if credit["role"] == "member"]
    assert quoted
    assert [credit["name"] for credit in quoted] == [NAMES[credit["account"]] for credit in quoted]


def test_inference_shows_one_again(native_shell: Shell, model: tuple[Path, int, int]) -> None:
    made = native_shell.json("infer", model[2], "--account", 4)
    found = native_shell.json("inference", model[2], made["inferenceId"])
    assert (found["credits"], found["transactionHash"]) == (made["credits"], made["transactionHash"])
    assert int(found["gas"]["total"]) > 0
    text = native_shell.run("inference", model[2], made["inferenceId"], "--names", MEDICAL).output
    assert made["transactionHash"] in text
    assert "Amara Lindqvist" in text
    refusal = native_shell.refusal("inference", model[2], 9_999)
    assert f"model {model[2]} has" in refusal
    assert "there is no inference 9,999" in refusal


def test_all_earnings_are_what_came_in(native_shell: Shell, model: tuple[Path, int, int]) -> None:
    native_shell.run("infer", model[2], "--account", 5)
    found = native_shell.json("earnings", "--all", "--names", MEDICAL)
    books = JsonRpcClient(HttpEndpoint(native_shell.url)).call("open_audit")
    rows = {row["address"]: row for row in found["accounts"]}
    assert {rows[address]["name"] for address in NAMES} == set(NAMES.values())
    owed = int(books["received"], 16) - int(books["claimed"], 16) - int(books["escrow"], 16)
    # Each member's share of a pool is floored: less than a wei per account and DataNet is missing.
    assert (
        0
        <= owed - int(found["claimable"])
        <= int(books["counted"]["memberships"], 16) + int(books["counted"]["datanets"], 16)
    )
    assert [int(row["earned"]) for row in found["accounts"]] == sorted(
        (int(row["earned"]) for row in rows.values()), reverse=True
    )
    for address in (*list(NAMES)[:2], next(row["address"] for row in found["accounts"] if row["models"])):
        alone = native_shell.json("earnings", address)
        assert (alone["earned"], alone["claimable"]) == (rows[address]["earned"], rows[address]["claimable"])
    assert "Amara Lindqvist" in native_shell.run("earnings", "--all", "--names", MEDICAL).output


def test_earnings_take_an_address_or_all(native_shell: Shell) -> None:
    for arguments in ((), ("0x" + "11" * 20, "--all")):
        native_shell.run("earnings", *arguments, exit_code=2)


def test_a_second_registration_of_a_file_warns(native_shell: Shell, model: tuple[Path, int, int]) -> None:
    again = native_shell.run("model", "register", model[0])
    assert f"Warning: model {model[2]} is the same already" in again.stderr
    assert native_shell.json("model", "register", model[0])["sameAs"][0] == model[2]
    assert "Warning" not in native_shell.run("model", "register", model[0], "--account", 6).stderr
    other = model[0].with_name("other.yaml")
    other.write_text(model[0].read_text().replace("30%", "40%").replace("70%", "60%"))
    assert native_shell.json("model", "register", other)["sameAs"] == []


def test_a_base_model_that_gets_nothing_is_noted(native_shell: Shell, model: tuple[Path, int, int]) -> None:
    file = model[0].with_name("tuned.yaml")
    file.write_text(model[0].read_text() + f"base_model: {model[2]}\n")
    said = native_shell.run("model", "register", file).stderr
    assert f"Note: model {model[2]}, the base model, gets nothing" in said


def test_the_platforms_share_is_said_with_the_split(native_shell: Shell, model: tuple[Path, int, int]) -> None:
    words = "platform 5 % of the fee; of the rest owner 30 %, lineage 0 %, data 70 %"
    assert words in " ".join(native_shell.run("model", "show", model[2]).output.split())
    assert native_shell.json("model", "show", model[2])["platformBps"] == 500
    assert words in " ".join(native_shell.run("model", "register", model[0], "--account", 7).output.split())


def test_the_same_text_twice_in_a_file_is_refused_by_title(native_shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "twice.csv"
    address = next(iter(NAMES))
    file.write_text(f"title,text,contributor,address\nfirst,same,Amara,{address}\nsecond,same,Amara,\n")
    datanet = native_shell.json("datanet", "create")["datanetId"]
    assert "'second' is the same text as 'first'" in native_shell.refusal("datanet", "contribute", datanet, file)
    file.write_text(f"title,text,contributor,address\nfirst,same,Amara,{address}\nsecond,other,Amara,\n")
    assert "2 texts by 1 contributor," in native_shell.run("datanet", "contribute", datanet, file).output
    assert f"Amara {address}" in native_shell.run("datanet", "show", datanet, "--names", file).output


def account_new(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["account", "new", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_new_account_is_of_its_key_and_never_the_same() -> None:
    made = [json.loads(account_new("--json")) for _ in range(3)]
    assert len({item["privateKey"] for item in made}) == 3
    for item in made:
        assert Account.from_key(item["privateKey"]).address == item["address"]


def test_a_key_in_a_file_is_its_owners_alone_and_not_printed(tmp_path: Path) -> None:
    file = tmp_path / "lucia.key"
    said = account_new("--out", file)
    key = file.read_text().strip()
    assert Account.from_key(key).address in said
    assert key not in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = CliRunner().invoke(main, ["account", "new", "--out", str(file)])
    assert (again.exit_code, file.read_text().strip()) == (1, key)
    assert "a key is never overwritten" in again.output
    nowhere = CliRunner().invoke(main, ["account", "new", "--out", str(tmp_path / "no" / "key")])
    assert (nowhere.exit_code, "No such file" in nowhere.output) == (1, True)


def test_keep_is_for_the_demos_own_node() -> None:
    done = CliRunner().invoke(main, ["demo", "--keep", "--l2", "http://127.0.0.1:9"])
    assert done.exit_code == 2
    assert "demo's own node" in done.output


@pytest.mark.slow
def test_a_kept_demo_answers_until_ctrl_c() -> None:
    command = [sys.executable, "-m", "rollup.cli", "demo", "--inferences", "10", "--keep"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "COLUMNS": "200"}
    )
    try:
        assert process.stdout is not None
        url = ""
        for line in process.stdout:
            if "The node runs on until Ctrl-C" in line:
                url = line.split("L2 ")[1].split(",")[0]
            if "openrollup model show" in line:
                break
        assert Shell(url).json("inference", 1, 1)["modelId"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
