"""A port that closes answers what it can, and waits once for all that is in work."""

import asyncio
from contextlib import suppress

import pytest

from rollup.rpc import server as server_module
from rollup.rpc.busy import BusyConnections
from rollup.rpc.listener import Listener
from tests.node.hostile import request, websocket
from tests.rpc.test_clients_that_leave import Door, Work

ENDLESS, IDLE_WEBSOCKET, ENDLESS_WEBSOCKET, HALF_SENT, REFUSED = range(5)


async def begin(door, kind):
    """Opens a connection on which something is in work."""
    if kind in (ENDLESS, ENDLESS_WEBSOCKET):
        await door.send("eth_call", by_websocket=kind == ENDLESS_WEBSOCKET)
    elif kind == IDLE_WEBSOCKET:
        await websocket(door)
    else:
        host = b"localhost" if kind == HALF_SENT else b"other.example"
        _, writer = await door.connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: %b\r\nContent-Length: 1000\r\n\r\n{" % host)


@pytest.fixture
def left(monkeypatch):
    """How many connections had something in work when a port began to close them."""
    found, stop = [], Listener.stop

    async def counted(listener):
        found.append(len(listener._is_busy.__self__))
        await stop(listener)

    monkeypatch.setattr(Listener, "stop", counted)
    monkeypatch.setattr(server_module, "STOP_SECONDS", 0.05)
    for name in ("READ_SECONDS", "SKIP_SECONDS"):  # nothing ends before
        monkeypatch.setattr(f"rollup.rpc.body.{name}", 1_000)
    return found


@pytest.mark.parametrize("kinds", [[kind] for kind in range(5)] + [[*range(5)] * 2])
async def test_nothing_is_in_work_when_the_connections_are_closed(left, kinds):
    """Otherwise aiohttp waits for it, twice."""
    work = Work()
    async with Door(work.methods) as door:
        for kind in kinds:
            await begin(door, kind)
        while len(door.server._busy) < len(kinds):
            await asyncio.sleep(0)
    assert left == [0]


async def test_a_websocket_without_a_request_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(server_module, "STOP_SECONDS", 1_000)
    monkeypatch.setattr("rollup.rpc.body.SKIP_SECONDS", 1_000)
    async with Door(Work().methods) as door:
        for kind in (*[IDLE_WEBSOCKET] * 3, REFUSED):
            await begin(door, kind)
        while len(door.server._busy._resting) < 4:
            await asyncio.sleep(0)


@pytest.mark.parametrize("by_websocket", [False, True])
async def test_a_request_in_work_is_answered(by_websocket):
    work = Work()
    async with Door(work.methods) as door:
        if by_websocket:
            async with door.session.ws_connect(door.url) as socket:
                await socket.send_bytes(request("eth_call"))
                answer = asyncio.create_task(socket.receive())
                await close_during(door, work)
                assert b'"result":"0x1"' in (await answer).data.encode()
        else:
            answer = asyncio.create_task(door.call("eth_call"))
            await close_during(door, work)
            assert await answer == "0x1"


async def close_during(door, work):
    """Begins to close the port; then the request in work comes to its end."""
    await work.begun.wait()
    stopping = asyncio.create_task(door.server.stop())
    await asyncio.sleep(0)
    work.is_released = True
    await stopping


async def test_a_task_is_cancelled_at_once_where_its_connection_rests_after_the_end():
    busy = BusyConnections()
    reached = asyncio.Event()

    async def answer():
        busy.begin("connection")
        try:
            await reached.wait()
            busy.rest("connection")
            await asyncio.Event().wait()
        finally:
            busy.end("connection")

    task = asyncio.create_task(answer())
    await asyncio.sleep(0)
    stopping = asyncio.create_task(busy.stop(1_000))
    await asyncio.sleep(0)
    reached.set()
    await stopping
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert len(busy) == 0
