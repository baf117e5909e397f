"""`openrollup explain`: saved L1 data of other chains, garbage with its rule, and the running chain."""

import json

import pytest
from click.testing import CliRunner

from rollup.cheats.garbage import KINDS
from rollup.cli import main
from rollup.protocol.blobs import encode_blob
from rollup.protocol.transaction import decode_transaction
from tests.scenarios.test_hostile_batcher import DROPPED_BY, FIRST, GARBAGE
from tests.vector_files import load

# Without a chain, a batch that decodes is not held against its parent.
NEEDS_CHAIN = {"wrong-parent", "wrong-epoch", "old-batch", "future-batch", "deposit-in-batch", "empty-transaction"}


def run(*arguments, exit_code=0):
    result = CliRunner().invoke(main, ["explain", *map(str, arguments)], env={"NO_COLOR": "1"})
    assert result.exit_code == exit_code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def explained(path, *options):
    return json.loads(run(path, "--chain", "op-mainnet", "--json", *options).stdout)


@pytest.fixture(scope="module")
def real():
    """The batcher transaction of OP Mainnet that kona's tests hold (channels_batches/channels.json.gz)."""
    cases = load("channels_batches", "channels.json.gz")["cases"]
    return next(case for case in cases if "raw_l1_tx" in case)


@pytest.mark.parametrize("form", ["hexadecimal", "bytes"])
def test_a_real_batcher_transaction_of_op_mainnet_has_27_blocks_and_209_transactions(real, form, tmp_path):
    path = tmp_path / "transaction"
    if form == "bytes":
        path.write_bytes(bytes.fromhex(real["raw_l1_tx"][2:]))
    else:
        path.write_text(real["raw_l1_tx"] + "\n")
    row = explained(path)
    assert row["sender"] == real["asserted"]["batcher"][:42]
    assert row["size"] == real["asserted"]["calldata_len"]
    (channel,) = row["channels"]
    (batch,) = channel["batches"]
    assert (batch["type"], batch["blockCount"], batch["transactionCount"]) == ("span", 27, 209)
    assert batch["lastBlock"] - batch["firstBlock"] == 26
    assert batch["status"] == "decoded"
    assert not row["dropped"]
    assert not channel["dropped"]
    text = run(path, "--chain", "op-mainnet").stdout
    assert "1 frame in 1 transaction" in text
    assert "1 batch, 27 blocks 117369690 to 117369716, 209 transactions" in text


@pytest.mark.parametrize("name", [name for name in GARBAGE if name not in NEEDS_CHAIN])
def test_garbage_is_explained_by_its_rule(name, tmp_path):
    path = tmp_path / "data"
    path.write_bytes(KINDS[name].data(FIRST))
    row = explained(path)
    drops = row["dropped"] + [drop for channel in row["channels"] for drop in channel["dropped"]]
    assert [drop["rule"] for drop in drops] == [DROPPED_BY[name].code]
    text = run(path, "--chain", "op-mainnet").stdout
    assert DROPPED_BY[name].section in text
    assert DROPPED_BY[name].url in text


@pytest.mark.parametrize("name", sorted(NEEDS_CHAIN))
def test_a_batch_that_only_its_chain_can_refuse_is_decoded(name, tmp_path):
    path = tmp_path / "data"
    path.write_bytes(KINDS[name].data(FIRST))
    (channel,) = explained(path)["channels"]
    assert [batch["status"] for batch in channel["batches"]] == ["decoded"]


def test_blobs_are_decoded_and_a_channel_may_span_several_files(real, tmp_path):
    data = bytes.fromhex(real["raw_l1_tx"][2:])
    (tmp_path / "whole").write_bytes(data)
    whole = explained(tmp_path / "whole")
    calldata = decode_transaction(data).data
    head, body = calldata[1:17], calldata[23:-1]
    names = []
    for number, piece in enumerate((body[:60_000], body[60_000:])):
        last = bytes((number,))
        frame = head + number.to_bytes(2, "big") + len(piece).to_bytes(4, "big") + piece + last
        names.append(tmp_path / f"blob{number}")
        names[-1].write_bytes(encode_blob(b"\0" + frame))
    rows = json.loads(run(*names, "--chain", "op-mainnet", "--json").stdout)
    for row in rows:
        assert (row["container"], len(row["blobs"])) == ("blobs", 1)
        (channel,) = row["channels"]
        assert len(channel["carriers"]) == 2
        assert channel["batches"] == whole["channels"][0]["batches"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-file"], "not a file"),
        (["0x1234"], "not a file"),
        (["block:later"], "not a file"),
        (["0x" + "zz" * 32], "not a file"),
        (["9" * 40], "not a file"),
        (["1", "2"], "one transaction, channel or block at a time"),
        (["5", "--rpc-url", "http://127.0.0.1:9"], "does not answer"),
        (["5", "--rpc-url", "nonsense"], "http://"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(arguments, message):
    result = run(*arguments, exit_code=1)
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_saved_data_needs_the_name_of_its_chain(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"\0")
    assert "--chain" in run(path, exit_code=2).stderr
    path.write_text("0xzz")
    assert "not hexadecimal" in run(path, "--chain", "base", exit_code=1).stderr
