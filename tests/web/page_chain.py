"""A node with its pages for tests in a browser: in a thread, on a virtual clock that moves when a test says so.

With transactions in the pool it builds at once, so that a page that waits for a receipt gets one. Nodes that follow one
another have the same port for their pages: a browser keeps files and compiled code by origin.
"""

import asyncio
import threading
from concurrent.futures import Future

import requests

from rollup.node import Node, NodeError, NodeParams
from rollup.serve import PORTS, NodeServers
from rollup.studio.attach import attach_studio
from rollup.web.attach import attach_pages

GENESIS_TIME = 1_700_000_000
FREED_PORTS = []  # of nodes that have ended


class PageChain:
    """Start it, use `url`, move it by `step`; stop it at the end."""

    def __init__(self, model=None, has_studio=True, **params):
        self._params = params
        self._model, self._has_studio = model, has_studio
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._miner = None
        self.node = self.servers = None

    def start(self):
        """Opens node and ports."""
        self._thread.start()
        self._run(self._open())
        return self

    def stop(self):
        """Closes them."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self):
        return self.servers.url("l2") + "/"

    def step(self, blocks=1):
        """Builds so many L2 blocks, and the L1 blocks due meanwhile."""
        self._run(self._advance(blocks))

    def until_safe(self):
        """Runs until the present head is safe, on both nodes where a verifier runs."""
        target = self.node.l2.chain.head.number
        chains = [self.node.l2.chain, *([self.node.verifier.chain] if self.node.params.verifier else [])]
        while min(chain.safe.number for chain in chains) < target:
            self.step()

    def do(self, function):
        """Runs a function in the node's thread and returns its result."""

        async def call():
            return function(self.node)

        return self._run(call())

    def rpc(self, method, *params, path=""):
        """A JSON-RPC call over HTTP; raises AssertionError for an error."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = requests.post(self.url + path, json=body, timeout=20).json()
        assert "error" not in answer, answer
        return answer["result"]

    def _run(self, coroutine):
        waited: Future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return waited.result(timeout=120)

    async def _open(self):
        params = NodeParams(virtual_clock=True, genesis_time=GENESIS_TIME, da="calldata", **self._params)
        self.node = Node.open(params)
        try:
            await self._serve(FREED_PORTS.pop() if FREED_PORTS else 0)
        except NodeError:  # another program has taken the port meanwhile
            await self._serve(0)
        self._miner = asyncio.create_task(self._mine())

    async def _serve(self, port):
        self.servers = NodeServers(self.node, dict.fromkeys(PORTS, 0) | {"l2": port}, "127.0.0.1")
        attach_pages(self.servers)
        if self._has_studio:
            attach_studio(self.servers, self._params.get("data_dir"), self._model)
        await self.servers.start()

    async def _close(self):
        self._miner.cancel()
        FREED_PORTS.append(self.servers.bound["l2"])
        await self.servers.stop()
        self.node.close()

    async def _mine(self):
        while True:
            if self.node.sequencer.is_active and any(self.node.l2.pool.counts()):
                await self._advance(1)
            await asyncio.sleep(0.02)

    async def _advance(self, blocks):
        target = self.node.l2.chain.head.number + blocks
        for _ in range(20 * blocks):
            if self.node.l2.chain.head.number >= target:
                return
            if not self.node.advance(1):
                self.node.clock.advance(max(self.node._schedule.next_due() - self.node.clock.now(), 0))
            await asyncio.sleep(0)
