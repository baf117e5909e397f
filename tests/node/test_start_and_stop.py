"""Starting and stopping as a user does it: ports in use, Ctrl-C, what is on the first screen and in the files."""

import json
import signal
import socket
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest
from click.testing import CliRunner

from rollup.cli import main, run
from rollup.execution.genesis_json import parse_genesis
from rollup.protocol.config import RollupConfig
from tests.node.node_process import PORTS, NodeProcess, call

ENDPOINTS = {
    "l1": "L1 JSON-RPC",
    "l2": "L2 JSON-RPC",
    "verifier": "verifier JSON-RPC",
    "rollup": "op-node RPC",
    "beacon": "beacon API",
    "engine": "Engine API",
}


@contextmanager
def taken_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def refused_start(monkeypatch, *options, **ports):
    """The text on standard error of a start that fails, run in this process."""
    monkeypatch.setattr(run, "configure_logs", lambda as_json: None)
    chosen = [f"--{name}-port={port}" for name, port in (dict.fromkeys(PORTS, 0) | ports).items()]
    result = CliRunner().invoke(main, ["run", "--json", "--processes=1", *chosen, *options])
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


def in_use(port, endpoint):
    return f"Error: port {port} on 127.0.0.1 is in use: {endpoint} cannot listen there"


@pytest.mark.parametrize("name", PORTS)
def test_a_port_in_use_is_named(monkeypatch, name):
    with taken_port() as port:
        message = refused_start(monkeypatch, **{name: port})
    assert message.startswith(in_use(port, ENDPOINTS[name]))
    assert len(message.splitlines()) == 1


def test_a_process_that_finds_a_port_in_use_ends_with_one_line():
    with taken_port() as port, NodeProcess(ports={"l2": port}) as node:
        assert node.started is None
        message = node.errors()
        assert node.process.wait() == 1
    assert message.startswith(in_use(port, ENDPOINTS["l2"]))
    assert len(message.splitlines()) == 1


def test_an_address_that_is_not_this_machines_is_named(monkeypatch):
    message = refused_start(monkeypatch, "--host=192.0.2.1")  # RFC 5737: for documentation, nobody's
    assert "192.0.2.1" in message
    assert len(message.splitlines()) == 1


REAL, VIRTUAL = (), ("--virtual-clock", "--da=calldata")


@pytest.mark.parametrize(
    ("number", "options"),
    [
        (signal.SIGTERM, REAL),
        (signal.SIGINT, VIRTUAL),
        pytest.param(signal.SIGINT, REAL, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, VIRTUAL, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, REAL, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, VIRTUAL, marks=pytest.mark.slow),
    ],
)
def test_it_stops_cleanly_in_under_two_seconds(tmp_path, number, options):
    """A virtual clock never waits, so the signal comes while the node works.

    In calldata: the first blob loads the KZG setup, and no signal is heard in these two seconds (docs/running.md).
    """
    with NodeProcess(f"--data-dir={tmp_path / 'chain'}", *options) as node:
        node.wait_for("L2BlockBuilt")
        with socket.create_connection(("127.0.0.1", int(node.url("L2 JSON-RPC").rsplit(":", 1)[1]))):
            assert node.end(number) < 2
        assert node.process.returncode == 0
        assert node.errors() == ""
        with pytest.raises(URLError):
            call(node.url("L2 JSON-RPC"), "eth_chainId")


def test_the_first_screen_names_what_answers_and_what_was_written(tmp_path):
    with NodeProcess(f"--data-dir={tmp_path / 'chain'}") as node:
        chain_ids = {name: url for name, url in node.started["urls"].items() if name.endswith("JSON-RPC")}
        assert {name: int(call(url, "eth_chainId"), 16) for name, url in chain_ids.items()} == {
            "L1 JSON-RPC": 900,
            "L2 JSON-RPC": 901,
            "verifier JSON-RPC": 901,
        }
        files = node.started["files"]
        config = RollupConfig.from_json(call(node.url("op-node RPC"), "optimism_rollupConfig"))
        assert RollupConfig.load(Path(files["rollup.json"])) == config
        with open(files["genesis.json"]) as file:
            parse_genesis(json.load(file))
        genesis = call(node.url("L2 JSON-RPC"), "eth_getBlockByNumber", "0x0", False)
        assert genesis["hash"] == "0x" + config.genesis.l2.hash.hex()
        for account in node.started["accounts"]:
            for layer in ("L1 JSON-RPC", "L2 JSON-RPC"):
                balance = call(node.url(layer), "eth_getBalance", account["address"], "latest")
                assert int(balance, 16) == int(account["balance"])
        for name, address in node.started["contracts"].items():
            layer, title = name.split(" ", 1)
            code = call(node.url(f"{layer} JSON-RPC"), "eth_getCode", address, "latest")
            assert (code == "0x") == (title == "batch inbox")


def test_without_a_data_directory_the_files_go_when_the_node_goes():
    with NodeProcess() as node:
        files = node.started["files"].values()
        for path in files:
            with open(path) as file:
                assert file.read(1)
        node.process.send_signal(signal.SIGINT)
        node.rest()
    for path in files:
        with pytest.raises(FileNotFoundError), open(path):
            pass


def test_a_second_start_says_what_it_found(tmp_path):
    options = (f"--data-dir={tmp_path / 'chain'}", "--virtual-clock", "--da=calldata", "--until-block=4")
    with NodeProcess(*options) as node:
        assert node.rest()[-1]["event"] != "Resumed"
        assert not node.of("Resumed")
        built, mined = node.of("L2BlockBuilt")[-1], node.of("L1BlockMined")[-1]
        safe = node.of("SafeHeadMoved")[-1]["number"]
    with NodeProcess(*options[:-1], f"--until-block={built['number'] + 1}") as node:
        found = {event["chain"]: event for event in (node.next_event() for _ in range(3))}
        assert {event["event"] for event in found.values()} == {"Resumed"}
        node.rest()
        assert len(node.of("Resumed")) == 3
    assert (found["L1"]["head"], found["L1"]["hash"]) == (mined["number"], mined["hash"])
    assert (found["L2"]["head"], found["L2"]["hash"], found["L2"]["safe"]) == (built["number"], built["hash"], safe)
    assert found["verifier"]["head"] == safe
    assert found["L1"]["waiting"] in (0, 1, 2)  # the batch and the output on their way
