"""How fast the attribution precompile is: python -m benchmarks.attribution

Inferences and credits a second in the bare hot loop (decode, split, credit, log) on the dict host and inside a block
(inference_blocks.py), microseconds and gas per call, nanoseconds per gas compared with EVM opcodes on the same machine
(native_prices.py), and a line profile of the loop.
"""

import io
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from line_profiler import LineProfiler
from rich.console import Console
from rich.progress import track
from rich.table import Table

from attribution_precompile import (
    DictHost,
    abi,
    dict_host,
    dispatch,
    execute,
    inference,
    ledger,
    models,
    records,
)
from benchmarks.command_line import Parser
from benchmarks.inference_blocks import BlockMeasurement, measure_blocks
from benchmarks.inferences import Workload, attested_workload, workloads
from benchmarks.native_prices import GAS, GasPrice, call_prices, opcode_prices

ENTRIES: Final = (1, 4, 32)
CONTRIBUTORS: Final = (1, 100, 10_000, 100_000)
GAS_PRICE_CONTRIBUTORS: Final = 100


@dataclass(frozen=True, slots=True)
class Measurement:
    """The median of several rounds."""

    workload: str
    entries: int
    contributors: int
    gas: int
    microseconds: float
    inferences_per_second: float
    credits_per_second: float
    nanoseconds_per_gas: float


def prepare(workload: Workload) -> DictHost:
    """A host in the workload's state, after one call: every slot it writes is non-zero from then on."""
    host = DictHost(storage=dict(workload.storage), timestamp=1_700_000_000)
    run_once(host, workload)
    return host


def run_once(host: DictHost, workload: Workload) -> int:
    """One transaction's worth: all cold; returns its gas."""
    host.begin()
    host.enter(workload.caller, workload.value, GAS)
    execute(host, workload.calldata)
    return GAS - host.gas


def measure(workload: Workload, *, calls: int, rounds: int = 5) -> Measurement:
    """The bare hot loop, in rounds of `calls` calls."""
    host = prepare(workload)
    gas = run_once(host, workload)
    calldata, caller, value = workload.calldata, workload.caller, workload.value
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(calls):
            host.begin()
            host.enter(caller, value, GAS)
            execute(host, calldata)
        times.append((time.perf_counter() - started) / calls)
    seconds = statistics.median(times)
    return Measurement(
        workload.name,
        workload.entries,
        workload.contributors,
        gas,
        seconds * 1e6,
        1 / seconds,
        workload.credits / seconds,
        seconds * 1e9 / gas,
    )


def priced(entries: int) -> Iterator[tuple[Workload, dict[int, int]]]:
    """The calls whose gas is compared with opcodes, each with a state in which it was made before."""
    for workload in workloads(entries, GAS_PRICE_CONTRIBUTORS):
        yield workload, prepare(workload).storage
    attested = attested_workload(entries, GAS_PRICE_CONTRIBUTORS)
    yield attested, attested.storage


HOT_LOOP: Final[tuple[Callable[..., Any], ...]] = (
    dispatch.execute,
    abi.decode_words,
    inference.infer,
    inference._infer,
    models.load_model,
    inference.check_fee,
    inference.pay_and_record,
    ledger.distribute,
    ledger._pay_level,
    ledger.pay_weights,
    ledger.pay_pool,
    ledger.credit,
    records.record_inference,
    dict_host.DictHost.mapping,
    dict_host.DictHost.sload,
    dict_host.DictHost.sstore,
    dict_host.DictHost.log,
)


def profile(calls: int) -> str:
    """The hot loop line by line: `infer` at the default weight of one DataNet of 100 contributors."""
    workload = next(workloads(1, 100))
    host = prepare(workload)
    profiler = LineProfiler(*HOT_LOOP)
    profiler.enable_by_count()
    for _ in range(calls):
        run_once(host, workload)
    profiler.disable_by_count()
    text = io.StringIO()
    profiler.print_stats(stream=text, output_unit=1e-6, stripzeros=True)
    root = str(Path(__file__).resolve().parents[1]) + "/"
    return text.getvalue().replace(root, "")


def _print(
    console: Console, measured: list[Measurement], blocks: list[BlockMeasurement], prices: list[GasPrice]
) -> None:
    table = Table(title="The bare hot loop, one core", title_justify="left")
    headings = ("call", "entries", "contributors", "gas", "µs", "inferences/s", "credits/s", "ns/gas")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "call" else "right")
    for m in measured:
        table.add_row(
            m.workload,
            f"{m.entries}",
            f"{m.contributors:,}",
            f"{m.gas:,}",
            f"{m.microseconds:.1f}",
            f"{m.inferences_per_second:,.0f}",
            f"{m.credits_per_second:,.0f}",
            f"{m.nanoseconds_per_gas:.2f}",
        )
    console.print(table)
    headings = ("call", "entries", "contributors", "gas", "µs", "of it executing", "inferences/s", "credits/s")
    table = Table(title="Inside a block, one core: signed transaction to kept block", title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "call" else "right")
    for b in blocks:
        table.add_row(
            b.workload,
            f"{b.entries}",
            f"{b.contributors:,}",
            f"{b.gas:,}",
            f"{b.microseconds:.1f}",
            f"{b.execution_microseconds:.1f}",
            f"{b.inferences_per_second:,.0f}",
            f"{b.credits_per_second:,.0f}",
        )
    console.print(table)
    table = Table(title="Time per unit of gas, compared with EVM opcodes", title_justify="left")
    for heading in ("what", "on", "gas", "ns/gas", "ratio to its opcodes"):
        table.add_column(heading, justify="left" if heading in ("what", "on") else "right")
    for p in prices:
        table.add_row(p.what, p.machine, f"{p.gas:,}", f"{p.ns_per_gas:.2f}", f"{p.ratio:.2f}" if p.against else "")
    console.print(table)


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(prog="benchmarks.attribution", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="small states and few calls, to see that it runs")
    parser.add_output()
    options = parser.parse_args(arguments)
    folder = parser.output_folder(options)
    contributors = CONTRIBUTORS[:2] if options.quick else CONTRIBUTORS
    calls = 200 if options.quick else 4_000
    console = Console(stderr=True)
    load = os.getloadavg()[0]
    cases = [(k, n) for k in ENTRIES for n in contributors]
    measured = [
        measure(workload, calls=max(100, calls // k))
        for k, n in track(cases, "measuring", console=console, disable=options.json, transient=True)
        for workload in workloads(k, n)
    ]
    blocks = [
        measurement
        for k, n in track(cases, "building blocks", console=console, disable=options.json, transient=True)
        for measurement in measure_blocks(
            k, n, size=50 if options.quick else max(100, 1_000 // k), rounds=1 if options.quick else 3
        )
    ]
    times = 5 if options.quick else 200
    prices = [
        *opcode_prices(times),
        *(
            price
            for k in track(ENTRIES, "pricing gas", console=console, disable=options.json, transient=True)
            for workload, storage in priced(k)
            for price in call_prices(workload, storage, times)
        ),
    ]
    (folder / "attribution_profile.txt").write_text(profile(calls))
    report = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
        "hot_loop": [asdict(m) for m in measured],
        "in_a_block": [asdict(b) for b in blocks],
        "ns_per_gas": [{**asdict(price), "ratio": price.ratio} for price in prices],
    }
    (folder / "attribution.json").write_text(json.dumps(report, indent=1) + "\n")
    if options.json:
        print(json.dumps(report))
    else:
        console = Console()
        _print(console if console.is_terminal else Console(width=120), measured, blocks, prices)
    return 0


if __name__ == "__main__":
    sys.exit(main())
