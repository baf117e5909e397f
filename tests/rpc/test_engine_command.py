"""`openrollup engine` as its own process: driven over the Engine API, ended, resumed; what it refuses to start with."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import aiohttp
import pytest
from click.testing import CliRunner

from rollup.cli import engine as engine_command
from rollup.cli import main
from rollup.protocol.forks import Fork, ForkSchedule
from tests.rpc.caller import Caller
from tests.rpc.engine_driver import EngineDriver, bearer, token
from tests.scenarios.actors import World

OPTIONS = ["engine", "--json", "--port", "0", "--engine-port", "0"]


@pytest.fixture(scope="module")
def world():
    built = World(forks=ForkSchedule.all_at(Fork.JOVIAN))
    built.l1.mine()
    return built


@pytest.fixture
def files(world, tmp_path):
    """genesis.json and a secret."""
    (tmp_path / "genesis.json").write_text(json.dumps(world.devnet.l2_genesis_json))
    (tmp_path / "jwt.hex").write_text(bytes(range(32)).hex())
    return tmp_path


@pytest.fixture(autouse=True)
def logs_as_they_are(monkeypatch):
    """A command that is run in this process leaves the logging of the tests alone."""
    monkeypatch.setattr(engine_command, "configure_logs", lambda as_json: None)


def arguments(files, *more):
    return [*OPTIONS, "--genesis", str(files / "genesis.json"), "--jwt-secret", str(files / "jwt.hex"), *map(str, more)]


@contextmanager
def running(files, *more, last=signal.SIGTERM):
    """The process and what it said when it was up; at the end it gets a signal and must be gone."""
    command = [sys.executable, "-m", "rollup.cli", *arguments(files, *more)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield json.loads(process.stdout.readline())
            process.send_signal(last)
            assert process.wait(20) == (0 if last == signal.SIGTERM else -last)
        finally:
            process.kill()


def refused(files, *more):
    """The one line with which a start ends, in this process."""
    done = CliRunner().invoke(main, arguments(files, *more))
    assert done.exit_code == 1, done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("Error: ")
    return lines[0]


def callers(session, started):
    return Caller(session, started["urls"]["engine"], bearer(token())), Caller(session, started["urls"]["rpc"])


@pytest.mark.parametrize("last", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL])
async def test_an_engine_alone_follows_and_resumes(world, files, last):
    genesis = "0x" + world.devnet.l2.header.hash.hex()
    data = files / "data"
    async with aiohttp.ClientSession() as session:
        builder = await EngineDriver.of(world, session, World(forks=world.params.forks).sequencer.engine)
        with running(files, "--data-dir", data, last=last) as started:
            assert (started["event"], started["genesis"], started["head"]) == ("Started", genesis, 0)
            engine, rpc = callers(session, started)
            hashes = []
            for _ in range(3):
                envelope = await builder.build()
                await builder.adopt(envelope)
                hashes.append(envelope["executionPayload"]["blockHash"])
                method, *params = builder.arguments(envelope)
                assert (await engine("engine_" + method, *params))["status"] == "VALID"
                state = {"headBlockHash": hashes[-1], "safeBlockHash": hashes[0], "finalizedBlockHash": genesis}
                answer = await engine("engine_forkchoiceUpdatedV3", state, None)
                assert answer["payloadStatus"]["status"] == "VALID"
            assert await rpc("eth_blockNumber") == "0x3"
            unauthorized = Caller(session, started["urls"]["engine"])
            assert (await unauthorized.raw(b"{}"))[0] == 401
        with running(files, "--data-dir", data) as started:
            assert (started["genesis"], started["head"]) == (genesis, 3)
            engine, rpc = callers(session, started)
            for tag, expected in (("latest", hashes[2]), ("safe", hashes[0]), ("finalized", genesis)):
                assert (await rpc("eth_getBlockByNumber", tag, False))["hash"] == expected
            envelope = await builder.build()
            method, *params = builder.arguments(envelope)
            assert (await engine("engine_" + method, *params))["status"] == "VALID"
        await builder.server.stop()


@pytest.mark.parametrize(("more", "code"), [([], -32601), (["--conditional-transactions"], -32003)])
async def test_it_takes_conditions_where_it_is_told_to(files, more, code):
    async with aiohttp.ClientSession() as session:
        with running(files, *more) as started:
            _, rpc = callers(session, started)
            error = await rpc.failure("eth_sendRawTransactionConditional", "0x", {"blockNumberMin": "0x1"})
            assert error.code == code


def test_it_keeps_only_its_secret_and_answers_to_the_names_that_it_is_allowed(files):
    path = files / "new" / "jwt.hex"
    before = sorted(os.listdir(files))
    with running(files, "--jwt-secret", path, "--allow-host=node.example") as started:
        assert started["head"] == 0
        url = started["urls"]["rpc"]
        assert urlopen(Request(url, headers={"Host": "node.example"}), timeout=20).status == 200
        with pytest.raises(HTTPError, match="403"):
            urlopen(Request(url, headers={"Host": "other.example"}), timeout=20)
    assert sorted(os.listdir(files)) == sorted([*before, "new"])
    assert os.listdir(path.parent) == ["jwt.hex"]
    assert len(bytes.fromhex(path.read_text().strip().removeprefix("0x"))) == 32
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0x1234", "a secret of 32 bytes is expected, this one has 2"),
        ("zz" * 32, "hexadecimal digits are expected"),
    ],
)
def test_an_invalid_secret_is_refused(files, text, why):
    (files / "jwt.hex").write_text(text)
    assert refused(files) == f"Error: {files / 'jwt.hex'}: {why}"


@pytest.mark.slow
def test_an_invalid_genesis_is_refused(files):
    path = files / "genesis.json"
    path.write_text("{")
    assert refused(files).startswith(f"Error: {path}: not JSON")
    for text in ("[]", "5", "{}", '{"config": {}}', '{"config": 5}'):
        path.write_text(text)
        assert refused(files).startswith(f"Error: {path}: ")
    path.unlink()
    assert refused(files) == f"Error: {path}: No such file or directory"


def test_a_directory_of_something_else_is_left_untouched(files):
    data = files / "photos"
    data.mkdir()
    (data / "cat.jpg").write_bytes(b"cat")
    assert "photos" in refused(files, "--data-dir", data)
    assert sorted(os.listdir(data)) == ["cat.jpg"]


@pytest.mark.slow
def test_a_directory_of_another_chain_is_left_untouched(files):
    data = files / "data"
    with running(files, "--data-dir", data):
        pass
    genesis = json.loads((files / "genesis.json").read_text())
    genesis["timestamp"] = hex(int(genesis["timestamp"], 16) + 2)
    (files / "genesis.json").write_text(json.dumps(genesis))
    assert "genesis" in refused(files, "--data-dir", data)
    genesis["timestamp"] = hex(int(genesis["timestamp"], 16) - 2)
    (files / "genesis.json").write_text(json.dumps(genesis))
    with running(files, "--data-dir", data) as started:
        assert started["head"] == 0


@pytest.mark.parametrize("option", ["--port", "--engine-port"])
def test_a_port_in_use(files, option):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = refused(files, option, port)
    name = "L2 JSON-RPC" if option == "--port" else "Engine API"
    assert text == f"Error: port {port} on 127.0.0.1 is in use: {name} cannot listen there (choose another port)"
