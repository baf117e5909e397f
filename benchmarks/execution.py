"""Execution side by side with py-evm as shipped: python -m benchmarks.execution

A thousand transactions of one kind in a block, through py-evm (with coincurve, safe-pysha3 and rusty-rlp installed) and
through our engine in turn, from encoded bytes to a stored block; where our time goes, a stage a column; and real blocks
replayed on their witness, if --blocks names a folder of them.
"""

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.command_line import Parser, positive
from benchmarks.py_evm_chain import PyEvmChain
from benchmarks.rollup_chain import RollupChain, Stages
from benchmarks.workloads import Workload, all_workloads
from rollup.execution.replay import find_cases, load_case, replay
from rollup.protocol.fees import forget_compressed_sizes
from rollup.store.kv import LmdbStore


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians over blocks; transactions and millions of gas per second, and our stages in µs per transaction."""

    workload: str
    transactions: int
    gas: int  # a transaction
    py_evm_per_second: float
    ours_per_second: float
    ratio: float
    py_evm_mgas_per_second: float
    ours_mgas_per_second: float
    ours_without_fast_path_per_second: float
    stages: dict[str, float]


@dataclass(frozen=True, slots=True)
class Replayed:
    """A real block on its witness."""

    name: str
    fork: str
    transactions: int
    gas: int
    seconds: float
    mgas_per_second: float
    equal: bool


def compare(workload: Workload, size: int, rounds: int, directory: Path) -> Comparison:
    """Both chains on the same signed blocks, in turn; the first block is a warm-up. Raises RuntimeError when their
    gas, or what the recipients hold, differs."""
    blocks = workload.blocks(rounds + 1, size)
    alloc = workload.alloc()
    theirs = PyEvmChain(alloc, workload.needs_native)
    ours = RollupChain(alloc, LmdbStore.open(directory / "fast"))
    slow = RollupChain(alloc, LmdbStore.open(directory / "slow"))
    their_times, our_stages, slow_times, gas = [], [], [], 0
    for number, block in enumerate(blocks):
        started = time.perf_counter()
        gas = theirs.run(block)
        their_time = time.perf_counter() - started
        forget_compressed_sizes()
        stages = ours.run(block)
        forget_compressed_sizes()
        slow_stages = slow.run(block, fast=False)
        if not gas == ours.gas_used == slow.gas_used:
            raise RuntimeError(f"{workload.name}: py-evm used {gas} gas, ours {ours.gas_used} and {slow.gas_used}")
        if ours.chain.head.hash != slow.chain.head.hash:
            raise RuntimeError(f"{workload.name}: the fast path made another block")
        if number:
            their_times.append(their_time)
            our_stages.append(stages)
            slow_times.append(slow_stages.total)
    _check_equal(workload, theirs, ours)
    our_time = statistics.median(stages.total for stages in our_stages)
    their_time = statistics.median(their_times)
    return Comparison(
        workload=workload.name,
        transactions=size,
        gas=gas // size,
        py_evm_per_second=size / their_time,
        ours_per_second=size / our_time,
        ratio=their_time / our_time,
        py_evm_mgas_per_second=gas / their_time / 1e6,
        ours_mgas_per_second=gas / our_time / 1e6,
        ours_without_fast_path_per_second=size / statistics.median(slow_times),
        stages={
            stage.name: statistics.median(getattr(stages, stage.name) for stages in our_stages) / size * 1e6
            for stage in fields(Stages)
        },
    )


def _check_equal(workload: Workload, theirs: PyEvmChain, ours: RollupChain) -> None:
    for address, account in workload.accounts.items():
        if theirs.balance(address) != ours.balance(address):
            raise RuntimeError(f"{workload.name}: balance of 0x{address.hex()} differs")
        for slot in list(account.storage)[:100]:
            if theirs.storage(address, slot) != ours.storage(address, slot):
                raise RuntimeError(f"{workload.name}: slot {slot:#x} of 0x{address.hex()} differs")


def replay_blocks(folder: Path) -> list[Replayed]:
    """Every block of a folder in the exec_blocks format; loading and decoding the witness is not counted."""
    results = []
    for path in find_cases([folder]):
        result = replay(load_case(path))
        results.append(
            Replayed(
                result.name,
                result.fork.name.lower(),
                result.transactions,
                result.gas_used,
                result.seconds,
                result.gas_used / result.seconds / 1e6,
                result.equal,
            )
        )
    return results


def _print(console: Console, compared: list[Comparison], replayed: list[Replayed]) -> None:
    headings = ("kind", "gas", "py-evm tx/s", "ours tx/s", "ratio", "py-evm Mgas/s", "ours Mgas/s", "no fast path tx/s")
    table = _table("Encoded bytes to a stored block", headings)
    for row in compared:
        table.add_row(
            row.workload,
            f"{row.gas:,}",
            f"{row.py_evm_per_second:,.0f}",
            f"{row.ours_per_second:,.0f}",
            f"{row.ratio:.1f}",
            f"{row.py_evm_mgas_per_second:.1f}",
            f"{row.ours_mgas_per_second:.1f}",
            f"{row.ours_without_fast_path_per_second:,.0f}",
        )
    console.print(table)
    stages = [stage.name for stage in fields(Stages)]
    table = _table("Our time by stage, µs per transaction", ("kind", *(name.replace("_", " ") for name in stages)))
    for row in compared:
        table.add_row(row.workload, *(f"{row.stages[name]:.1f}" for name in stages))
    console.print(table)
    if not replayed:
        return
    table = _table("Real blocks on their witness", ("block", "fork", "txs", "gas", "ms", "Mgas/s", "hash"))
    for block in replayed:
        table.add_row(
            block.name,
            block.fork,
            f"{block.transactions}",
            f"{block.gas:,}",
            f"{block.seconds * 1e3:,.0f}",
            f"{block.mgas_per_second:.1f}",
            "equal" if block.equal else "DIFFERS",
        )
    console.print(table)


def _table(title: str, headings: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left")
    return table


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(prog="benchmarks.execution", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--size", type=positive, default=1_000, help="transactions per block")
    parser.add_argument("--rounds", type=positive, default=3, help="measured blocks of each kind")
    parser.add_argument("--only", default="", help="kinds whose name has this in it")
    parser.add_argument("--blocks", type=Path, help="folder of real blocks in the exec_blocks format")
    parser.add_output()
    options = parser.parse_args(arguments)
    folder = parser.output_folder(options)
    chosen = [workload for workload in all_workloads() if options.only in workload.name]
    if not chosen:
        names = ", ".join(workload.name for workload in all_workloads())
        parser.error(f"--only {options.only!r} is in no name; there are: {names}")
    progress = Console(stderr=True)
    load = os.getloadavg()[0]
    compared = []
    for workload in chosen:
        if not options.json:
            progress.print(f"measuring {workload.name} …")
        with tempfile.TemporaryDirectory() as directory:
            rounds = min(options.rounds, workload.rounds)
            compared.append(compare(workload, options.size, rounds, Path(directory)))
    replayed = replay_blocks(options.blocks) if options.blocks else []
    report: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
        "side_by_side": [asdict(row) for row in compared],
        "replay": [asdict(block) for block in replayed],
    }
    (folder / "execution.json").write_text(json.dumps(report, indent=1) + "\n")
    if options.json:
        print(json.dumps(report))
    else:
        console = Console()
        _print(console if console.is_terminal else Console(width=140), compared, replayed)
    return 0 if all(block.equal for block in replayed) else 1


if __name__ == "__main__":
    sys.exit(main())
