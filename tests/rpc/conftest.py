"""A whole node on a virtual clock, once for all reads and anew for what changes it, behind real sockets."""

import asyncio
from types import SimpleNamespace

import aiohttp
import pytest
import pytest_asyncio

from rollup.node import Node, NodeParams
from rollup.serve import PORTS, NodeServers
from tests.rpc.caller import Caller
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
