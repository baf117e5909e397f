"""optimism_ and admin_ in op-node's shapes (JSON numbers, small letters), and the beacon paths."""

import json
from types import SimpleNamespace

import aiohttp

from rollup.protocol.primitives import keccak256
from rollup.serve import NodeServers
from tests.rpc.caller import Caller
from tests.rpc.conftest import FREE_PORTS, GENESIS_TIME, SECRET, open_node

L1_REF = {"hash", "number", "parentHash", "timestamp"}
L2_REF = L1_REF | {"l1origin", "sequenceNumber"}
L1_HEADS = ("current_l1", "current_l1_finalized", "head_l1", "safe_l1", "finalized_l1")
L2_HEADS = ("unsafe_l2", "safe_l2", "finalized_l2", "pending_safe_l2", "cross_unsafe_l2", "local_safe_l2")


def h(value):
    return "0x" + value.hex()


async def test_sync_status(rpc, story):
    status = await rpc.rollup("optimism_syncStatus")
    assert set(status) == {*L1_HEADS, *L2_HEADS}
    assert all(set(status[name]) == L1_REF for name in L1_HEADS)
    assert all(set(status[name]) == L2_REF for name in L2_HEADS)
    for name in (*L1_HEADS, *L2_HEADS):
        assert isinstance(status[name]["number"], int)
        assert isinstance(status[name]["timestamp"], int)
    assert status["unsafe_l2"]["hash"] == h(story.node.l2.chain.head.hash)
    assert status["safe_l2"]["hash"] == h(story.node.safe_head.hash)
    assert status["head_l1"]["number"] == story.node.l1.chain.head.number
    origin = status["unsafe_l2"]["l1origin"]
    assert origin["hash"] == h(story.node.l1.chain.canonical_hash(origin["number"]))


async def test_an_output_is_the_hash_of_its_parts(rpc, story):
    for number in (0, 1, 14):
        output = await rpc.rollup("optimism_outputAtBlock", hex(number))
        assert set(output) == {
            *("version", "outputRoot", "blockRef", "withdrawalStorageRoot", "stateRoot", "syncStatus")
        }
        block = await rpc.l2("eth_getBlockByNumber", hex(number), False)
        assert output["blockRef"]["hash"] == block["hash"]
        assert output["stateRoot"] == block["stateRoot"]
        proof = await rpc.l2("eth_getProof", "0x4200000000000000000000000000000000000016", [], hex(number))
        assert output["withdrawalStorageRoot"] == proof["storageHash"] == block["withdrawalsRoot"]
        parts = bytes(32) + b"".join(bytes.fromhex(output[name][2:]) for name in ("stateRoot", "withdrawalStorageRoot"))
        assert output["outputRoot"] == h(keccak256(parts + bytes.fromhex(block["hash"][2:])))
    error = await rpc.rollup.failure("optimism_outputAtBlock", "0xffffff")
    assert error.code == -32000
    assert "not found" in error.message
    assert (await rpc.rollup.failure("optimism_outputAtBlock", "latest")).code == -32602


async def test_the_rollup_config_is_the_file(rpc, story):
    config = await rpc.rollup("optimism_rollupConfig")
    assert config == json.loads(json.dumps(story.node.devnet.rollup_config.to_json()))
    assert (config["l1_chain_id"], config["l2_chain_id"], config["block_time"]) == (900, 901, 2)
    assert config["genesis"]["l2"]["hash"] == h(story.node.l2.chain.genesis.hash)
    assert config["genesis"]["l2_time"] == GENESIS_TIME
    assert (await rpc.rollup("optimism_version")).startswith("openrollup/v")


async def test_the_safe_head_as_of_an_l1_block(rpc, story):
    status = await rpc.rollup("optimism_syncStatus")
    newest = await rpc.rollup("optimism_safeHeadAtL1Block", hex(status["current_l1"]["number"]))
    assert newest["safeHead"] == {name: status["safe_l2"][name] for name in ("hash", "number")}
    assert set(newest["l1Block"]) == {"hash", "number"}
    heads = [
        (await rpc.rollup("optimism_safeHeadAtL1Block", hex(number)))["safeHead"]["number"]
        for number in range(newest["l1Block"]["number"], status["current_l1"]["number"] + 1)
    ]
    assert heads == sorted(heads)


async def test_the_sequencer_stops_and_starts(fresh):
    node = fresh.node
    assert await fresh.rollup("admin_sequencerActive") is True
    stopped_at = await fresh.rollup("admin_stopSequencer")
    assert stopped_at == h(node.l2.chain.head.hash)
    assert await fresh.rollup("admin_sequencerActive") is False
    error = await fresh.rollup.failure("admin_startSequencer", "0x" + "77" * 32)
    assert error.code == -32000
    assert await fresh.rollup("admin_sequencerActive") is False
    assert await fresh.rollup("admin_startSequencer", stopped_at) is None
    assert await fresh.rollup("admin_sequencerActive") is True
    assert (await fresh.rollup.failure("admin_startSequencer")).message == "missing value for required argument 0"


async def test_the_batcher_stops_flushes_and_starts(fresh):
    node = fresh.node
    assert await fresh.rollup("admin_stopBatcher") is None
    for _ in range(3):
        node.mine_l1()
        node.build_l2()
    assert node.l1.pool.nonce(node.devnet.params.batcher.address) == 0
    assert await fresh.rollup("admin_startBatcher") is None
    assert await fresh.rollup("admin_flushBatcher") is None
    node.build_l2()
    assert node.l1.pool.nonce(node.devnet.params.batcher.address) == 1


async def test_the_proposer_stops_and_starts(fresh):
    assert await fresh.rollup("admin_stopProposer") is None
    assert not fresh.node.proposer.is_active
    assert (await fresh.rollup.failure("admin_stopProposer")).message == "proposer is not running"
    assert await fresh.rollup("admin_startProposer") is None
    assert (await fresh.rollup.failure("admin_startProposer")).message == "proposer is already running"


async def test_the_rest_of_admin(fresh):
    assert await fresh.rollup("admin_conductorEnabled") is False
    assert await fresh.rollup("admin_setLogLevel", "debug") is None
    fresh.node.run_until_safe(1)
    assert await fresh.rollup("admin_resetDerivationPipeline") is None
    fresh.node.run_until_safe(7)
    for caller in (fresh.l1, fresh.l2, fresh.verifier, fresh.engine):
        assert (await caller.raw(b'{"jsonrpc":"2.0","id":1,"method":"admin_stopSequencer"}'))[1].find("result") == -1


# ---------------------------------------------------------------- beacon
async def get(rpc, path):
    async with rpc.session.get(rpc.urls["beacon"] + path) as response:
        return response.status, await response.json()


async def test_beacon_paths(rpc):
    status, version = await get(rpc, "/eth/v1/node/version")
    assert (status, version["data"]["version"].split("/")[0]) == (200, "openrollup")
    _, genesis = await get(rpc, "/eth/v1/beacon/genesis")
    assert genesis["data"]["genesis_time"] == str(GENESIS_TIME)
    _, spec = await get(rpc, "/eth/v1/config/spec")
    assert spec["data"]["SECONDS_PER_SLOT"] == "12"
    for path in ("/eth/v1/beacon/blobs/999999", "/eth/v1/beacon/blob_sidecars/999999"):
        assert (await get(rpc, path))[0] == 404
    for path in ("/eth/v1/beacon/blobs/x", "/eth/v1/beacon/blobs/-1", "/eth/v1/beacon/blob_sidecars/0?indices=x"):
        assert (await get(rpc, path))[0] == 400


async def test_blobs_in_both_styles_of_asking():
    node = open_node(da="blobs")
    servers = NodeServers(node, FREE_PORTS, "127.0.0.1", SECRET)
    try:
        node.run_until_safe(1)
        chain = node.l1.chain
        block, transaction = next(
            (block, transaction)
            for block in map(chain.block_by_number, range(chain.head.number + 1))
            for transaction in block.transactions
            if transaction.blob_versioned_hashes
        )
        hashes = [h(item) for item in transaction.blob_versioned_hashes]
        slot = (block.timestamp - GENESIS_TIME) // 12
        await servers.start()
        async with aiohttp.ClientSession() as session:
            rpc = SimpleNamespace(session=session, urls={"beacon": servers.url("beacon")})
            repeated = "&".join(f"versioned_hashes={item}" for item in hashes * 2)
            joined = "versioned_hashes=" + ",".join(hashes)
            _, all_blobs = await get(rpc, f"/eth/v1/beacon/blobs/{slot}")
            _, twice = await get(rpc, f"/eth/v1/beacon/blobs/{slot}?{repeated}")
            _, once = await get(rpc, f"/eth/v1/beacon/blobs/{slot}?{joined}")
            assert once["data"] == all_blobs["data"]
            assert len(once["data"]) == len(hashes)
            assert sorted(twice["data"]) == sorted(once["data"] * 2)
            assert all(len(blob) == 2 + 2 * 131_072 for blob in once["data"])
            _, sidecars = await get(rpc, f"/eth/v1/beacon/blob_sidecars/{slot}?indices=0")
            assert sidecars["data"][0]["blob"] in once["data"]
            receipt = await Caller(session, servers.url("l1"))("eth_getTransactionReceipt", h(transaction.hash))
            assert receipt["blobGasUsed"] == hex(131_072 * len(hashes))
            assert int(receipt["blobGasPrice"], 16) >= 1
    finally:
        await servers.stop()
        node.close()
