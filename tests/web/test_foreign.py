"""`openrollup web` before a chain that is not ours: each page says what is not there, and none breaks."""

import asyncio
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from rollup.node import Node, NodeParams
from rollup.rpc.server import RpcServer
from rollup.serve import PORTS, NodeServers
from rollup.web.attach import forwarding_server
from tests.web.test_access import settled

SOMEBODY = "0x" + "11" * 20
ROUTES = (
    "",
    "l2/block/0",
    f"l2/address/{SOMEBODY}",
    "batches",
    "studio",
    "earnings",
    f"earnings/{SOMEBODY}",
    "usage",
    "usage/1",
    "datanet/1",
    "economics",
    "control",
)
STANDARD = ("eth", "net", "web3")
ANSWERED = "eth_blockNumber eth_chainId eth_getBlockByNumber eth_getBlockByHash eth_getBalance eth_getCode eth_call"
ANSWERED += " eth_getTransactionCount eth_getTransactionByHash eth_getTransactionReceipt eth_getBlockReceipts"


class Before:
    """The pages of `openrollup web` on a port of their own, in a thread; `servers`: started first, on the same loop."""

    def __init__(self, l2, **others):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server, self._endpoints = forwarding_server(l2, others)
        port = self._run(self._server.start("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{port}/"

    def close(self):
        for server in (self._server, *self._endpoints):
            self._run(server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)


@pytest.fixture(scope="module")
def plain():
    """The URL of an L2 node that has standard methods and nothing else, and no accounts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    run = lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(timeout=60)  # noqa: E731

    async def open_node():
        node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, da="calldata"))
        for _ in range(12):
            node.clock.advance(max(node._schedule.next_due() - node.clock.now(), 0))
            while node.advance(1):
                pass
        found = NodeServers(node, dict.fromkeys(PORTS, 0), "127.0.0.1").rpc_servers["l2"].methods
        server = RpcServer("plain", {name: found[name] for name in ANSWERED.split()})
        await server.start("127.0.0.1", 0)
        return node, server

    node, server = run(open_node())
    yield f"http://127.0.0.1:{server.port}"
    run(server.stop())
    loop.call_soon_threadsafe(node.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def before():
    opened = []

    def open_pages(l2, **others):
        opened.append(Before(l2, **others))
        return opened[-1]

    yield open_pages
    for item in opened:
        item.close()


def every_page(page, url):
    """Opens each page; returns its text by route. No place-holder stays, and no page says that it failed."""
    found = {}
    for route in ROUTES:
        page.goto(f"{url}#/{route}")
        settled(page)
        found[route] = page.locator("main").inner_text()
        assert "This page failed" not in found[route], route
        assert "undefined" not in found[route], route
        assert "NaN" not in found[route], route
    return found


def test_a_plain_node_has_its_blocks_shown_and_the_rest_is_said_to_be_missing(before, plain, visit):
    site = before(plain)
    page = visit(site)
    expect(page.get_by_role("region", name="L2").get_by_role("link", name="#1", exact=True)).to_be_visible()
    expect(page.locator(".strip")).to_contain_text("not given (--l1)")
    words = every_page(page, site.url)
    assert "start openrollup web with --l1 and --node" in words["batches"]
    assert "needs a node of openrollup" in words["studio"]
    assert "start openrollup web with --node" in words["control"]
    for route in (f"earnings/{SOMEBODY}", "usage", "economics"):
        assert "open_" in words[route], route


def test_endpoints_that_do_not_answer_are_named_and_the_l2_is_shown(before, plain, visit):
    nobody = "http://127.0.0.1:9"
    site = before(plain, l1=nobody, node=nobody, verifier=nobody)
    page = visit(site)
    expect(page.get_by_role("region", name="L2").get_by_role("link", name="#1", exact=True)).to_be_visible()
    every_page(page, site.url)


def test_a_chain_whose_url_does_not_answer_is_named(before, visit):
    site = before("http://127.0.0.1:9")
    page = visit(site)
    expect(page.get_by_text("http://127.0.0.1:9 does not answer")).to_be_visible()


def program(name, path):
    found = os.environ.get(name) or shutil.which(path)
    if found is None:
        pytest.skip(f"no {path}: set {name}")
    return found


@pytest.fixture
def started(tmp_path):
    """Starts a program that answers JSON-RPC on a port, and ends it at the end of the test."""
    running = []

    def start(*command, port):
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path))
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        for _ in range(200):
            try:
                requests.post(f"http://127.0.0.1:{port}", json=body, timeout=1).raise_for_status()
                return f"http://127.0.0.1:{port}"
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError(f"{command[0]} does not answer")

    yield start
    for process in running:
        process.terminate()
        process.wait(20)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.slow
@pytest.mark.external
def test_anvil_is_shown_and_what_is_asked_of_it_changes_nothing(before, visit, started):
    packages = os.environ.get("NODE_PACKAGES")
    if packages is None:
        pytest.skip("no anvil: set NODE_PACKAGES to a folder with foundry's npm packages")
    port = free_port()
    url = started(str(Path(packages) / "node_modules" / ".bin" / "anvil"), "--port", str(port), port=port)
    site = before(url, l1=url)
    page = visit(site)
    expect(page.get_by_role("region", name="L2").get_by_role("link", name="#0", exact=True)).to_be_visible()
    every_page(page, site.url)
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    assert requests.post(url, json=body, timeout=5).json()["result"] == "0x0"


@pytest.mark.slow
@pytest.mark.external
def test_op_geth_is_shown(before, visit, started, tmp_path):
    geth, port = program("OP_GETH", "op-geth"), free_port()
    ports = ("--http.port", str(port), "--authrpc.port", str(free_port()), "--port", "0", "--nodiscover")
    url = started(geth, "--dev", "--datadir", str(tmp_path / "geth"), "--http", *ports, port=port)
    site = before(url)
    page = visit(site)
    expect(page.get_by_role("region", name="L2").get_by_role("link", name="#0", exact=True)).to_be_visible()
    every_page(page, site.url)
