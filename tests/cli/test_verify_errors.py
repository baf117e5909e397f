"""`openrollup verify` with a file or an L1 that is not what it should be: one message that names it."""

import json
import shutil

import pytest
from click.testing import CliRunner

from rollup.cli import main
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.node import Node, NodeParams
from rollup.protocol.config import ConfigError, RollupConfig
from tests.node.node_process import GENESIS_TIME

NOBODY = "http://127.0.0.1:9"  # discard: nothing listens there


@pytest.fixture(scope="module")
def documents():
    devnet = make_devnet(DevnetParams(genesis_time=GENESIS_TIME))
    return {"rollup.json": devnet.rollup_config.to_json(), "genesis.json": devnet.l2_genesis_json}


@pytest.fixture
def files(tmp_path, documents):
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document))
    return tmp_path


def refusal(files, *more):
    """The error message of `verify` when it gives up."""
    given = ["--l1", NOBODY, "--rollup-config", str(files / "rollup.json"), "--genesis", str(files / "genesis.json")]
    result = CliRunner().invoke(main, ["verify", *given, *more])
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 1
    assert result.output.count("Error: ") == 1
    return result.output


def test_an_l1_that_does_not_answer_is_named(files):
    assert f"L1 at {NOBODY}" in refusal(files)
    assert "L1 at http://[::1]:9" in refusal(files, "--l1", "http://[::1]:9")


@pytest.mark.parametrize("url", ["localhost:8545", "http://::1:8545", "http://", "ws://127.0.0.1:1", "", "/"])
@pytest.mark.parametrize("option", ["--l1", "--beacon"])
def test_a_url_that_is_not_http_is_named(files, option, url):
    assert url in refusal(files, option, url)


@pytest.mark.parametrize("name", ["rollup.json", "genesis.json"])
@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"genesis": 7}', '{"config": {}, "alloc": []}', "\x00\xff", "1e999"]
)
def test_a_malformed_file_is_named(files, name, text):
    (files / name).write_bytes(text.encode("latin-1"))
    assert str(files / name) in refusal(files)


@pytest.mark.parametrize("name", ["rollup.json", "genesis.json"])
def test_a_missing_file_is_named(files, name):
    (files / name).unlink()
    assert str(files / name) in refusal(files)


@pytest.mark.parametrize("text", [None, "", "[]", '{"chainId": 901}', '{"chainId": 901, "blobSchedule": {}}'])
def test_an_invalid_l1_chain_config_is_named(files, text):
    file = files / "l1-chain-config.json"
    if text is not None:
        file.write_text(text)
    assert str(file) in refusal(files, "--l1-chain-config", str(file))


def test_an_l1_without_blobs_needs_no_blob_schedule(files):
    file = files / "l1-chain-config.json"
    file.write_text('{"chainId": 900}')
    assert "does not answer" in refusal(files, "--l1-chain-config", str(file))


def test_a_genesis_of_another_chain_is_reported(files, documents):
    timestamp = hex(GENESIS_TIME + 1)
    (files / "genesis.json").write_text(json.dumps({**documents["genesis.json"], "timestamp": timestamp}))
    assert "begins at" in refusal(files)


def nested(document, path=()):
    """The path of every value in an object, objects too."""
    for name, value in document.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from nested(value, (*path, name))


def changed(document, path, value):
    """The document with one value replaced."""
    name, *rest = path
    return {**document, name: changed(document[name], rest, value) if rest else value}


def test_every_field_of_the_rollup_config_is_checked(files, documents):
    good, file = documents["rollup.json"], files / "rollup.json"
    messages = []
    for path in nested(good):
        for value in (None, "x", -1, 1.5, [], {}, True, 2**70):
            file.write_text(json.dumps(changed(good, path, value)))
            try:
                RollupConfig.load(file)
            except ConfigError as error:
                messages.append(str(error))
    assert len(messages) > 4 * len(good)
    assert all(message.startswith(f"{file}: ") for message in messages)


def test_every_field_of_a_genesis_is_checked(files, documents):
    """An error that names the file, or a genesis that is not the rollup's, or one that is the same."""
    file = files / "genesis.json"
    whole = documents["genesis.json"]
    small = {**whole, "alloc": dict(list(whole["alloc"].items())[:2])}
    for path in nested(small):
        for value in (None, "x", -1, [], {}, True):
            file.write_text(json.dumps(changed(small, path, value)))
            assert str(file) in refusal(files)


def test_a_data_directory_of_something_else_is_left_alone(files, tmp_path, monkeypatch):
    monkeypatch.setattr("rollup.cli.verify._check_l1", lambda *_: None)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    message = refusal(files, "--data-dir", str(folder))
    assert str(folder) in message
    assert "not empty" in message
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_a_data_directory_of_another_chain_is_reported(files, tmp_path, monkeypatch):
    monkeypatch.setattr("rollup.cli.verify._check_l1", lambda *_: None)
    params = NodeParams(data_dir=tmp_path / "other", genesis_time=GENESIS_TIME + 9, virtual_clock=True)
    Node.open(params).close()
    shutil.copytree(tmp_path / "other" / "verifier", tmp_path / "chain")
    message = refusal(files, "--data-dir", str(tmp_path / "chain"))
    assert "another chain is stored here" in message
