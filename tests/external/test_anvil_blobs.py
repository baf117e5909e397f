"""A blob transaction on anvil and on L1: both give the same blobs, by each of anvil's methods."""

import pytest

from tests.external.conftest import need_package
from tests.external.op_stack import Program, free_port
from tests.l1.chains import GENESIS_TIME, GWEI, carry, pay, sidecar_of
from tests.node.asking import asking
from tests.node.node_process import RpcFailure, call
from tests.node.test_snapshots import open_node

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(240)]
UNKNOWN = "0x" + "11" * 32


def test_blobs_are_answered_as_by_anvil(tmp_path):
    folder = need_package("@foundry-rs/anvil", "1.7.1")
    (program,) = (folder / "node_modules/@foundry-rs").glob("anvil-*/bin/anvil*")
    sidecar, port = sidecar_of(b"one"), free_port()
    carrier, plain = carry(sidecar, user=5), pay(nonce=1, user=5, max_priority_fee_per_gas=GWEI)
    hashes = [f"0x{item.hex()}" for item in sidecar.versioned_hashes]
    sent = [f"0x{item.hex()}" for item in (sidecar.wrap(carrier), plain.encode())]
    questions = [
        *(("anvil_getBlobByHash", item) for item in (*hashes, UNKNOWN)),
        *(("anvil_getBlobsByTransactionHash", f"0x{item.hash.hex()}") for item in (carrier, plain)),
        ("anvil_getBlobsByTransactionHash", UNKNOWN),
        ("anvil_getGenesisTime",),
    ]
    options = ("--chain-id", 900, "--hardfork", "prague", "--timestamp", GENESIS_TIME, "--no-mining")
    with Program(tmp_path / "anvil.log", program, "--port", port, "--silent", *options) as running:
        url = f"http://127.0.0.1:{port}"
        running.wait_for(url)
        for raw in sent:
            call(url, "eth_sendRawTransaction", raw)
        call(url, "evm_mine")
        expected = [call(url, *question) for question in questions]
        with pytest.raises(RpcFailure) as refusal:
            call(url, "anvil_getBlobByHash", "0x11")
    assert expected[:1] == [f"0x{blob.hex()}" for blob in sidecar.blobs]
    node = open_node()
    try:
        ask = asking(node)
        for raw in sent:
            assert "result" in ask("l1", "eth_sendRawTransaction", raw)
        ask("l1", "evm_mine")
        assert [ask("l1", *question)["result"] for question in questions] == expected
        assert [ask("l2", *question)["result"] for question in questions] == [None] * 5 + [GENESIS_TIME]
        assert ask("l1", "anvil_getBlobByHash", "0x11")["error"]["code"] == refusal.value.args[0]["code"]
    finally:
        node.close()
