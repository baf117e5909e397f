"""Clients that leave before they are answered, WebSocket messages that never end, and many at once."""

import asyncio
import gc
import json
from collections import Counter
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from rollup.cooperative import pause
from rollup.rpc import incoming
from rollup.rpc.http_connection import HttpConnection
from rollup.rpc.incoming import PortIncoming
from rollup.rpc.limits import MAX_BODY
from rollup.rpc.methods import changes_chain, takes_long
from rollup.rpc.server import RpcServer
from rollup.rpc.subscriptions import Connection, Subscriptions
from tests.node.hostile import frame, request, websocket
from tests.rpc.caller import Caller


class Work:
    """A call and a change that run until they are ended or released."""

    def __init__(self):
        self.begun, self.ended, self.is_released = asyncio.Event(), asyncio.Event(), False
        self.finished = []

    def run(self):
        self.begun.set()
        try:
            while not self.is_released:
                pause()
            self.finished.append(True)
            return "0x1"
        finally:
            self.ended.set()

    @property
    def methods(self):
        call = takes_long(lambda params: self.run())
        change = changes_chain(lambda params: self.run())
        return {"eth_call": call, "evm_mine": change, "eth_echo": lambda params: params}


class Door:
    """A port and its clients."""

    def __init__(self, methods):
        self.server = RpcServer("test", methods, Subscriptions({"newHeads": lambda options: None}))
        self._opened = []  # a connection whose ends are forgotten is closed

    async def __aenter__(self):
        self.url = f"http://127.0.0.1:{await self.server.start('127.0.0.1', 0)}"
        self.session = aiohttp.ClientSession()
        self.call = Caller(self.session, self.url)
        return self

    async def __aexit__(self, *failure):
        await self.session.close()
        await self.server.stop()

    async def connect(self):
        opened = await asyncio.open_connection("127.0.0.1", self.server.port)
        self._opened.append(opened)
        return opened

    async def send(self, method, *, by_websocket):
        """Sends a call; returns what aborts its connection."""
        text = request(method)
        if by_websocket:
            _, writer = await websocket(self)
            writer.write(frame(text.ljust(200)))
        else:
            _, writer = await self.connect()
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))
        return writer.transport.abort


@pytest.mark.parametrize("by_websocket", [False, True])
async def test_the_call_of_a_client_that_has_left_ends(by_websocket):
    work = Work()
    async with Door(work.methods) as door:
        leave = await door.send("eth_call", by_websocket=by_websocket)
        await work.begun.wait()
        leave()
        async with asyncio.timeout(20):
            await work.ended.wait()
        assert work.finished == []
        assert await door.call("eth_echo", 1) == [1]


@pytest.mark.parametrize("by_websocket", [False, True])
async def test_the_change_of_a_client_that_has_left_runs_to_its_end(by_websocket):
    work = Work()
    async with Door(work.methods) as door:
        leave = await door.send("evm_mine", by_websocket=by_websocket)
        await work.begun.wait()
        leave()
        while any(item.transport for item in door.server._busy):
            await asyncio.sleep(0)
        await door.call("eth_echo")
        assert not work.ended.is_set()
        work.is_released = True
        async with asyncio.timeout(20):
            await work.ended.wait()
        assert work.finished == [True]


async def test_half_sent_messages_are_bounded_and_the_largest_is_cut(monkeypatch):
    monkeypatch.setattr(incoming, "MAX_PORT_HALF_SENT", 1_000_000)
    async with Door({"eth_echo": lambda params: params}) as door, door.call.websocket() as other:
        held = door.server._incoming
        clients = []
        for size in (100_000, 600_000, 250_000, 200_000):
            clients.append(await websocket(door))
            before = held.size
            clients[-1][1].write(frame(bytes(size), is_final=False))
            while len(clients) < 4 and held.size - before < size:
                await asyncio.sleep(0)
        with suppress(ConnectionError):
            await clients[1][0].read()
        while len(held.open) == 4 and held.size < 550_000:
            await asyncio.sleep(0)
        assert held.size <= 1_000_000
        assert sorted(item.size > 0 for item in held.open) == [False, True, True, True]
        assert await other("eth_echo", 1) == [1]


@asynccontextmanager
async def left_with_something(door, kind):
    """A client that leaves inside the block."""
    if kind.startswith("websocket"):
        reader, writer = await websocket(door)
    else:
        reader, writer = await door.connect()
    call = request("eth_large" if kind.endswith("unread answer") else "eth_echo")
    if kind == "websocket, half-sent message":
        writer.write(frame(bytes(100_000), is_final=False))
    elif kind == "websocket, subscriptions":
        writer.write(frame(request("eth_subscribe", "newHeads").ljust(200)) * 3)
        for _ in range(3):
            await reader.readuntil(b"}")
        door.server._subscriptions.push(door.server._subscriptions.of("newHeads")[0], b"1" * 1_000_000)
    elif kind in ("websocket, answered", "websocket, unread answer"):
        writer.write(frame(call.ljust(200)))
    elif kind == "half-sent body":
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
    elif kind in ("answered", "unread answer"):
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(call), call))
    elif kind == "no HTTP":
        writer.write(b"\x16\x03\x01\r\n\r\n")
    if kind.endswith(" answered") or kind == "answered":
        await reader.readuntil(b"}")
    while not connections():
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    yield
    if kind == "websocket, closed":
        writer.write(small(0x8, b""))
        await reader.read()
    writer.transport.abort()


def connections():
    """All connections that this process still holds."""
    return [item for item in gc.get_objects() if isinstance(item, HttpConnection)]


@pytest.mark.parametrize(
    "kind",
    [
        "nothing sent",
        "no HTTP",
        "half-sent body",
        "answered",
        "unread answer",
        "websocket",
        "websocket, closed",
        "websocket, half-sent message",
        "websocket, answered",
        "websocket, unread answer",
        "websocket, subscriptions",
    ],
)
async def test_nothing_of_a_client_stays_when_it_leaves(frozen_by_tests, kind):
    """Memory is given back without the garbage collector, which may run hours later."""
    methods = {"eth_echo": lambda params: params, "eth_large": lambda params: "x" * 16_000_000}
    async with Door(methods) as door:
        gc.collect()
        gc.disable()
        gc.freeze()  # what is there before is not looked through again
        try:
            async with left_with_something(door, kind):
                pass
            async with asyncio.timeout(10):
                while door.server._server.connections:
                    await asyncio.sleep(0)
            for _ in range(20):
                await asyncio.sleep(0)
            assert connections() == []
        finally:
            gc.enable()


async def test_a_client_of_many_messages_holds_nothing_between_them():
    """Whatever their frames are: one, many small ones, with pings between, several messages in one write."""
    whole = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_echo", "params": ["x" * 2_000]}).encode()
    pieces = [frame(whole[:200], is_final=False)]
    for start in range(200, len(whole) - 200, 200):
        pieces += [small(0x9, b"ping"), frame(whole[start : start + 200], is_final=False, opcode=0)]
    pieces += [small(0x9, b""), frame(whole[start + 200 :].ljust(200), opcode=0)]
    async with Door({"eth_echo": lambda params: params}) as door:
        held = door.server._incoming
        _, writer = await websocket(door)
        for sent in (frame(whole), b"".join(pieces), frame(whole) * 3 + b"".join(pieces), small(0x9, b"ping") * 9):
            before = door.server.answered["eth_echo", 0]
            writer.write(sent)
            while door.server.answered["eth_echo", 0] - before < sent.count(b"eth_echo") or held.size > 1_000:
                await asyncio.sleep(0)
        writer.transport.abort()
        while held.open:
            await asyncio.sleep(0)
        assert held.size == 0


def test_a_message_in_front_hides_no_half_sent_one():
    """A small message, its answer, and behind it as much as a message may have."""
    port = PortIncoming()
    one = port.begin(lambda: None)
    one.answered()
    one.add(206)
    one.message(200)
    for _ in range(20):
        one.add(250_000)
    one.answered()
    assert port.size == 5_000_000
    one.control(4)
    one.answered()
    assert port.size >= 4_999_990
    one.add(100)
    one.message(5_000_000)
    assert port.size >= 5_000_000
    one.answered()
    assert port.size <= 100


def test_a_message_as_large_as_a_port_takes_fits():
    cut = []
    port = PortIncoming()
    for _ in range(incoming.MAX_PORT_HALF_SENT // (MAX_BODY + 100)):
        port.begin(lambda: cut.append(True)).add(MAX_BODY)
    assert cut == []


def small(opcode, payload):
    """A control frame."""
    return bytes((0x80 | opcode, 0x80 | len(payload))) + bytes(4) + payload


class Turns:
    """Counts what is done in each of the event loop's rounds."""

    def __init__(self):
        self.round, self.done = 0, Counter()

    async def __aenter__(self):
        self._task = asyncio.create_task(self._count())
        return self

    async def __aexit__(self, *failure):
        self._task.cancel()

    async def _count(self):
        while True:
            self.round += 1
            await asyncio.sleep(0)

    def note(self):
        self.done[self.round] += 1


async def test_many_messages_in_one_write_are_answered_in_turns_with_others():
    turns = Turns()
    methods = {"eth_echo": lambda params: turns.note()}
    async with Door(methods) as door, turns:
        _, writer = await websocket(door)
        writer.write(frame(request("eth_echo").ljust(200)) * 100)
        while sum(turns.done.values()) < 100:
            await asyncio.sleep(0)
    assert max(turns.done.values()) == 1


async def test_many_notifications_are_sent_in_turns_with_others(monkeypatch):
    turns, send = Turns(), Connection.send
    server = RpcServer("test", {}, Subscriptions({"newHeads": lambda options: None}))

    async def noted(connection, text):
        if b"eth_subscription" in text:
            turns.note()
        await send(connection, text)

    monkeypatch.setattr(Connection, "send", noted)
    url = f"http://127.0.0.1:{await server.start('127.0.0.1', 0)}"
    async with aiohttp.ClientSession() as session, turns:
        caller = Caller(session, url)
        async with caller.websocket() as one, caller.websocket() as other:
            for socket in (one, other):
                for _ in range(50):
                    await socket("eth_subscribe", "newHeads")
            for subscription in server._subscriptions.of("newHeads"):
                server._subscriptions.push(subscription, b"{}")
            while sum(turns.done.values()) < 100:
                await asyncio.sleep(0)
    await server.stop()
    assert max(turns.done.values()) <= 2  # one of each connection
