"""The metrics and the health on the op-node RPC port agree with the chain that they report about."""

import asyncio

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from rollup.execution.state.database import StateUnavailable
from rollup.execution.state.trie import MissingNode
from rollup.metrics import NodeCollector
from rollup.node import Node, NodeParams
from rollup.rpc.limits import MAX_BODY
from rollup.rpc.server import RpcServer
from rollup.serve import PORTS, NodeServers
from rollup.stalls import STALL_NAMES, ChainProgress, stalls
from rollup.store.kv import StoreDamaged

HEALTHY = '{"status": "ok", "stalled": {}, "processes": {"node": 1, "front": 0, "kzg": 0}}\n'


@pytest.fixture
def node():
    opened = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000))
    opened.run_until_safe(12)
    yield opened
    opened.close()


@pytest.fixture
async def servers(node):
    served = NodeServers(node, dict.fromkeys(PORTS, 0), "127.0.0.1")
    await served.start()
    yield served
    await served.stop()


async def get(servers, path):
    async with aiohttp.ClientSession() as session, session.get(servers.url("rollup") + path) as response:
        return response.status, response.headers["Content-Type"], await response.text()


async def samples(servers):
    status, kind, text = await get(servers, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain")
    return {
        (item.name, *(item.labels[name] for name in sorted(item.labels))): item.value
        for family in text_string_to_metric_families(text)
        for item in family.samples
    }


async def call(servers, name, *requests):
    body = [{"jsonrpc": "2.0", "id": 1, "method": method, "params": []} for method in requests]
    async with aiohttp.ClientSession() as session, session.post(servers.url(name), json=body) as response:
        return await response.json()


async def test_heads_pools_batches_and_lag_are_those_of_the_chains(node, servers):
    found = await samples(servers)
    for name, chain in (("l1", node.l1.chain), ("l2", node.l2.chain), ("verifier", node.verifier.chain)):
        for label, block in (("unsafe", chain.head), ("safe", chain.safe), ("finalized", chain.finalized)):
            assert found["openrollup_head_number", name, label] == block.number
            assert found["openrollup_head_timestamp_seconds", name, label] == block.timestamp
    assert found["openrollup_batches_posted_total",] == node.view().batches_posted > 0
    assert found["openrollup_batcher_followed_transactions",] == node.batcher.followed
    assert found["openrollup_safe_lag_blocks",] == node.l2.chain.head.number - node.l2.chain.safe.number
    assert found["openrollup_verifier_equal",] == 1
    assert found["openrollup_pool_transactions", "l2", "pending"] == node.l2.pool.counts()[0]
    assert found["process_resident_memory_bytes",] > found["openrollup_anonymous_memory_bytes",] > 0


async def test_calls_are_counted_by_port_method_and_code_and_unknown_names_together(servers):
    await call(servers, "l2", "eth_blockNumber", "eth_blockNumber", "eth_call", "no_such", "nor_this")
    found = await samples(servers)
    assert found["openrollup_rpc_requests_total", "0", "eth_blockNumber", "l2"] == 2
    assert found["openrollup_rpc_requests_total", "-32602", "eth_call", "l2"] == 1
    assert found["openrollup_rpc_requests_total", "-32601", "unknown", "l2"] == 2


async def test_health_says_what_stalls_and_the_metric_agrees(node, servers):
    status, _, text = await get(servers, "/health")
    assert (status, text) == (200, HEALTHY)
    node.batcher.stop()
    while "safe head" not in node.view().stalls:
        if not node.advance():
            node.clock.advance(max(node.next_due() - node.clock.now(), 0))
    status, kind, text = await get(servers, "/health")
    assert status == 503
    assert kind.startswith("application/json")
    assert "admin_startBatcher" in text
    found = await samples(servers)
    assert found["openrollup_stalled", "safe head"] == 1
    assert found["openrollup_active", "batcher"] == 0


async def test_the_other_ports_have_no_metrics(servers):
    async with aiohttp.ClientSession() as session, session.get(servers.url("l2") + "/metrics") as response:
        assert "send JSON-RPC here" in await response.text()


async def test_metrics_follow_the_rules_for_hosts_and_origins(servers):
    async with aiohttp.ClientSession() as session:
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            async with session.get(servers.url("rollup") + "/metrics", headers=headers) as response:
                assert response.status == 403


def test_every_stall_has_its_metric():
    behind = ChainProgress(10**6, 0, 12, 10**5, 10**5, 2, 0, 0, is_sequencing=True, is_batching=True)
    assert tuple(stalls(behind)) == STALL_NAMES


def test_every_metric_is_in_the_docs(node, pytestconfig):
    page = (pytestconfig.rootpath / "docs" / "metrics.md").read_text()
    for metric in NodeCollector(node, {}).collect():
        name = metric.name + ("_total" if metric.type == "counter" else "")
        assert f"`{name}`" in page


@pytest.mark.parametrize(
    "error", [StateUnavailable(b"\1" * 32), MissingNode(b"\1" * 32), StoreDamaged("l2: data.mdb is damaged")]
)
def test_a_state_that_is_gone_and_a_damaged_store_are_said_in_the_answer(error):
    def read(params):
        raise error

    server = RpcServer("a port", {"eth_read": read}, max_body=MAX_BODY)
    answer = asyncio.run(server.handle(b'{"jsonrpc":"2.0","id":1,"method":"eth_read"}'))
    assert str(error).encode() in answer
    assert b"-32000" in answer
    assert server.answered == {("eth_read", -32000): 1}
