"""eth_getLogs, filters that are polled, subscriptions that push; what a reorganisation tells each of them."""

import pytest

from rollup.protocol.accounts import USERS
from rollup.rpc.subscriptions import MAX_SUBSCRIPTIONS
from tests.rpc.caller import Failed
from tests.rpc.story import TOPIC_A, TOPIC_B, contract_code, init_code
from tests.rpc.test_eth_calls import signed

ALICE, BOB = ("0x" + account.address.hex() for account in USERS[:2])
A, B = "0x" + TOPIC_A.hex(), "0x" + TOPIC_B.hex()
UNKNOWN = "0x" + "77" * 32


def emitting(contract):
    """The second transaction of its sender: the contract logs twice."""
    return signed(nonce=1, to=bytes.fromhex(contract[2:]), data=b"\0", gas_limit=10**5)


# ---------------------------------------------------------------- getLogs
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [0, 1]),
        ({"topics": []}, [0, 1]),
        ({"topics": [A]}, [0, 1]),
        ({"topics": [A, B]}, [0]),
        ({"topics": [None, B]}, [0]),
        ({"topics": [[A, B]]}, [0, 1]),
        ({"topics": [[UNKNOWN, A], [B, UNKNOWN]]}, [0]),
        ({"topics": [B]}, []),
        ({"topics": [A, None]}, [0]),
        ({"topics": [A, B, None]}, []),
        ({"topics": [[]]}, [0, 1]),
        ({"address": "contract"}, [0, 1]),
        ({"address": ["contract", ALICE]}, [0, 1]),
        ({"address": ALICE}, []),
        ({"address": []}, [0, 1]),
        ({"fromBlock": "0xe", "toBlock": "0xe"}, [0, 1]),
        ({"fromBlock": "0xf"}, []),
        ({"toBlock": "0xd"}, []),
        ({"fromBlock": "earliest", "toBlock": "latest"}, [0, 1]),
    ],
    ids=str,
)
async def test_logs_by_query(rpc, story, query, found):
    contract = "0x" + story.contract.hex()
    whole = {"fromBlock": "0x1", "toBlock": "latest"} | query
    if "address" in whole:
        given = whole["address"]
        swap = {"contract": contract}
        named = [swap.get(item, item) for item in (given if isinstance(given, list) else [given])]
        whole["address"] = named if isinstance(given, list) else named[0]
    logs = await rpc.l2("eth_getLogs", whole)
    receipt = await rpc.l2("eth_getTransactionReceipt", "0x" + story.logging.hex())
    mine = [log for log in logs if log["address"] == contract]
    assert mine == [receipt["logs"][index] for index in found]
    by_filter = await rpc.l2("eth_newFilter", whole)
    assert await rpc.l2("eth_getFilterLogs", by_filter) == logs


async def test_logs_of_a_block_by_its_hash(rpc, story):
    receipt = await rpc.l2("eth_getTransactionReceipt", "0x" + story.logging.hex())
    assert await rpc.l2("eth_getLogs", {"blockHash": receipt["blockHash"]}) == receipt["logs"]
    error = await rpc.l2.failure("eth_getLogs", {"blockHash": UNKNOWN})
    assert (error.code, error.message) == (-32000, "unknown block")


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ({"fromBlock": "0x5", "toBlock": "0x4"}, -32602, "invalid block range params"),
        ({"topics": [A] * 5}, -32000, "exceed max topics"),
        ({"topics": A}, -32602, "invalid argument 0: topics: a list is expected"),
        ({"topics": ["0x00"]}, -32602, "invalid argument 0: hex string has length 2, want 64"),
        ({"address": "0x00"}, -32602, "invalid argument 0: hex string has length 2, want 40"),
        ({"address": {}}, -32602, "invalid argument 0: a hex string is expected"),
        ({"fromBlock": "new"}, -32602, "invalid argument 0: hex string without 0x prefix"),
        (
            {"blockHash": UNKNOWN, "fromBlock": "0x1"},
            -32602,
            "invalid argument 0: cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other",
        ),
        ([], -32602, "invalid argument 0: an object is expected"),
        ("", -32602, "invalid argument 0: an object is expected"),
        (None, -32602, "missing value for required argument 0"),
    ],
    ids=str,
)
async def test_queries_refused(rpc, query, code, message):
    for method in ("eth_getLogs", "eth_newFilter"):
        if method == "eth_newFilter" and message.startswith("invalid block range"):
            continue
        error = await rpc.l2.failure(method, query)
        assert (error.code, error.message) == (code, message)


# ---------------------------------------------------------------- filters
async def test_filters_tell_what_came_since(fresh):
    node = fresh.node
    blocks = await fresh.l2("eth_newBlockFilter")
    pending = await fresh.l2("eth_newPendingTransactionFilter")
    assert await fresh.l2("eth_getFilterChanges", blocks) == []
    tx_hash = await fresh.l2("eth_sendRawTransaction", signed())
    assert await fresh.l2("eth_getFilterChanges", pending) == [tx_hash]
    assert await fresh.l2("eth_getFilterChanges", pending) == []
    first, second = node.build_l2(), node.build_l2()
    assert await fresh.l2("eth_getFilterChanges", blocks) == ["0x" + block.hash.hex() for block in (first, second)]
    assert await fresh.l2("eth_getFilterChanges", blocks) == []
    assert await fresh.l2("eth_uninstallFilter", blocks) is True
    assert await fresh.l2("eth_uninstallFilter", blocks) is False
    for method in ("eth_getFilterChanges", "eth_getFilterLogs"):
        error = await fresh.l2.failure(method, blocks)
        assert (error.code, error.message) == (-32000, "filter not found")
    assert (await fresh.l2.failure("eth_getFilterLogs", pending)).message == "filter not found"


async def test_a_filter_that_nobody_polls_ends(fresh, monkeypatch):
    monkeypatch.setattr("rollup.rpc.eth_logs._MAX_UNREAD", 2)
    blocks = await fresh.l2("eth_newBlockFilter")
    for _ in range(3):
        fresh.node.build_l2()
    assert (await fresh.l2.failure("eth_getFilterChanges", blocks)).message == "filter not found"


async def test_filters_are_bounded(fresh, monkeypatch):
    monkeypatch.setattr("rollup.rpc.eth_logs._MAX_FILTERS", 3)
    idents = [await fresh.l2("eth_newBlockFilter") for _ in range(4)]
    assert (await fresh.l2.failure("eth_getFilterChanges", idents[0])).message == "filter not found"
    assert await fresh.l2("eth_getFilterChanges", idents[3]) == []


# ---------------------------------------------------------------- subscriptions
async def test_new_heads_logs_and_pending_transactions(fresh):
    node = fresh.node
    raw = signed(to=None, data=init_code(contract_code()), gas_limit=10**6, max_fee_per_gas=10**10)
    async with fresh.l2.websocket() as socket:
        heads, logs, hashes, full = [
            await socket("eth_subscribe", *params)
            for params in (
                ["newHeads"],
                ["logs", {"topics": [A]}],
                ["newPendingTransactions"],
                ["newPendingTransactions", True],
            )
        ]
        assert len({heads, logs, hashes, full}) == 4
        tx_hash = await socket("eth_sendRawTransaction", raw)
        told = dict([await socket.notified(), await socket.notified()])
        assert told[hashes] == tx_hash
        assert told[full]["hash"] == tx_hash
        assert told[full]["blockHash"] is None
        block = node.build_l2()
        ident, head = await socket.notified()
        assert (ident, head["hash"], head["number"]) == (heads, "0x" + block.hash.hex(), hex(block.number))
        assert set(head) >= {"parentHash", "timestamp", "baseFeePerGas", "extraData", "withdrawalsRoot"}
        assert "transactions" not in head
        contract = (await socket("eth_getTransactionReceipt", tx_hash))["contractAddress"]
        for ident in (hashes, full, heads):
            assert await socket("eth_unsubscribe", ident) is True
        await socket("eth_sendRawTransaction", emitting(contract))
        node.build_l2()
        told = [await socket.notified(), await socket.notified()]
        assert [ident for ident, _ in told] == [logs, logs]
        assert [log["topics"] for _, log in told] == [[A, B], [A]]
        assert all(log["removed"] is False for _, log in told)


async def test_a_reorganisation_takes_logs_back(fresh):
    node = fresh.node
    chain = node.l2.chain
    created = await fresh.l2(
        "eth_sendRawTransaction", signed(to=None, data=init_code(contract_code()), gas_limit=10**6)
    )
    node.build_l2()
    contract = (await fresh.l2("eth_getTransactionReceipt", created))["contractAddress"]
    query = {"address": contract, "topics": [A, B]}
    polled = await fresh.l2("eth_newFilter", query)
    async with fresh.l2.websocket() as socket:
        logs = await socket("eth_subscribe", "logs", query)
        heads = await socket("eth_subscribe", "newHeads")
        before = chain.head
        await socket("eth_sendRawTransaction", emitting(contract))
        with_log = node.build_l2()
        chain.set_head(before.hash)
        chain.set_head(with_log.hash)
        told = [await socket.notified() for _ in range(5)]
    of_logs = [value for ident, value in told if ident == logs]
    assert [log["removed"] for log in of_logs] == [False, True, False]
    assert {log["blockHash"] for log in of_logs} == {"0x" + with_log.hash.hex()}
    assert [value["hash"] for ident, value in told if ident == heads] == ["0x" + with_log.hash.hex()] * 2
    assert [log["removed"] for log in await fresh.l2("eth_getFilterChanges", polled)] == [False, True, False]


async def test_subscriptions_refused(rpc):
    async with rpc.l2.websocket() as socket, rpc.l2.websocket() as other:
        for params, why in (
            ([], "expected subscription name as first argument"),
            ([5], "expected subscription name as first argument"),
            (["moons"], 'no "moons" subscription in eth namespace'),
            (["logs", {"topics": ["0x00"]}], "invalid argument 0: hex string has length 2, want 64"),
            (["logs", []], "invalid argument 0: an object is expected"),
        ):
            with pytest.raises(Failed, match="-326") as refused:
                await socket("eth_subscribe", *params)
            assert refused.value.message == why
        ident = await socket("eth_subscribe", "syncing")
        for caller, given in ((other, [ident]), (socket, ["0x1"]), (socket, []), (socket, [5])):
            with pytest.raises(Failed, match="subscription not found"):
                await caller("eth_unsubscribe", *given)
        assert await socket("eth_unsubscribe", ident) is True


async def test_subscriptions_are_bounded(rpc):
    async with rpc.l2.websocket() as socket:
        for _ in range(MAX_SUBSCRIPTIONS):
            await socket("eth_subscribe", "syncing")
        with pytest.raises(Failed, match="subscriptions on one connection"):
            await socket("eth_subscribe", "syncing")


async def test_a_reader_who_left_is_forgotten(fresh):
    async with fresh.l2.websocket() as socket:
        await socket("eth_subscribe", "newHeads")
    fresh.node.build_l2()
    assert await fresh.l2("eth_blockNumber") == "0x1"


async def test_a_reader_who_does_not_read_holds_nobody_up(fresh, monkeypatch):
    monkeypatch.setattr("rollup.rpc.subscriptions.MAX_UNSENT", 3)
    async with fresh.l2.websocket() as socket:
        heads = await socket("eth_subscribe", "newHeads")
        for _ in range(5):
            fresh.node.build_l2()  # five at once: no time to send any
        told = [await socket.notified() for _ in range(3)]
        assert [value["number"] for _, value in told] == ["0x1", "0x2", "0x3"]
        with pytest.raises(Failed, match="subscription not found"):
            await socket("eth_unsubscribe", heads)
