"""Runs the same load on a node with one process and on a node with front processes, in turn.

    python -m benchmarks.processes --processes 2

Both nodes run with verifier and batcher, in memory, with 1 s blocks. The last case is one client that waits for each
answer, so its rate is the latency of a request.
"""

import sys
from contextlib import ExitStack
from typing import Final

from benchmarks import peers
from benchmarks.command_line import Parser, positive
from benchmarks.comparison import Case, Result, Runner, Side, median
from rollup.load.job import LoadError

ONE: Final = "one process"
FRONTS: Final = "front processes"
CASES: Final = [
    Case("inferences, batches of 100", Side(FRONTS, "infer"), Side(ONE, "infer")),
    Case("transfers, batches of 100", Side(FRONTS, "transfer"), Side(ONE, "transfer")),
    Case("inferences, one request each", Side(FRONTS, "infer"), Side(ONE, "infer"), batch=1),
    Case("transfers, one request each", Side(FRONTS, "transfer"), Side(ONE, "transfer"), batch=1),
]


def main(arguments: list[str] | None = None) -> int:
    """Runs the cases and prints a table."""
    parser = Parser(prog="benchmarks.processes", description=__doc__)
    parser.add_argument("--processes", default="auto", help="of the node with front processes")
    parser.add_argument("--count", type=positive, default=6_400, help="transactions per run")
    parser.add_argument("--runs", type=positive, default=3, help="measured runs per case")
    parser.add_argument("--node", default="", help="more options of `openrollup run` for both, separated by spaces")
    options = parser.parse_args(arguments)
    more = tuple(options.node.split())
    try:
        with ExitStack() as stack:
            runner = Runner(options.count, lambda step: print(step, file=sys.stderr))
            for name, processes in ((ONE, 1), (FRONTS, options.processes)):
                runner.use(stack.enter_context(peers.ours(name, (*more, f"--processes={processes}"))))
            print("| case | one process, tx/s | with fronts | ratio | CPU µs per tx, one | with fronts |")
            print("|---|---|---|---|---|---|")
            for case in CASES:
                print(_row(runner.run(case, options.runs)), flush=True)
    except LoadError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def _row(result: Result) -> str:
    rates = [median(samples, "per_second") for samples in (result.peer, result.ours)]
    cpu = [median(samples, "cpu") for samples in (result.peer, result.ours)]
    cells = [
        result.case.name,
        *(f"{rate:,.0f}" for rate in rates),
        f"{result.ratio:.2f}",
        *(f"{one:.0f}" for one in cpu),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
