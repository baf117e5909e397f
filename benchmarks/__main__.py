"""The suite: this node and its peers under the same load over JSON-RPC, in the same run.

    python -m benchmarks --quick        under two minutes on a quiet machine
    python -m benchmarks --full         under thirty

The report is written after each case, so that a run that is cut off leaves the figures that it has.

Peers come from npm: the variable NODE_PACKAGES names the folder of node_modules. A peer that is not installed is named
and left out. The servers listen on loopback and end with the program.
"""

import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Final

from rich.console import Console

from benchmarks import peers
from benchmarks.command_line import Parser, positive
from benchmarks.comparison import Case, Runner, Side
from benchmarks.report import Report, load_average, machine
from rollup.load.job import LoadError
from rollup.load.workloads import Shape

OURS, INSTANT = "openrollup", "openrollup --instant"
ANVIL, AUTOMINE, INTERVAL, HARDHAT = "anvil no-mining", "anvil automine", "anvil 1 s", "hardhat"

THROUGHPUT: Final = [
    Case("100 contributors, batches of 100, instant blocks", Side(INSTANT, "infer"), Side(ANVIL, "credit loop"),
         must=2.5, aim=4),
    Case("100 contributors, batches of 100, instant blocks", Side(INSTANT, "infer"), Side(ANVIL, "pool accumulator"),
         must=1.2, aim=2),
    Case("value transfers, batches of 100, instant blocks", Side(INSTANT, "transfer"), Side(ANVIL, "transfer"),
         must=1.4, aim=2.2),
    Case("ERC-20 transfers, batches of 100, instant blocks", Side(INSTANT, "erc20"), Side(ANVIL, "erc20"),
         must=0.35, aim=0.7),
    Case("100 contributors, one request each, 1 s blocks", Side(OURS, "infer"), Side(ANVIL, "credit loop"),
         batch=1, must=1.5, aim=2.2),
    Case("value transfers, one request each, 1 s blocks", Side(OURS, "transfer"), Side(ANVIL, "transfer"),
         batch=1, must=0.8, aim=1.2),
    Case("100 contributors, batches of 100, 1 s blocks", Side(OURS, "infer"), Side(ANVIL, "credit loop")),
    Case("value transfers, batches of 100, 1 s blocks", Side(OURS, "transfer"), Side(ANVIL, "transfer")),
]  # fmt: skip
OTHER_PEERS: Final = [
    Case("100 contributors, one at a time, instant blocks", Side(INSTANT, "infer"), Side(AUTOMINE, "credit loop"),
         batch=1, connections=1, part=0.03, must=3),
    Case("100 contributors, batches of 100, instant blocks", Side(INSTANT, "infer"), Side(HARDHAT, "credit loop"),
         peer_part=0.1, must=50),
    Case("100 contributors, the whole twin, instant blocks", Side(INSTANT, "infer"), Side(ANVIL, "Solidity twin")),
    Case("100 contributors, batches of 100, 1 s blocks", Side(OURS, "infer"), Side(INTERVAL, "credit loop")),
]  # fmt: skip
GROWTH: Final = [
    Case(f"{count:,} contributors", Side(OURS, workload, Shape(count)), None)
    for workload in ("infer", "infer-compact") for count in (1, 100, 10_000, 100_000)
]  # fmt: skip

TABLES: Final = {
    "throughput": ("Ours and anvil, end to end", THROUGHPUT),
    "peers": ("Ours and other peers, end to end", OTHER_PEERS),
    "contributors": ("Inferences by the number of contributors", GROWTH),
}  # --quick makes the first, --full all of them


def _tables(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in TABLES]:
        raise ArgumentTypeError(f"no such table: {', '.join(unknown)}")
    return names


def main(arguments: list[str] | None = None) -> int:
    """Runs the suite."""
    parser = Parser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few transactions and runs")
    parser.add_argument("--full", action="store_true", help="every table, and more runs")
    parser.add_argument("--count", type=positive, help="transactions per run")
    parser.add_argument("--runs", type=positive, help="measured runs per case")
    parser.add_argument("--tables", type=_tables, help="only these, separated by commas: " + ", ".join(TABLES))
    parser.add_argument("--node", default="", help="more options of `openrollup run`, separated by spaces")
    parser.add_output()
    options = parser.parse_args(arguments)
    if options.quick and options.full:
        parser.error("give --quick or --full, not both")
    folder = parser.output_folder(options)
    count = options.count or (3_200 if options.quick else 12_800 if options.full else 6_400)
    runs = options.runs or (2 if options.quick else 5)
    suite = _Suite(count, runs, tuple(options.node.split()))
    names = options.tables or list(TABLES)[: 1 if options.quick else 3 if options.full else 2]
    try:
        for name in names:
            title, cases = TABLES[name]
            suite.table(Report(folder, name, title, suite.facts()), cases)
    except LoadError as error:
        suite.console.print(f"Error: {error}", markup=False, highlight=False)
        return 1
    return 0


class _Suite:
    """Runs the cases of tables. Only the servers that a case needs run with it, and those that a later case needs."""

    def __init__(self, count: int, runs: int, node: tuple[str, ...]) -> None:
        self.console = Console()
        self._count, self._runs, self._node = count, runs, node
        self._started = time.monotonic()
        self._load = load_average()
        self._running: dict[str, ExitStack] = {}

    def facts(self) -> dict[str, Any]:
        """Facts about the run that a reader of the report needs."""
        return {
            "machine": machine(),
            "load average before": self._load,
            "peers": peers.versions(),
            "node options": " ".join((*peers.OURS, *self._node)),
            "transactions per run": self._count,
            "runs": self._runs,
        }

    def table(self, report: Report, cases: Sequence[Case]) -> None:
        """Runs the cases whose servers can be started, and writes the report after each of them."""
        runner, left = Runner(self._count, self._step), list(cases)
        done = 0
        try:
            while left:
                case = left[0]
                self._end_all_but({name for item in left for name in item.servers})
                missing = self._start(case.servers, runner)
                if missing:
                    left = [item for item in left if missing.isdisjoint(item.servers)]
                    continue
                report.add(runner.run(case, self._runs), done + len(left))
                done, left = done + 1, left[1:]
        finally:
            self._end_all_but(set())
        for path in report.paths if done else ():
            self.console.print(f"wrote {path}", markup=False, highlight=False)
        self.console.print(report.markdown(), markup=False, highlight=False)

    def _start(self, names: Sequence[str], runner: Runner) -> set[str]:
        """Starts servers that do not run yet; returns the names of those that are not installed."""
        missing = set()
        for name in names:
            if name in self._running:
                continue
            with ExitStack() as stack:
                try:
                    runner.use(stack.enter_context(self._server(name)))
                except peers.Missing as problem:
                    self.console.print(f"LEFT OUT: {problem}", style="bold yellow", markup=False, highlight=False)
                    missing.add(name)
                else:
                    self._running[name] = stack.pop_all()
        return missing

    def _end_all_but(self, names: set[str]) -> None:
        for name in self._running.keys() - names:
            self._running.pop(name).close()

    def _step(self, text: str) -> None:
        self.console.print(f"{time.monotonic() - self._started:6.0f} s  {text}", markup=False, highlight=False)

    def _server(self, name: str) -> AbstractContextManager[peers.Server]:
        if name == OURS:
            return peers.ours(name, self._node)
        if name == INSTANT:
            return peers.ours(name, ("--instant", *self._node))
        if name == HARDHAT:
            return peers.hardhat(name)
        return peers.anvil(name, {ANVIL: ("--no-mining",), INTERVAL: ("--block-time", "1"), AUTOMINE: ()}[name])


if __name__ == "__main__":
    sys.exit(main())
