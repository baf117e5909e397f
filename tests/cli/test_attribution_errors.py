"""An error is one line, with status 1, and never a traceback."""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from rollup.cli import main
from rollup.cli.attribution_session import development_account
from rollup.protocol.accounts import BATCHER, USERS

ROOT = Path(__file__).resolve().parents[2]
MEDICAL, ANSWER, MODEL = (
    ROOT / "examples/medical",
    ROOT / "examples/answers/night-shift.txt",
    ROOT / "examples/model.yaml",
)
NOWHERE = "http://127.0.0.1:1"
# One call of each command that speaks to a chain.
CALLS: list[list[str]] = [
    ["datanet", "create"],
    ["datanet", "contribute", "1", str(MEDICAL)],
    ["datanet", "set-units", "1", "0x" + "11" * 20, "3"],
    ["datanet", "show", "1"],
    ["model", "register", str(MODEL)],
    ["model", "show", "1"],
    ["model", "price", "1"],
    ["model", "set-attributor", "1", "0x" + "11" * 20],
    ["model", "train", "1", "1", "--checkpoint", "0x" + "11" * 32, "--data-root", "0x" + "22" * 32],
    ["infer", "1"],
    ["attest", "1", "--payer", "0x" + "11" * 20],
    ["job", "open", "1", "--escrow", "1open"],
    ["job", "settle", "1"],
    ["job", "cancel", "1"],
    ["job", "show", "1"],
    ["job", "list"],
    ["claim"],
    ["earnings", "0x" + "11" * 20],
    ["earnings", "--all"],
    ["inference", "1", "1"],
    ["trace", str(ANSWER), "--texts", str(MEDICAL), "--model", "1"],
    ["trace", str(ANSWER), "--texts", str(MEDICAL), "--tx", "0x" + "11" * 32],
]


def ids(call: list[str]) -> str:
    return " ".join(part for part in call if part.isascii() and "/" not in part and len(part) < 20)


@pytest.mark.parametrize("call", CALLS, ids=ids)
def test_no_node(call: list[str]) -> None:
    result = CliRunner().invoke(main, [*call, "--rpc-url", NOWHERE])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (f"Error: {NOWHERE} does not answer: connection refused (is `openrollup run` running?)\n")


@pytest.mark.parametrize("call", CALLS, ids=ids)
def test_the_l1_is_the_wrong_chain(node_urls: dict[str, str], call: list[str]) -> None:
    result = CliRunner().invoke(main, [*call, "--rpc-url", node_urls["L1 JSON-RPC"]])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is chain 900, without the attribution precompile at 0x4F50454E" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["infer", "999"], "UnknownModel(999) — there is no such model"),
        (["infer", "999", "--compact"], "UnknownModel(999)"),
        (["infer", "999", "--output", str(ANSWER), "--texts", str(MEDICAL)], "UnknownModel(999)"),
        (["model", "show", "999"], "UnknownModel(999)"),
        (["model", "price", "999"], "UnknownModel(999)"),
        (["attest", "999", "--payer", "0x" + "11" * 20], "UnknownModel(999)"),
        (["job", "open", "999", "--escrow", "1open"], "UnknownModel(999)"),
        (["job", "show", "999"], "UnknownJob(999) — there is no such job"),
        (["job", "settle", "999"], "UnknownJob(999)"),
        (["job", "cancel", "999"], "UnknownJob(999)"),
        (["datanet", "show", "999"], "UnknownDatanet(999) — there is no such DataNet"),
        (["datanet", "contribute", "999", str(MEDICAL)], "UnknownDatanet(999)"),
        (["job", "open", "1", "--escrow", "1open", "--deadline", "31d"], "a deadline is at most 30d ahead"),
        (["claim", "--account", "5000"], "NothingToClaim() — nothing is due"),
        (["datanet", "create", "--account", "5000"], "the account cannot pay fee and gas"),
        (["datanet", "show", "1", "--chain-id", "10"], "is chain 901, not 10"),
        (["datanet", "create", "--rpc-url", "localhost:9545"], "is not an http:// or https:// address"),
        (["datanet", "create", "--private-key", "0x1234"], "the key is not 32 bytes in hex"),
        (["datanet", "create", "--private-key", "0x" + "ff" * 32], "below the order of the curve"),
        (["trace", str(ANSWER), "--texts", str(MEDICAL), "--tx", "0x" + "11" * 32], "has no transaction 0x1111"),
    ],
)
def test_refusals(shell: Any, arguments: list[str], words: str) -> None:
    assert words in shell.refusal(*arguments)


@pytest.fixture(scope="module")
def model(shell: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int]:
    datanet = shell.json("datanet", "create")["datanetId"]
    shell.json("datanet", "contribute", datanet, "--contributor", "0x" + "11" * 20, "--units", 1, "--text", ANSWER)
    file = tmp_path_factory.mktemp("model") / "model.yaml"
    file.write_text(f"name: A\nprice: {{per_call: 1 open}}\ndatanets:\n- id: {datanet}\n")
    return datanet, shell.json("model", "register", file)["modelId"]


def test_a_fee_that_is_too_low_or_too_high(shell: Any, model: tuple[int, int]) -> None:
    assert "FeeTooLow(5, 1000000000000000000)" in shell.refusal("infer", model[1], "--fee", 5)
    assert "want 20,000 OPEN" in shell.refusal("infer", model[1], "--fee", "20000 open")


def test_texts_that_no_contributor_registered_pay_nobody(shell: Any, model: tuple[int, int]) -> None:
    words = shell.refusal("infer", model[1], "--output", ANSWER, "--texts", MEDICAL)
    assert f"not registered in DataNet {model[0]}, so nobody could be paid for it: 'Measuring blood" in words


def test_a_text_registered_before(shell: Any, model: tuple[int, int]) -> None:
    one = ("--contributor", "0x" + "22" * 20, "--units", 1, "--text", ANSWER)
    assert "the text is registered in DataNet" in shell.refusal("datanet", "contribute", model[0], *one)
    shell.json("datanet", "contribute", model[0], MEDICAL)
    words = shell.refusal("datanet", "contribute", model[0], MEDICAL)
    assert "12 of the 12 texts are registered" in words


def test_influence_that_does_not_fit(shell: Any, model: tuple[int, int]) -> None:
    stranger = f"{model[0]}:0x{'33' * 20}:1"
    assert "InvalidWeights()" in shell.refusal("infer", model[1], "--influence", stranger)
    twice = ("--influence", f"{model[0]}:1", "--influence", f"{model[0]}:2")
    assert "two entries for the same DataNet" in shell.refusal("infer", model[1], *twice)


def test_files_that_cannot_be_read(shell: Any, model: tuple[int, int], tmp_path: Path) -> None:
    absent, binary = tmp_path / "absent.txt", tmp_path / "binary.txt"
    binary.write_bytes(b"abc\xff")
    for command in (["infer", model[1]], ["job", "settle", 1], ["attest", model[1], "--payer", "0x" + "11" * 20]):
        words = shell.run(*command, "--output", absent, exit_code=1).stderr
        assert words == f"Error: {absent}: No such file or directory\n" or "UnknownJob" in words
    assert f"{binary}: not UTF-8 at byte 3" in shell.refusal("trace", binary, "--texts", MEDICAL)
    assert f"{tmp_path}/dataset.yaml: No such file" in shell.refusal("trace", ANSWER, "--texts", tmp_path)
    assert f"{absent}: No such file" in shell.refusal("model", "register", absent)
    assert f"{tmp_path}: Is a directory" in shell.refusal("model", "register", tmp_path)
    assert "not a directory" in shell.refusal("trace", ANSWER, "--texts", MEDICAL, "--svg", binary / "x.svg").lower()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", ":1: not JSON"),
        ("[]", "not an attestation"),
        ("[" * 200_000, "not JSON"),
        ("{}", "the field 'attestation' is missing"),
        ('{"attestation": {"modelId": "1"}}', "'1' is not a number below 2^64"),
    ],
)
def test_malformed_attestations_are_refused(shell: Any, model: tuple[int, int], content: str, words: str) -> None:
    result = shell.run("infer", model[1], "--attestation", "-", stdin=content, exit_code=1)
    assert words in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["infer", "1", "--compact", "--count", "2"],
        ["infer", "1", "--attestation", "x.json", "--input-tokens", "1"],
        ["infer", "1", "--compact", "--influence", "1:1"],
        ["infer", "1", "--influence", "1:0x12:1"],
        ["infer", "0"],
        ["infer", "1", "--fee", "0.5"],
        ["infer", "1", "--texts", str(MEDICAL)],
        ["infer", "1", "--related", "--output-tokens", "3"],
        ["infer", "1", "--input-tokens", str(2**32)],
        ["datanet", "create", "--name", "a", "--metadata", "0x" + "11" * 32],
        ["datanet", "contribute", "1"],
        ["datanet", "contribute", "1", str(MEDICAL), "--units", "1"],
        ["datanet", "create", "--account", "1", "--private-key", "0x" + "11" * 32],
        ["claim", "--for", "0x" + "11" * 20, "--to", "0x" + "11" * 20],
        ["earnings", "0x4F50454E0000000000000000000000000000000G"],
        ["earnings", "0xf39fd6e51aad88F6F4ce6aB8827279cffFb92266"],
        ["job", "open", "1", "--escrow", "1", "--deadline", "soon"],
    ],
)
def test_options_that_contradict_or_are_malformed(shell: Any, arguments: list[str]) -> None:
    """Status 2 and the usage, as every click program."""
    assert "Usage: " in shell.run(*arguments, exit_code=2).stderr


def test_a_key_of_the_environment_signs_and_gives_way_to_an_account(shell: Any) -> None:
    key = "0x" + USERS[5].private_key.hex()
    arguments = ["datanet", "create", "--json", "--rpc-url", shell.url]
    by_key = CliRunner().invoke(main, arguments, env={"OPENROLLUP_PRIVATE_KEY": key})
    assert development_account(5).address in by_key.stdout
    by_account = CliRunner().invoke(main, [*arguments, "--account", "4"], env={"OPENROLLUP_PRIVATE_KEY": key})
    assert development_account(4).address in by_account.stdout


def test_development_accounts_are_those_of_the_chain() -> None:
    for account in (*USERS, BATCHER):
        derived = development_account(account.index)
        assert (bytes(derived.key), derived.address.lower()) == (account.private_key, "0x" + account.address.hex())


@pytest.mark.parametrize(
    "body", ["<html>", "{}", "[]", '{"jsonrpc":"2.0","id":0,"result":null}', '{"jsonrpc":"2.0","id":0,"result":"zz"}']
)
def test_a_server_that_is_not_a_node_is_refused(body: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        result = CliRunner().invoke(main, ["model", "show", "1", "--rpc-url", url])
        server.shutdown()
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {url} answers, but is no Ethereum node: ")


def test_from_a_shell() -> None:
    """The installed entry, as another process."""
    result = subprocess.run(
        [sys.executable, "-m", "rollup.cli", "model", "show", "1", "--rpc-url", NOWHERE],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.stderr
