"""The node's report about itself: `/metrics` in Prometheus' text format, and `/health`, on the op-node RPC port."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from rollup.execution.vms.kzg_worker import is_process_running
from rollup.node import Node, NodeView
from rollup.rpc.server import Page, RpcServer
from rollup.stalls import STALL_NAMES

_PREFIX: Final = "openrollup_"
_STATUS: Final = Path("/proc/self/status")
_UNAVAILABLE: Final = 503


class NodeCollector(Collector):
    """Reads a node's figures at the moment they are asked for; it keeps none."""

    def __init__(self, node: Node, servers: Mapping[str, RpcServer]) -> None:
        self._node = node
        self._servers = servers

    def collect(self) -> Iterator[Metric]:
        """Every metric with its current values."""
        view = self._node.view()
        yield from _heads(view)
        yield from _progress(view)
        yield from _pools(view)
        yield from _batcher(view)
        yield from self._requests()
        yield from self._processes()
        yield from _memory()

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

    def _processes(self) -> Iterator[Metric]:
        processes = GaugeMetricFamily(_PREFIX + "processes", "Processes of this node, by kind.", labels=("kind",))
        for kind, count in process_counts(self._servers).items():
            processes.add_metric((kind,), count)
        restarts = sum(server.fronts.restarts for server in self._servers.values() if server.fronts is not None)
        yield processes
        yield CounterMetricFamily(_PREFIX + "front_restarts", "Front processes that were replaced.", restarts)


def process_counts(servers: Mapping[str, RpcServer]) -> dict[str, int]:
    """How many processes of each kind a node has: its own, ready front processes, and the one for KZG."""
    fronts = sum(len(server.fronts.pids) for server in servers.values() if server.fronts is not None)
    return {"node": 1, "front": fronts, "kzg": int(is_process_running())}


def _heads(view: NodeView) -> Iterator[Metric]:
    numbers = GaugeMetricFamily(_PREFIX + "head_number", "Block number of a head.", labels=("chain", "label"))
    times = GaugeMetricFamily(
        _PREFIX + "head_timestamp_seconds", "Timestamp of a head, unix seconds.", labels=("chain", "label")
    )
    for name, heads in view.chains.items():
        for label, block in (("unsafe", heads.unsafe), ("safe", heads.safe), ("finalized", heads.finalized)):
            numbers.add_metric((name, label), block.number)
            times.add_metric((name, label), block.timestamp)
    yield from (numbers, times)


def _progress(view: NodeView) -> Iterator[Metric]:
    progress = view.progress
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
    if view.is_verifier_equal is not None:
        yield GaugeMetricFamily(
            _PREFIX + "verifier_equal",
            "1 if both nodes have the same block at the lower of their safe heads.",
            int(view.is_verifier_equal),
        )
    behind = view.stalls
    stalled = GaugeMetricFamily(_PREFIX + "stalled", "1 if this is behind.", labels=("what",))
    for name in STALL_NAMES:
        stalled.add_metric((name,), int(name in behind))
    yield stalled
    active = GaugeMetricFamily(_PREFIX + "active", "1 if this actor is started.", labels=("actor",))
    for actor in ("sequencer", "batcher"):
        active.add_metric((actor,), int(view.is_active[actor]))
    yield active


def _pools(view: NodeView) -> Iterator[Metric]:
    pools = GaugeMetricFamily(
        _PREFIX + "pool_transactions", "Transactions in a pool, by what they wait for.", labels=("chain", "state")
    )
    for name, counts in view.pools.items():
        pools.add_metric((name, "pending"), counts.pending)
        pools.add_metric((name, "queued"), counts.queued)
    yield pools


def _batcher(view: NodeView) -> Iterator[Metric]:
    yield CounterMetricFamily(
        _PREFIX + "batches_posted", "Batcher transactions that L1 has included.", view.batches_posted
    )
    yield GaugeMetricFamily(
        _PREFIX + "batcher_followed_transactions",
        "L1 transactions that the batcher may have to send again.",
        view.followed_transactions,
    )
    yield GaugeMetricFamily(
        _PREFIX + "unsafe_da_bytes",
        "Compressed bytes, by Fjord's estimate, of the L2 blocks not yet safe, as of the newest block's building.",
        view.unsafe_da_bytes,
    )


def _memory() -> Iterable[Metric]:
    """Memory that no file backs, without the mapped databases, as Linux reports it."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return ()
    kilobytes = [line.split()[1] for line in lines if line.startswith("RssAnon:")]
    help_text = "Resident memory without the mapped database pages."
    return [GaugeMetricFamily(_PREFIX + "anonymous_memory_bytes", help_text, int(kb) * 1024) for kb in kilobytes]


def report_pages(node: Node, servers: Mapping[str, RpcServer]) -> dict[str, Page]:
    """The pages by path, for the port that serves them."""
    registry = CollectorRegistry()
    registry.register(NodeCollector(node, servers))
    ProcessCollector(registry=registry)

    def metrics(request: web.BaseRequest) -> web.Response:
        del request
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    def health(request: web.BaseRequest) -> web.Response:
        del request
        behind = node.view().stalls
        status = "stalled" if behind else "ok"
        body = {"status": status, "stalled": behind, "processes": process_counts(servers)}
        return web.Response(
            status=_UNAVAILABLE if behind else 200, text=json.dumps(body) + "\n", content_type="application/json"
        )

    return {"/metrics": metrics, "/health": health}
