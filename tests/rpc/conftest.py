"""A whole node on a virtual clock, once for all reads and anew for what changes it, behind real sockets."""

import asyncio
from types import SimpleNamespace

import aiohttp
import pytest
import pytest_asyncio

from rollup.node import Node, NodeParams
from rollup.protocol.forks import Fork
from rollup.rpc.server import RpcServer
from rollup.rpc.subscriptions import Subscriptions
from rollup.serve import PORTS, NodeServers
from tests.rpc.caller import Caller
from tests.rpc.door_methods import METHODS
from tests.rpc.engine_pair import pair_of, world_at
from tests.rpc.in_process import l2_methods
from tests.rpc.story import Story
from tests.rpc.trace_story import TraceStory

SECRET = bytes(range(32))
GENESIS_TIME = 1_700_000_000
FREE_PORTS = dict.fromkeys(PORTS, 0)


def open_node(**params):
    return Node.open(NodeParams(virtual_clock=True, genesis_time=GENESIS_TIME, archive=True, **params))


@pytest.fixture(scope="session")
def story():
    """A node with some of everything in its chain; nothing moves it any more."""
    node = open_node(operator_fee_scalar=2_000_000, operator_fee_constant=77)
    try:
        yield Story.told(node)
    finally:
        node.close()


@pytest.fixture
def fresh_node():
    """A node at genesis, for tests that move it."""
    node = open_node()
    try:
        yield node
    finally:
        node.close()


async def _serve(node):
    servers = NodeServers(node, FREE_PORTS, "127.0.0.1", SECRET)
    await servers.start()
    return servers


def _callers(servers, session):
    urls = {name: servers.url(name) for name in servers.bound}
    callers = {name: Caller(session, url) for name, url in urls.items()}
    return SimpleNamespace(**callers, session=session, urls=urls)


@pytest_asyncio.fixture
async def rpc(story):
    """Callers of the story's endpoints by name: l1, l2, verifier, rollup, beacon, engine."""
    servers = await _serve(story.node)
    async with aiohttp.ClientSession() as session:
        yield _callers(servers, session)
    await servers.stop()


@pytest_asyncio.fixture
async def fresh(fresh_node):
    """Servers of a node at genesis, which is `node`."""
    servers = await _serve(fresh_node)
    async with aiohttp.ClientSession() as session:
        callers = _callers(servers, session)
        callers.node = fresh_node
        callers.servers = servers
        yield callers
    await servers.stop()


@pytest.fixture
def settle():
    """Lets the tasks that push notifications run."""

    async def run():
        for _ in range(5):
            await asyncio.sleep(0)

    return run


@pytest.fixture(scope="session")
def traced():
    """A node with the transactions of TraceStory, which no test changes."""
    node = open_node()
    try:
        yield TraceStory.told(node)
    finally:
        node.close()


@pytest.fixture(scope="session")
def answer(traced):
    """The methods of its L2 port."""
    return l2_methods(traced.node)


@pytest_asyncio.fixture
async def session():
    """An HTTP client's session."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest_asyncio.fixture
async def jovian(session):
    """A pair of engines on the newest stable fork."""
    pair = await pair_of(world_at(Fork.JOVIAN, operator_fee_constant=5), session)
    yield pair
    await pair.builder.server.stop()
    await pair.follower.server.stop()


@pytest_asyncio.fixture
async def door():
    """A caller of a server with the methods of door_methods.py, and without a node."""
    server = RpcServer("test", METHODS, Subscriptions({"newHeads": lambda options: None}))
    port = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        yield Caller(session, f"http://127.0.0.1:{port}")
    await server.stop()
