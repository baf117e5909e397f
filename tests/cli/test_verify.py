"""`openrollup verify`: from L1, blobs and two files to the L2's safe hash, or a clear error."""

import pytest

from rollup.cli import verify
from tests.cli.command import openrollup, openrollup_here
from tests.node.node_process import L2, NodeProcess, call, transfer


@pytest.fixture(scope="module", params=[pytest.param("calldata", marks=pytest.mark.slow), "blobs"])
def node(request):
    """A node with a safe transaction, whose batcher then rests: its safe head stays where it is."""
    with NodeProcess(f"--da={request.param}", "--l1-block-time=1", "--block-time=1") as process:
        process.da = request.param
        call(process.url(L2), "eth_sendRawTransaction", "0x" + transfer(901, 0, 0).encode().hex())
        built = process.wait_for("L2BlockBuilt", lambda event: event["transactions"])
        process.wait_for("SafeHeadMoved", lambda event: event["number"] >= built["number"])
        call(process.url("op-node RPC"), "admin_stopBatcher")
        for _ in range(2):  # what is on its way arrives
            process.wait_for("L1BlockMined")
        yield process


@pytest.fixture(autouse=True)
def logs_as_they_are(monkeypatch):
    """A command that is run in this process leaves the logging of the tests alone."""
    monkeypatch.setattr(verify, "configure_logs", lambda as_json: None)


def options(node, **changed):
    given = {
        "l1": node.url("L1 JSON-RPC"),
        "beacon": node.url("beacon API"),
        "rollup-config": node.started["files"]["rollup.json"],
        "genesis": node.started["files"]["genesis.json"],
    } | changed
    return [f"--{name}={value}" for name, value in given.items() if value is not None]


def safe_head(node):
    return call(node.url(L2), "eth_getBlockByNumber", "safe", False)


def test_another_process_ends_on_the_l2s_safe_hash(node):
    result = openrollup("verify", *options(node), "--json")
    assert result.status == 0, result.errors
    safe = safe_head(node)
    assert result.json["hash"] == safe["hash"]
    assert result.json["stateRoot"] == safe["stateRoot"]
    assert result.json["number"] == int(safe["number"], 16) > 0
    assert result.errors == ""


def test_a_person_reads_the_same_and_a_data_directory_keeps_it(node, tmp_path):
    data_dir = f"--data-dir={tmp_path / 'chain'}"
    result = openrollup_here("verify", *options(node), data_dir)
    assert result.status == 0, result.errors
    safe = safe_head(node)
    assert f"L2 safe head {int(safe['number'], 16)}, " in result.output
    assert f"hash        {safe['hash']}\n" in result.output
    assert f"state root  {safe['stateRoot']}\n" in result.output
    kept = openrollup_here("db", "stat", tmp_path / "chain", "--json").json
    again = openrollup_here("verify", *options(node), data_dir, "--json")
    assert again.json["hash"] == safe["hash"], again.errors
    assert openrollup_here("db", "stat", tmp_path / "chain", "--json").json == kept
    # A block the kept chain has passed is answered as well.
    first = openrollup_here("verify", *options(node), data_dir, "--until=1")
    block = call(node.url(L2), "eth_getBlockByNumber", "0x1", False)
    assert "L2 block 1, " in first.output
    assert f"hash        {block['hash']}\n" in first.output
    assert f"state root  {block['stateRoot']}\n" in first.output


def test_the_blob_prices_of_l1_are_those_of_its_chain_config(node, tmp_path):
    """The node's own file gives its blocks; another update fraction is another L1, whose attributes differ."""
    file = node.started["files"]["l1-chain-config.json"]
    result = openrollup_here("verify", *options(node), f"--l1-chain-config={file}", "--json")
    assert result.status == 0, result.errors
    assert result.json["hash"] == safe_head(node)["hash"]


def test_blobs_without_a_beacon_are_an_error_and_calldata_needs_none(node):
    result = openrollup_here("verify", *options(node, beacon=None), "--json")
    if node.da == "blobs":
        result.must_fail("beacon")
    else:
        assert result.json["hash"] == safe_head(node)["hash"]


def test_another_chain_in_l1s_place_is_told(node):
    url = node.url(L2)
    openrollup_here("verify", *options(node, l1=url)).must_fail(url, "is chain 901", "stands on 900")
