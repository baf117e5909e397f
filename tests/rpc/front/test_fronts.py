"""Front processes in a node: what they keep, what they lose when they die, what they leave to the node."""

import asyncio
import json
import os
import signal

import aiohttp
import pytest
from structlog.testing import capture_logs

from rollup.cooperative import pause
from rollup.rpc import dispatch as dispatch_module
from rollup.rpc.answers import TOO_MANY_CONNECTIONS
from rollup.rpc.front import fronts as fronts_module
from rollup.rpc.front.fronts import front_count
from rollup.rpc.methods import takes_long
from tests.rpc.front.conftest import Served, ready
from tests.rpc.front.raw_http import call, exchange, post
from tests.rpc.front.test_equal_answers import send, signed

CHAIN_ID = post(call("eth_chainId"))


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


def results(answers):
    return [json.loads(body)["result"] for _, body in answers]


async def test_acknowledged_transactions_outlive_the_front_process_that_took_them(fronted):
    raws = [signed(nonce=nonce).encode() for nonce in range(20)]
    answers = await exchange(fronted.port, *(post(send(raw)) for raw in raws), count=len(raws))
    [pid] = fronted.fronts.pids
    with capture_logs() as lines:
        os.kill(pid, signal.SIGKILL)
        await until(lambda: fronted.fronts.restarts == 1)
    assert [line for line in lines if line["event"].startswith("front process has ended") and line["pid"] == pid]
    assert len(fronted.taken) > 1
    assert [f"0x{fronted.node.l2.pool.get(bytes.fromhex(found[2:])).hash.hex()}" for found in results(answers)] == (
        results(answers)
    )


async def test_a_front_process_that_dies_is_replaced_and_the_node_answers_meanwhile(fronted):
    [pid] = fronted.fronts.pids
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not fronted.fronts.pids)
    assert results(await exchange(fronted.port, post(send(signed().encode())))) == [f"0x{signed().hash.hex()}"]
    assert not fronted.taken
    await ready(fronted.servers)
    assert fronted.fronts.pids != [pid]
    await exchange(fronted.port, post(send(signed(nonce=1).encode())))
    assert fronted.fronts.connections == len(fronted.taken) == 1


async def test_a_client_of_a_dead_front_process_is_cut_off(fronted):
    reader, writer = await asyncio.open_connection("127.0.0.1", fronted.port)
    writer.write(CHAIN_ID)
    await reader.readuntil(b"}")
    os.kill(fronted.fronts.pids[0], signal.SIGKILL)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(1), 20)
    writer.close()


async def test_stopping_the_ports_ends_the_front_processes():
    async with Served(3) as served:
        pids = served.fronts.pids
        assert len(set(pids)) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_connections_are_spread_evenly():
    async with Served(3) as served:
        opened = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(6)]
        await until(lambda: served.fronts.connections == 6)
        assert [place.connections for place in served.fronts._places] == [3, 3]
        for _, writer in opened:
            writer.close()
        await until(lambda: served.fronts.connections == 0)


async def test_a_websocket_and_its_subscription_are_the_nodes(fronted):
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{fronted.port}") as socket,
    ):
        await socket.send_json(call("eth_subscribe", "newPendingTransactions"))
        ident = (await socket.receive_json())["result"]
        await exchange(fronted.port, post(send(signed().encode())))
        told = await asyncio.wait_for(socket.receive_json(), 20)
        assert told["params"] == {"subscription": ident, "result": f"0x{signed().hash.hex()}"}
        assert fronted.taken


async def test_a_connection_that_went_back_to_the_node_stays_there(fronted):
    get = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answers = await exchange(fronted.port, CHAIN_ID + get + CHAIN_ID, count=3)
    assert [b"send JSON-RPC here" in body for _, body in answers] == [False, True, False]
    assert len(fronted.asked) == 1
    assert fronted.fronts.connections == 0


async def test_a_request_that_comes_slowly_goes_to_the_node(fronted):
    await exchange(fronted.port, CHAIN_ID[:-3], CHAIN_ID[-3:], pause=2.5)
    assert not fronted.asked
    assert fronted.fronts.connections == 0


async def test_the_call_of_a_client_that_has_left_ends(fronted):
    ends = []

    @takes_long
    def long_call(params):
        try:
            while True:
                pause()
        finally:
            ends.append(True)

    fronted.servers.rpc_servers["l2"].add_methods({"eth_long": long_call})
    _, writer = await asyncio.open_connection("127.0.0.1", fronted.port)
    writer.write(post(call("eth_long")))
    await until(lambda: fronted.asked)
    writer.close()
    await until(lambda: ends)


async def test_transactions_are_taken_while_a_long_call_of_the_same_front_process_runs(fronted):
    goes_on = asyncio.Event()

    async def waits(params):
        await goes_on.wait()
        return "done"

    fronted.servers.rpc_servers["l2"].add_methods({"eth_wait": waits})
    waiting = asyncio.create_task(exchange(fronted.port, post(call("eth_wait"))))
    await until(lambda: fronted.asked)
    assert results(await exchange(fronted.port, post(send(signed().encode())))) == [f"0x{signed().hash.hex()}"]
    goes_on.set()
    assert results(await waiting) == ["done"]


async def test_callers_from_elsewhere_are_known_as_such(fronted, monkeypatch):
    heard = []
    monkeypatch.setattr(dispatch_module, "is_for_local_callers", lambda handler: True)
    await exchange(fronted.port, CHAIN_ID)
    heard += await fronted.servers.rpc_servers["l2"].handle_body(json.dumps(call("eth_chainId")).encode(), False), b""
    assert b"answers only callers from this machine" in heard[0]


async def test_a_full_port_closes_an_idle_connection_or_refuses_the_new_one(monkeypatch):
    monkeypatch.setattr("rollup.rpc.listener.MAX_CONNECTIONS", 2)
    goes_on = asyncio.Event()

    async def waits(params):
        await goes_on.wait()

    async with Served(2) as served:
        served.servers.rpc_servers["l2"].add_methods({"eth_wait": waits})
        idle, _ = await asyncio.open_connection("127.0.0.1", served.port)
        await until(lambda: served.fronts.connections == 1)
        busy = [asyncio.create_task(exchange(served.port, post(call("eth_wait")))) for _ in range(2)]
        assert await asyncio.wait_for(idle.read(), 20) == b""
        await until(lambda: len(served.asked) == 2)
        refused, _ = await asyncio.open_connection("127.0.0.1", served.port)
        assert await asyncio.wait_for(refused.read(), 20) == TOO_MANY_CONNECTIONS
        goes_on.set()
        assert results([answer for one in busy for answer in await one]) == [None, None]


async def test_on_a_full_port_a_client_that_asks_again_keeps_its_connection(monkeypatch):
    monkeypatch.setattr("rollup.rpc.listener.MAX_CONNECTIONS", 3)
    async with Served(2) as served:
        clients = []
        for number in range(3):
            clients.append(await asyncio.open_connection("127.0.0.1", served.port))
            await until(lambda count=number + 1: served.fronts.connections == count)
        oldest, second, third = clients
        for reader, writer in (oldest, third):
            writer.write(CHAIN_ID)
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        assert results(await exchange(served.port, CHAIN_ID)) == ["0x385"]
        assert await asyncio.wait_for(second[0].read(), 20) == b""
        oldest[1].write(CHAIN_ID)
        assert b"0x385" in await oldest[0].readuntil(b"0x385")
        for _, writer in clients:
            writer.close()


async def test_a_failure_in_the_pool_is_answered_to_each(fronted, monkeypatch):
    monkeypatch.setattr(fronted.node.l2.pool, "add_transactions", lambda transactions: 1 / 0)
    batch = post([send(signed(nonce=nonce).encode(), ident=nonce) for nonce in range(2)])
    with capture_logs() as lines:
        [(_, body)] = await exchange(fronted.port, batch)
    assert [answer["error"]["code"] for answer in json.loads(body)] == [-32603, -32603]
    assert [line["event"] for line in lines] == ["transactions could not be taken"]


@pytest.mark.parametrize(("cores", "count"), [(1, 0), (2, 1), (4, 2), (64, 32)])
def test_auto_starts_a_front_process_per_two_cores(monkeypatch, cores, count):
    monkeypatch.setattr(fronts_module.os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    assert front_count(None) == count
    assert [front_count(1), front_count(4)] == [0, 3]
