"""Runs the same promise on this node and on a peer, one run after the other, and keeps every figure."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from benchmarks.peers import Server
from benchmarks.safe_heads import wait_until_safe
from benchmarks.solidity import PEER_WORKLOADS
from rollup.load.job import Job, LoadError, Outcome, percentile
from rollup.load.process import GeneratorProcess
from rollup.load.scene import Scene, sender_keys
from rollup.load.usage import usage_of
from rollup.load.workloads import WORKLOADS, Shape
from rollup.protocol.call import Call

SENDERS: Final = 64
HUNDRED: Final = Shape(100)
CONNECTIONS: Final = 32
_FUNDS: Final = 150 * 10**18  # wei per sender
_MAX_FEE: Final = 20 * 10**9
_PEER_RECEIPTS: Final = 200  # anvil takes milliseconds for each receipt of a block of thousands


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: which server, what it is sent, and the shape of the model behind it."""

    server: str
    workload: str
    shape: Shape = HUNDRED


@dataclass(frozen=True, slots=True)
class Case:
    """A row of a table. must and aim: the ratio ours / peer that is required and hoped for, None without one.

    part: the part of the run's number of transactions that is sent; peer_part: the peer's part of that.
    """

    name: str
    ours: Side
    peer: Side | None
    batch: int = 100
    connections: int = CONNECTIONS
    rate: float = 0.0
    part: float = 1.0
    peer_part: float = 1.0
    must: float | None = None
    aim: float | None = None

    @property
    def servers(self) -> list[str]:
        """The names of the servers that it needs."""
        return [side.server for side in (self.ours, self.peer) if side is not None]


@dataclass(frozen=True, slots=True)
class Sample:
    """One run on one server. Rates per second, CPU in µs per transaction, latencies in ms, memory in MB.

    cpu: of all processes of the server until everything is included and, on this node, safe on both nodes (unless it
    posts nothing).
    cpu_until_included: the same until the last transaction is in a block. generator: the load generator's part of a
    core. is_whole: each transaction has a receipt with status 1.
    """

    per_second: float
    cpu: float
    cpu_until_included: float
    generator: float
    memory: float
    latency_p50: float
    latency_p99: float
    sent: int
    blocks: int
    is_whole: bool


@dataclass(slots=True)
class Result:
    """A case and the samples of each side."""

    case: Case
    ours: list[Sample] = field(default_factory=list)
    peer: list[Sample] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """The median of ours divided by the median of the peer, in transactions per second."""
        if not self.peer or not self.ours:
            return None
        return median(self.ours, "per_second") / median(self.peer, "per_second")

    def to_json(self) -> dict[str, Any]:
        """The case and every sample."""
        return asdict(self) | {"ratio": self.ratio}


def median(samples: Sequence[Sample], name: str) -> float:
    """The median of one figure."""
    return float(statistics.median(getattr(sample, name) for sample in samples))


class Runner:
    """Runs cases on servers that already run. Each workload is prepared once per server."""

    def __init__(self, count: int, on_step: Callable[[str], None]) -> None:
        """count: transactions per run. on_step: called with a line of text before each run."""
        self._servers: dict[str, Server] = {}
        self._scenes: dict[str, Scene] = {}
        self._calls: dict[Side, list[Call]] = {}
        self._keys = sender_keys(SENDERS)
        self._count = count
        self._on_step = on_step

    def use(self, server: Server) -> None:
        """Runs cases that name this server on it."""
        self._servers[server.name] = server

    def run(self, case: Case, runs: int) -> Result:
        """One warm-up and so many measured runs of each side, in turn."""
        result = Result(case)
        for number in range(runs + 1):
            for side, samples in ((case.ours, result.ours), (case.peer, result.peer)):
                if side is None:
                    continue
                self._on_step(f"{case.name}: {side.server}, {f'run {number} of {runs}' if number else 'warm-up'}")
                sample = self._sample(case, side)
                if not sample.is_whole:
                    raise LoadError(f"{case.name}: {side.server} did not include every transaction with success")
                if number:
                    samples.append(sample)
        return result

    def _sample(self, case: Case, side: Side) -> Sample:
        server, scene = self._servers[side.server], self._scene(side.server)
        calls = self._prepared(scene, side)
        job = Job(
            server.url,
            scene.chain_id,
            self._keys,
            scene.nonces(self._keys),
            tuple(calls),
            max(int(self._count * case.part * (case.peer_part if side is case.peer else 1)), 1),
            connections=case.connections,
            batch=case.batch,
            rate=case.rate,
            mine=server.mines,
            receipts=0 if server.verifier is not None else _PEER_RECEIPTS,
            max_fee=_MAX_FEE,
            poll=0.005 if case.rate or case.connections == 1 else 0.02,
        )
        cpu: list[float] = []

        def on_included() -> None:
            cpu.append(usage_of(server.process_id).cpu)
            if server.verifier is not None and server.posts:
                wait_until_safe(scene, Scene(server.verifier))
            cpu.append(usage_of(server.process_id).cpu)

        with GeneratorProcess(job) as generator:
            before = usage_of(server.process_id).cpu
            outcome = generator.run(on_included=on_included)
        resident = usage_of(server.process_id).resident
        return _figures(outcome, cpu[1] - before, cpu[0] - before, resident)

    def _scene(self, name: str) -> Scene:
        if name not in self._scenes:
            self._scenes[name] = self._servers[name].scene()
        scene = self._scenes[name]
        scene.fund(self._keys, _FUNDS)
        return scene

    def _prepared(self, scene: Scene, side: Side) -> list[Call]:
        if side not in self._calls:
            table = WORKLOADS if self._servers[side.server].verifier is not None else PEER_WORKLOADS
            self._calls[side] = table[side.workload].prepare(scene, self._keys, side.shape)
        return self._calls[side]


def _figures(outcome: Outcome, cpu: float, until_included: float, resident: int) -> Sample:
    sent = max(outcome.sent, 1)
    return Sample(
        per_second=round(outcome.per_second, 1),
        cpu=round(cpu / sent * 1e6, 1),
        cpu_until_included=round(until_included / sent * 1e6, 1),
        generator=round(outcome.generator_share, 3),
        memory=round(resident / 1e6, 1),
        latency_p50=round(percentile(outcome.latencies, 50) * 1e3, 1),
        latency_p99=round(percentile(outcome.latencies, 99) * 1e3, 1),
        sent=outcome.sent,
        blocks=len(outcome.blocks),
        is_whole=outcome.is_whole,
    )
