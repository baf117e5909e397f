"""What a node reports about itself: `/metrics` in Prometheus' text format, and `/health`, on the op-node RPC port."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from rollup.execution.chain import Chain
from rollup.node import Node
from rollup.rpc.server import RpcServer
from rollup.stalls import STALL_NAMES

_PREFIX: Final = "openrollup_"
_STATUS: Final = Path("/proc/self/status")
_UNAVAILABLE: Final = 503


class NodeCollector(Collector):
    """Reads a node's figures at the moment they are asked for; it keeps none."""

    def __init__(self, node: Node, servers: Mapping[str, RpcServer]) -> None:
        self._node = node
        self._servers = servers
        self._chains: dict[str, Chain] = {
            "l1": node.l1.chain,
            "l2": node.l2.chain,
            "verifier": node.verifier.chain,
        }

    def collect(self) -> Iterator[Metric]:
        """Every metric with its current values."""
        yield from self._heads()
        yield from self._progress()
        yield from self._pools()
        yield from self._batcher()
        yield from self._requests()
        yield from _memory()

    def _heads(self) -> Iterator[Metric]:
        numbers = GaugeMetricFamily(_PREFIX + "head_number", "Block number of a head.", labels=("chain", "label"))
        times = GaugeMetricFamily(
            _PREFIX + "head_timestamp_seconds", "Timestamp of a head, unix seconds.", labels=("chain", "label")
        )
        for name, chain in self._chains.items():
            for label, block in (("unsafe", chain.head), ("safe", chain.safe), ("finalized", chain.finalized)):
                numbers.add_metric((name, label), block.number)
                times.add_metric((name, label), block.timestamp)
        yield from (numbers, times)

    def _progress(self) -> Iterator[Metric]:
        node, progress = self._node, self._node.progress()
        lateness = GaugeMetricFamily(
            _PREFIX + "head_age_seconds", "Seconds from the newest block's time to now.", labels=("chain",)
        )
        lateness.add_metric(("l1",), progress.now - progress.l1_time)
        lateness.add_metric(("l2",), progress.now - progress.l2_time)
        yield lateness
        yield GaugeMetricFamily(
            _PREFIX + "safe_lag_blocks", "L2 blocks above the safe head.", progress.l2_head - progress.safe_head
        )
        yield GaugeMetricFamily(
            _PREFIX + "safe_lag_seconds",
            "Seconds of chain time above the safe head.",
            progress.l2_time - progress.safe_time,
        )
        yield GaugeMetricFamily(
            _PREFIX + "verifier_equal",
            "1 if both nodes have the same block at the lower of their safe heads.",
            int(node.is_verifier_equal()),
        )
        behind = node.stalls()
        stalled = GaugeMetricFamily(_PREFIX + "stalled", "1 if this is behind.", labels=("what",))
        for name in STALL_NAMES:
            stalled.add_metric((name,), int(name in behind))
        yield stalled
        active = GaugeMetricFamily(_PREFIX + "active", "1 if this actor is started.", labels=("actor",))
        active.add_metric(("sequencer",), int(progress.is_sequencing))
        active.add_metric(("batcher",), int(progress.is_batching))
        yield active

    def _pools(self) -> Iterator[Metric]:
        pools = GaugeMetricFamily(
            _PREFIX + "pool_transactions", "Transactions in a pool, by what they wait for.", labels=("chain", "state")
        )
        for name, pool in (("l1", self._node.l1.pool), ("l2", self._node.l2.pool)):
            if pool is not None:
                for state, count in zip(("pending", "queued"), pool.counts(), strict=True):
                    pools.add_metric((name, state), count)
        yield pools

    def _batcher(self) -> Iterator[Metric]:
        node = self._node
        yield CounterMetricFamily(
            _PREFIX + "batches_posted", "Batcher transactions that L1 has included.", node.batches_posted
        )
        yield GaugeMetricFamily(
            _PREFIX + "batcher_followed_transactions",
            "L1 transactions that the batcher may have to send again.",
            node.batcher.followed,
        )
        yield GaugeMetricFamily(
            _PREFIX + "unsafe_da_bytes",
            "Compressed bytes, by Fjord's estimate, of the L2 blocks not yet safe, as of the newest block's building.",
            node.throttle.backlog,
        )

    def _requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            _PREFIX + "rpc_requests",
            "JSON-RPC calls by port, method and error code; 0 is a result.",
            labels=("port", "method", "code"),
        )
        for port, server in self._servers.items():
            for (method, code), count in sorted(server.answered.items()):
                requests.add_metric((port, method, str(code)), count)
        yield requests


def _memory() -> Iterable[Metric]:
    """Memory that no file backs, which the mapped databases do not add to; Linux tells it."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return ()
    kilobytes = [line.split()[1] for line in lines if line.startswith("RssAnon:")]
    help_text = "Resident memory without the mapped database pages."
    return [GaugeMetricFamily(_PREFIX + "anonymous_memory_bytes", help_text, int(kb) * 1024) for kb in kilobytes]


def report_pages(node: Node, servers: Mapping[str, RpcServer]) -> dict[str, Callable[[], web.Response]]:
    """The pages by path, for the port that serves them."""
    registry = CollectorRegistry()
    registry.register(NodeCollector(node, servers))
    ProcessCollector(registry=registry)

    def metrics() -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    def health() -> web.Response:
        behind = node.stalls()
        body = {"status": "stalled" if behind else "ok", "stalled": behind}
        return web.Response(
            status=_UNAVAILABLE if behind else 200, text=json.dumps(body) + "\n", content_type="application/json"
        )

    return {"/metrics": metrics, "/health": health}
