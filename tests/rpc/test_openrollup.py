"""openrollup_: batches, the way from an L2 block to L1, and orphaned blocks, over JSON-RPC."""

import pytest

from rollup.protocol.accounts import USERS

PORTS = ("rollup", "l2", "verifier")


@pytest.mark.parametrize("port", PORTS)
async def test_the_rows_are_the_batcher_transactions_on_l1(rpc, story, port):
    node = story.node
    inbox, batcher = node.devnet.rollup_config.batch_inbox_address, node.devnet.params.batcher.address
    found = await getattr(rpc, port)("openrollup_listBatches", None, 100)
    assert found["cursor"] is None
    rows = found["batches"]
    on_l1 = [
        "0x" + transaction.hash.hex()
        for number in range(node.l1.chain.head.number, -1, -1)
        for transaction in reversed(node.l1.chain.block_by_number(number).transactions)
        if transaction.to == inbox
    ]
    assert [row["transactionHash"] for row in rows] == on_l1
    for row in rows:
        receipt = await rpc.l1("eth_getTransactionReceipt", row["transactionHash"])
        assert row["sender"] == receipt["from"] == "0x" + batcher.hex()
        assert row["l1Block"]["number"] == int(receipt["blockNumber"], 16)
        assert row["l1Block"]["hash"] == receipt["blockHash"]
        assert row["transactionIndex"] == int(receipt["transactionIndex"], 16)
        assert int(row["l1ExecutionCost"], 16) == int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        blobs = int(receipt.get("blobGasUsed", "0x0"), 16) * int(receipt.get("blobGasPrice", "0x0"), 16)
        assert int(row["l1BlobCost"], 16) == blobs
        assert row["dropped"] == []
    transactions = sum(
        not transaction.is_deposit
        for number in range(1, node.l2.chain.safe.number + 1)
        for transaction in node.l2.chain.block_by_number(number).transactions
    )
    channels = {channel["channelId"]: channel for row in rows for channel in row["channels"]}
    assert sum(channel["transactionCount"] for channel in channels.values()) == transactions


async def test_a_page_goes_on_where_the_cursor_says(rpc):
    whole = (await rpc.rollup("openrollup_listBatches", None, 100))["batches"]
    rows, cursor = [], None
    while True:
        page = await rpc.rollup("openrollup_listBatches", cursor, 1)
        rows += page["batches"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert rows == whole


async def test_every_safe_block_leads_to_l1_and_back(rpc, story):
    node = story.node
    for number in range(1, node.l2.chain.safe.number + 1):
        origin = await rpc.rollup("openrollup_blockOrigin", hex(number))
        assert origin["block"]["hash"] == "0x" + node.l2.chain.canonical_hash(number).hex()
        assert origin == await rpc.rollup("openrollup_blockOrigin", origin["block"]["hash"])
        assert origin["safety"] in ("safe", "finalized")
        assert origin["batch"]["firstBlock"] <= number <= origin["batch"]["lastBlock"]
        assert origin["transactions"]
        for carrier in origin["transactions"]:
            row = await rpc.rollup("openrollup_getBatch", carrier["hash"])
            assert origin["channelId"] in [channel["channelId"] for channel in row["channels"]]
        channel = await rpc.rollup("openrollup_getBatch", origin["channelId"])
        assert channel["carriers"] == origin["transactions"]
        assert int(channel["l1Cost"], 16) == sum(int(row["l1Cost"], 16) for row in channel["transactions"])
    genesis = await rpc.rollup("openrollup_blockOrigin", "0x0")
    assert (genesis["derivedFrom"], genesis["safety"]) == (None, "finalized")
    assert await rpc.rollup("openrollup_blockOrigin", "0xffffff") is None


async def test_unknown_and_malformed_names(rpc):
    for name in ("0x" + "11" * 16, "0x" + "11" * 32):
        assert await rpc.rollup("openrollup_getBatch", name) is None
    for method, *arguments in (
        ("openrollup_getBatch", "0x1234"),
        ("openrollup_listBatches", "later"),
        ("openrollup_listBatches", None, 0),
        ("openrollup_listBatches", None, 101),
        ("openrollup_blockOrigin", "latest"),
        ("openrollup_orphans", "l3"),
    ):
        assert (await rpc.rollup.failure(method, *arguments)).code == -32602


async def test_a_reorganised_l1_lists_its_orphans_and_their_successors(fresh):
    node = fresh.node
    node.run_until_safe(8)
    assert await fresh.rollup("openrollup_orphans", "l1") == []
    before = {number: node.l1.chain.canonical_hash(number) for number in range(node.l1.chain.head.number + 1)}
    rows = (await fresh.rollup("openrollup_listBatches", None, 100))["batches"]
    node.l1.miner.reorg(2)
    orphans = await fresh.rollup("openrollup_orphans", "l1")
    assert [orphan["number"] for orphan in orphans] == sorted((orphan["number"] for orphan in orphans), reverse=True)
    assert len(orphans) == 2
    for orphan in orphans:
        assert orphan["hash"] == "0x" + before[orphan["number"]].hex()
        assert orphan["replacedBy"] == "0x" + node.l1.chain.canonical_hash(orphan["number"]).hex()
    first = orphans[-1]["number"]
    assert await fresh.rollup("openrollup_orphans", "l1", hex(first + 1)) == orphans[:1]
    assert await fresh.rollup("openrollup_orphans", "l1", "0x0", hex(first)) == orphans[1:]
    node.read_l1()
    kept = [row for row in rows if row["l1Block"]["number"] < first]
    after = (await fresh.rollup("openrollup_listBatches", None, 100))["batches"]
    assert [row["transactionHash"] for row in after] == [row["transactionHash"] for row in kept]
    node.run_until_safe(8)
    for number in range(1, node.safe_head.number + 1):
        origin = await fresh.rollup("openrollup_blockOrigin", hex(number))
        for carrier in origin["transactions"]:
            block = carrier["l1Block"]
            assert block["hash"] == "0x" + node.l1.chain.canonical_hash(block["number"]).hex()


async def test_data_of_a_stranger_in_the_inbox_is_listed_with_its_rule(fresh):
    node = fresh.node
    request = {
        "from": "0x" + USERS[1].address.hex(),
        "to": "0x" + node.devnet.rollup_config.batch_inbox_address.hex(),
        "input": "0x00aa",
    }
    tx_hash = await fresh.l1("eth_sendTransaction", request)
    node.run_until_safe(3)
    row = await fresh.rollup("openrollup_getBatch", tx_hash)
    (drop,) = row["dropped"]
    assert (drop["rule"], drop["size"], drop["section"]) == ("sender", 2, 'derivation.md, "L1 Retrieval"')
    assert drop["url"].startswith("https://specs.optimism.io/protocol/derivation.html#")
