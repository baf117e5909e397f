"""Subscriptions that push over a WebSocket, and what a reorganisation tells them."""

import asyncio
import re

import pytest
from aiohttp import WSMsgType

from rollup.rpc.formats import header_json
from rollup.rpc.limits import MAX_SUBSCRIPTIONS
from tests.rpc.caller import Failed
from tests.rpc.story import TOPIC_A, TOPIC_B, contract_code, init_code
from tests.rpc.test_eth_calls import signed
from tests.rpc.test_logs_and_filters import emitting

A, B = "0x" + TOPIC_A.hex(), "0x" + TOPIC_B.hex()


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
        for caller, given in ((other, ident), (socket, "0x1")):
            with pytest.raises(Failed, match="subscription not found"):
                await caller("eth_unsubscribe", given)
        with pytest.raises(Failed, match="missing value for required argument 0"):  # geth rpc/json.go
            await socket("eth_unsubscribe")
        with pytest.raises(Failed, match="invalid argument 0"):
            await socket("eth_unsubscribe", 5)
        with pytest.raises(Failed, match="too many arguments, want at most 2"):
            await socket("eth_subscribe", "logs", {}, {})
        assert await socket("eth_unsubscribe", ident) is True


async def test_subscriptions_are_bounded(rpc):
    async with rpc.l2.websocket() as socket:
        for _ in range(MAX_SUBSCRIPTIONS):
            await socket("eth_subscribe", "syncing")
        with pytest.raises(Failed, match="subscriptions on one connection"):
            await socket("eth_subscribe", "syncing")


async def test_a_reader_that_disconnected_is_forgotten(fresh):
    async with fresh.l2.websocket() as socket:
        await socket("eth_subscribe", "newHeads")
    fresh.node.build_l2()
    assert await fresh.l2("eth_blockNumber") == "0x1"


async def test_the_connection_of_a_reader_who_does_not_read_is_closed(fresh, monkeypatch):
    monkeypatch.setattr("rollup.rpc.subscriptions.MAX_UNSENT", 5_000)
    async with fresh.l2.websocket() as socket, fresh.l2.websocket() as reading:
        await socket("eth_subscribe", "newHeads")
        heads = await reading("eth_subscribe", "newHeads")
        hold = asyncio.Event()
        server = fresh.servers.rpc_servers["l2"]
        slow = next(item.connection for item in server._subscriptions.of("newHeads") if item.ident != heads)
        monkeypatch.setattr(slow, "send", lambda text: hold.wait(), raising=True)
        for number in range(1, 6):
            fresh.node.build_l2()
            ident, head = await reading.notified()
            assert (ident, head["number"]) == (heads, hex(number))
        assert (await socket.socket.receive(timeout=10)).type in (WSMsgType.CLOSED, WSMsgType.ERROR)
        assert slow.unsent == len(slow.queue) == len(slow.idents) == 0
        assert server._subscriptions._unsent == 0


async def test_when_a_port_holds_too_much_the_slowest_reader_goes_first(fresh, monkeypatch):
    async with fresh.l2.websocket() as socket, fresh.l2.websocket() as reading:
        for _ in range(3):
            await socket("eth_subscribe", "newHeads")
        await reading("eth_subscribe", "newHeads")
        subscriptions = fresh.servers.rpc_servers["l2"]._subscriptions
        slow = next(item.connection for item in subscriptions.of("newHeads") if len(item.connection.idents) == 3)
        hold = asyncio.Event()
        monkeypatch.setattr(slow, "send", lambda text: hold.wait())
        monkeypatch.setattr("rollup.rpc.subscriptions.MAX_PORT_UNSENT", 6_000)
        for number in range(1, 4):
            fresh.node.build_l2()
            assert (await reading.notified())[1]["number"] == hex(number)
        assert not slow.idents
        assert len(subscriptions.of("newHeads")) == 1


async def test_a_header_is_encoded_once_for_all_subscribers(fresh, monkeypatch):
    encoded = []
    monkeypatch.setattr(
        "rollup.rpc.log_feed.header_json", lambda header, known: encoded.append(known) or header_json(header, known)
    )
    async with fresh.l2.websocket() as socket:
        idents = {await socket("eth_subscribe", "newHeads") for _ in range(50)}
        block = fresh.node.build_l2()
        assert {(await socket.notified())[0] for _ in range(50)} == idents
    assert encoded == [block.hash]


QUANTITY = re.compile(r"0x(0|[1-9a-f][0-9a-f]*)")


async def test_ids_are_quantities_that_nobody_can_guess(rpc):
    async with rpc.l2.websocket() as socket:
        found = [await socket("eth_newBlockFilter") for _ in range(200)]
        found += [await socket("eth_subscribe", "syncing") for _ in range(200)]
    assert all(map(QUANTITY.fullmatch, found))
    assert len(set(found)) == 400
    assert len({ident[:8] for ident in found}) > 300


async def test_filters_and_subscriptions_keep_to_the_range_of_their_query(fresh):
    created = await fresh.l2(
        "eth_sendRawTransaction", signed(to=None, data=init_code(contract_code()), gas_limit=10**6)
    )
    fresh.node.build_l2()
    contract = (await fresh.l2("eth_getTransactionReceipt", created))["contractAddress"]
    async with fresh.l2.websocket() as socket:
        query = {"address": contract, "fromBlock": "0x1", "toBlock": "0x2"}
        ident, polled = await socket("eth_subscribe", "logs", query), await socket("eth_newFilter", query)
        for nonce in (1, 2):
            raw = signed(nonce=nonce, to=bytes.fromhex(contract[2:]), data=b"\0", gas_limit=10**5)
            await socket("eth_sendRawTransaction", raw)
            fresh.node.build_l2()
        told = await socket("eth_getFilterChanges", polled)
        assert [log["blockNumber"] for log in told] == ["0x2", "0x2"]
        assert [await socket.notified() for _ in told] == [(ident, log) for log in told]
        assert socket.notifications == []
