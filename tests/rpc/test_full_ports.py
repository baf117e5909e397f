"""The connections of a port, for each kind of port that listens: which one makes room, and which one is cut."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from rollup.rpc.beacon import BeaconServer
from rollup.rpc.server import RpcServer
from tests.node.hostile import request

GET = b"GET /eth/v1/node/version HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b"
CALL = request("eth_answer")
LARGE = "x" * 16_000_000  # more than the operating system keeps for a client that does not read


class Answers:
    """A JSON-RPC method and a beacon node's path for a port. Both answer with `text`."""

    text = "short"

    def method(self, params):
        return self.text

    def version(self):
        return {"data": self.text}


class Port:
    """A port that listens, and its clients."""

    def __init__(self, server, ask, answers):
        self.server, self.ask, self.answers = server, ask, answers
        self._opened = []

    @asynccontextmanager
    async def listening(self):
        self.number = await self.server.start("127.0.0.1", 0)
        try:
            yield
        finally:
            for _, writer in self._opened:
                writer.transport.abort()
            await self.server.stop()

    async def connect(self):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.number))
        self._opened.append(await asyncio.open_connection(sock=connection))
        return self._opened[-1]

    @property
    def connections(self):
        return self.server._listener._runner.server.connections


def json_rpc(body):
    answers = Answers()
    return Port(RpcServer("test", {"eth_answer": answers.method}), POST % (len(CALL), CALL), answers)


def beacon(body):
    answers = Answers()
    return Port(BeaconServer(answers), GET % (len(body), body), answers)


@pytest.mark.parametrize(("kind", "body"), [(json_rpc, b""), (beacon, b""), (beacon, b"a body that nobody reads")])
async def test_a_client_that_asks_again_and_again_keeps_its_connection(monkeypatch, kind, body):
    monkeypatch.setattr("rollup.rpc.listener.MAX_CONNECTIONS", 5)
    port = kind(body)
    async with port.listening():
        reader, writer = await port.connect()
        for _ in range(20):
            writer.write(port.ask)
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
            await port.connect()


@pytest.mark.parametrize("kind", [json_rpc, beacon])
async def test_a_client_that_does_not_take_its_answer_is_cut(monkeypatch, kind):
    monkeypatch.setattr("rollup.rpc.http_connection.SEND_SECONDS", 0.05)
    port = kind(b"")
    port.answers.text = LARGE
    async with port.listening():
        reader, writer = await port.connect()
        writer.write(port.ask)
        while not port.connections:
            await asyncio.sleep(0)
        while port.connections:
            await asyncio.sleep(0.01)
        assert len(await reader.read()) < len(LARGE)
