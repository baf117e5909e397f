"""Nodes whose L2 port has front processes, and the same nodes without."""

import asyncio

import pytest_asyncio

from rollup.serve import PORTS, NodeServers
from tests.rpc.conftest import open_node

SECRET = bytes(32)


async def ready(servers, count=1):
    """Waits until so many front processes take connections; returns the fronts."""
    fronts = servers.rpc_servers["l2"].fronts
    async with asyncio.timeout(60):
        while len(fronts.pids) < count:
            await asyncio.sleep(0.01)
    return fronts


class Served:
    """A node at genesis behind its ports."""

    def __init__(self, processes, **options):
        self.node = open_node(**options)
        ports = dict.fromkeys(PORTS, 0)
        self.servers = NodeServers(self.node, ports, "127.0.0.1", SECRET, processes=processes, takes_conditions=True)
        self.processes = processes
        self.fronts = None
        self.taken = []  # transactions that front processes handed over, each time
        self.asked = []  # bodies that they passed on
        server = self.servers.rpc_servers["l2"]
        takes, handles = server.take_transactions, server.handle_body
        server.take_transactions = lambda items: self.taken.append(items) or takes(items)
        server.handle_body = lambda body, is_local: self.asked.append(body) or handles(body, is_local)

    async def __aenter__(self):
        await self.servers.start()
        if self.processes > 1:
            self.fronts = await ready(self.servers, self.processes - 1)
        return self

    async def __aexit__(self, *_):
        await self.servers.stop()
        self.node.close()

    @property
    def port(self):
        return self.servers.bound["l2"]

    @property
    def answered(self):
        return self.servers.rpc_servers["l2"].answered


@pytest_asyncio.fixture
async def fronted():
    async with Served(2) as served:
        yield served


@pytest_asyncio.fixture
async def pair():
    """A node without and with a front process."""
    async with Served(1) as alone, Served(2) as fronted:
        yield alone, fronted
