"""A node of its own under load over JSON-RPC: transactions per second, and the CPU of all server processes.

    python -m benchmarks.end_to_end --workloads infer,transfer --count 6400

The load generator is another process (rollup/load). Each workload has a warm-up run and `--runs` measured runs; one
line per run. The CPU time of the server runs until every block of the run is safe on both nodes.
"""

import json
import statistics
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.command_line import Parser, positive
from benchmarks.node_load import Target, node_process
from benchmarks.safe_heads import wait_until_safe
from rollup.load.job import Job, Outcome
from rollup.load.process import GeneratorProcess
from rollup.load.scene import Scene, sender_keys
from rollup.load.usage import usage_of
from rollup.load.workloads import WORKLOADS, Shape

_SENDERS: Final = 64
_FUNDS: Final = 100 * 10**18  # wei per sender


@dataclass(frozen=True, slots=True)
class Row:
    """One run. Rates per second, CPU in µs per transaction, memory in MB, shares of one core."""

    workload: str
    batch: int
    count: int
    per_second: float
    cpu: float
    cpu_until_included: float
    generator_share: float
    memory: float
    blocks: int
    is_whole: bool


def main(arguments: list[str] | None = None) -> int:
    """Measures the workloads of the command line."""
    parser = Parser(prog="benchmarks.end_to_end", description=__doc__)
    parser.add_argument("--workloads", default="infer,transfer", help=f"some of {','.join(WORKLOADS)}")
    parser.add_argument("--count", type=positive, default=6_400, help="transactions per run")
    parser.add_argument("--runs", type=positive, default=3, help="measured runs per workload")
    parser.add_argument("--batch", type=positive, default=100, help="transactions per request")
    parser.add_argument("--connections", type=positive, default=32, help="HTTP connections")
    parser.add_argument("--contributors", type=positive, default=100, help="contributors of the model")
    parser.add_argument("--node", default="", help="more options of `openrollup run`, separated by spaces")
    options = parser.parse_args(arguments)
    names = options.workloads.split(",")
    if unknown := [name for name in names if name not in WORKLOADS]:
        parser.error(f"no workload {unknown[0]!r}; there is {', '.join(WORKLOADS)}")
    node = ["--block-time=1", "--l1-block-time=2", "--gas-limit=500000000", *options.node.split()]
    with tempfile.TemporaryDirectory(prefix="openrollup-bench-") as name, node_process(Path(name), *node) as target:
        for workload in names:
            rows = list(_runs(target, workload, options))
            _show(
                {"workload": workload, "median per second": statistics.median(row.per_second for row in rows[1:])}
                | {"median CPU µs": statistics.median(row.cpu for row in rows[1:])}
            )
    return 0


def _runs(target: Target, workload: str, options: Namespace) -> Iterator[Row]:
    scene = Scene(target.l2)
    keys = sender_keys(_SENDERS)
    scene.fund(keys, _FUNDS)
    calls = WORKLOADS[workload].prepare(scene, keys, Shape(options.contributors))
    for number in range(options.runs + 1):
        job = Job(
            target.l2, scene.chain_id, keys, scene.nonces(keys), tuple(calls), options.count,
            connections=options.connections, batch=options.batch,
        )  # fmt: skip
        outcome, cpu, after = _measured(target, scene, job)
        row = Row(
            workload, options.batch, outcome.sent, round(outcome.per_second, 1),
            round((cpu[1]) / outcome.sent * 1e6, 1),
            round((cpu[0]) / outcome.sent * 1e6, 1),
            round(outcome.generator_share, 2), round(after / 1e6, 1), len(outcome.blocks), outcome.is_whole,
        )  # fmt: skip
        _show(
            {"run": number or "warm-up"}
            | {name: getattr(row, name) for name in row.__slots__}
            | {"refused": outcome.refused}
        )
        yield row


def _measured(target: Target, scene: Scene, job: Job) -> tuple[Outcome, tuple[float, float], int]:
    """One run: the server's CPU seconds until all is included and until all is safe, and its resident bytes."""
    assert target.process_id is not None
    server = target.process_id
    seen = []

    def on_included() -> None:
        seen.append(usage_of(server).cpu)
        wait_until_safe(scene, Scene(target.verifier))
        seen.append(usage_of(server).cpu)

    with GeneratorProcess(job) as generator:
        before = usage_of(server).cpu
        outcome = generator.run(on_included=on_included)
    return outcome, (seen[0] - before, seen[1] - before), usage_of(server).resident


def _show(row: dict[str, Any]) -> None:
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    sys.exit(main())
