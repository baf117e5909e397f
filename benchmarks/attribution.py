"""How fast the attribution precompile is: python -m benchmarks.attribution

Inferences and credits a second in the bare hot loop (decode, split, credit, log) on the dict host and inside a block
(inference_blocks.py), microseconds and gas a call, nanoseconds per gas beside those of EVM opcodes on the same machine,
and a line profile of the loop.
"""

import argparse
import io
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES, PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth.vm.message import Message
from line_profiler import LineProfiler
from rich.console import Console
from rich.progress import track
from rich.table import Table

from attribution_precompile import (
    ADDRESS_BYTES,
    NATIVE_CODE,
    DictHost,
    abi,
    dict_host,
    dispatch,
    execute,
    inference,
    ledger,
    records,
)
from attribution_precompile.twin import RUNTIME_CODE
from benchmarks.inference_blocks import BlockMeasurement, measure_blocks
from benchmarks.inferences import PAYER, Workload, workloads
from rollup.execution.attribution_host import AttributionComputation, AttributionState, attribution_precompile

ENTRIES: Final = (1, 4, 32)
CONTRIBUTORS: Final = (1, 100, 10_000, 100_000)
RESULTS: Final = Path(__file__).parent / "results"

GAS: Final = 10**8


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


class _NativeComputation(AttributionComputation, PragueComputation):  # type: ignore[misc]
    _precompiles = {**PRAGUE_PRECOMPILES, ADDRESS_BYTES: attribution_precompile}  # noqa: RUF012


class _NativeState(AttributionState, PragueState):  # type: ignore[misc]
    computation_class = _NativeComputation


def _state(kind: type[PragueState]) -> Any:
    context = ExecutionContext(bytes(20), 1_700_000_000, 1, 0, bytes(32), 10**9, (), 901, 1, 0)
    return kind(AtomicDB(), context, BLANK_ROOT_HASH)


def _per_gas(state: Any, to: bytes, data: bytes, value: int, calls: int) -> tuple[float, int]:
    """Nanoseconds per gas of a message call on py-evm, and its gas."""
    caller = PAYER.to_bytes(20, "big")
    state.set_balance(caller, 10**40)
    context = CancunTransactionContext(gas_price=1, origin=caller)
    times, gas = [], 0
    for _ in range(calls):
        state.lock_changes()
        state.mark_address_warm(to)
        message = Message(GAS, to, caller, value, data, state.get_code(to))
        started = time.perf_counter()
        computation = state.computation_class.apply_message(state, message, context)
        times.append(time.perf_counter() - started)
        if computation.is_error:
            raise RuntimeError(f"the call failed: {computation.error!r}")
        gas = computation.get_gas_used()
    return statistics.median(times) * 1e9 / gas, gas


def _repeat(body: bytes, times: int) -> bytes:
    return body * times


# Straight-line programs of one kind of opcode each. PUSH1 x is 60 xx, POP is 50.
OPCODES: Final[dict[str, bytes]] = {
    "ADD (PUSH, PUSH, ADD, POP)": _repeat(bytes.fromhex("600160020150"), 500),
    "KECCAK256 of 64 bytes": _repeat(bytes.fromhex("604060002050"), 300),
    "SLOAD, cold": b"".join(bytes.fromhex("61") + i.to_bytes(2, "big") + bytes.fromhex("5450") for i in range(200)),
    "SLOAD, warm": _repeat(bytes.fromhex("60005450"), 300),
    "SSTORE, a first change": b"".join(
        bytes.fromhex("5a61") + i.to_bytes(2, "big") + bytes.fromhex("55") for i in range(1, 200)
    ),
    "LOG2 of 64 bytes": _repeat(bytes.fromhex("6001600260406000a2"), 200),
}


def compare_gas(calls: int) -> list[tuple[str, float, int]]:
    """Rows of (what, nanoseconds per gas, gas) through py-evm: opcodes, the twin, and the native precompile."""
    rows = []
    for name, code in OPCODES.items():
        state = _state(PragueState)
        address = b"\xee" * 20
        state.set_code(address, code)
        per_gas, gas = _per_gas(state, address, b"", 0, calls)
        rows.append((name, per_gas, gas))
    workload = next(workloads(1, 100))
    for name, kind, code in (
        ("infer, the twin's bytecode", PragueState, RUNTIME_CODE),
        ("infer, native through py-evm", _NativeState, NATIVE_CODE),
    ):
        state = _state(kind)
        state.set_nonce(ADDRESS_BYTES, 1)
        state.set_code(ADDRESS_BYTES, code)
        for slot, word in prepare(workload).storage.items():
            state.set_storage(ADDRESS_BYTES, slot, word)
        per_gas, gas = _per_gas(state, ADDRESS_BYTES, workload.calldata, workload.value, calls)
        rows.append((name, per_gas, gas))
    return rows


HOT_LOOP: Final[tuple[Callable[..., Any], ...]] = (
    dispatch.execute,
    abi.decode_words,
    inference.infer,
    inference._infer_plain,
    inference.check_fee,
    inference.pay_and_record,
    ledger.distribute,
    ledger._pay_level,
    ledger.pay_weights,
    ledger.pay_pool,
    ledger.credit,
    records.record_inference,
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
    console: Console, measured: list[Measurement], blocks: list[BlockMeasurement], rows: list[tuple[str, float, int]]
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
    table = Table(title="Beside EVM opcodes, through py-evm", title_justify="left")
    for heading in ("what", "gas", "ns/gas"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for name, per_gas, gas in rows:
        table.add_row(name, f"{gas:,}", f"{per_gas:.1f}")
    console.print(table)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.attribution", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="small states and few calls, to see that it runs")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results and the profile go")
    options = parser.parse_args(arguments)
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
    rows = compare_gas(5 if options.quick else 40)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "attribution_profile.txt").write_text(profile(calls))
    report = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
        "hot_loop": [asdict(m) for m in measured],
        "in_a_block": [asdict(b) for b in blocks],
        "ns_per_gas": [{"what": name, "ns_per_gas": per_gas, "gas": gas} for name, per_gas, gas in rows],
    }
    (options.out / "attribution.json").write_text(json.dumps(report, indent=1) + "\n")
    if options.json:
        print(json.dumps(report))
    else:
        console = Console()
        _print(console if console.is_terminal else Console(width=120), measured, blocks, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
