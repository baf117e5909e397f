"""From a signed inference to a re-derived block: python -m benchmarks.spine

One process, stores in memory, a clock that jumps: signed inferences go into the L2's pool, the sequencer builds blocks,
the batcher posts them to the L1, which mines, and a verifier that reads nothing but L1 derives and executes the same
blocks. Inferences a second of each phase, and where its time goes, a stage a line. The L2 blocks are 2 s apart and take
what their gas allows; everything is run once as a warm-up before it is measured.
"""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from attribution_precompile import ADDRESS_BYTES, SELECTORS, abi
from benchmarks.command_line import Parser, positive
from benchmarks.stage_clock import Probe, StageClock
from derivation.pipeline import Pipeline
from rollup.clock import ManualClock
from rollup.execution import engine as engine_module
from rollup.execution.block_builder import BlockBuilder
from rollup.execution.chain import Chain
from rollup.l1 import kzg
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.l1.miner import MockL1
from rollup.node.assembly import open_l1, open_l2
from rollup.pool import mempool as mempool_module
from rollup.pool.errors import PoolError
from rollup.pool.mempool import Mempool
from rollup.protocol.accounts import BATCHER, DevAccount
from rollup.protocol.call import Call
from rollup.protocol.fees import forget_compressed_sizes
from rollup.protocol.keys import address_of_key
from rollup.protocol.primitives import keccak256
from rollup.protocol.transaction import Transaction
from rollup.store.kv import MemoryStore
from sequencer.batcher import channel_builder
from sequencer.batcher.batcher import Batcher
from sequencer.batcher.config import BatcherConfig
from sequencer.sequencer import Sequencer

GENESIS_TIME: Final = 1_700_000_000
GWEI, ETHER = 10**9, 10**18
SENDERS, CONTRIBUTORS = 50, 100
PHASES: Final = ("ingested", "built", "posted", "derived")

PROBES: Final = [
    Probe(mempool_module, "decode", "decode"),
    Probe(engine_module, "_decode_all", "decode"),
    Probe(engine_module, "recover_senders", "recover senders"),
    Probe(Transaction, "_recover", "recover senders"),
    Probe(BlockBuilder, "apply", "execute"),
    Probe(BlockBuilder, "_stage_state", "state root"),
    Probe(BlockBuilder, "_transactions_root", "transactions root"),
    Probe(BlockBuilder, "_receipts_root", "receipts and bloom"),
    Probe(BlockBuilder, "_logs_bloom", "receipts and bloom"),
    Probe(Chain, "insert", "store"),
    Probe(Chain, "set_head", "store"),
    Probe(Mempool, "on_head_change", "pool follows the head"),
    Probe(channel_builder, "encode_span_batch", "span batch"),
    Probe(channel_builder, "compress", "compress"),
    Probe(kzg, "blob_to_commitment", "KZG"),
    Probe(kzg, "blob_proof", "KZG"),
    Probe(kzg, "verify_blobs", "KZG"),
    Probe(MockL1, "mine", "L1 block"),
    Probe(Pipeline, "next_attributes", "read channels and batches"),
    Probe(Pipeline, "advance", "read channels and batches"),
]


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: inferences per second, and µs per inference by stage, the longest first."""

    name: str
    inferences_per_second: float
    stages: dict[str, float]


class Spine:
    """Both layers, a sequencer with its batcher, and a verifier."""

    def __init__(self, da: str) -> None:
        self.senders = [_account(index) for index in range(SENDERS)]
        params = DevnetParams(
            GENESIS_TIME, users=tuple(self.senders), l2_gas_limit=60_000_000, user_balance=10**6 * ETHER
        )
        self.devnet = devnet = make_devnet(params)
        self.config = devnet.rollup_config
        self.clock = ManualClock(GENESIS_TIME)
        l1 = open_l1(Chain.open(MemoryStore(), devnet.l1.header, devnet.l1.alloc), devnet, self.clock)
        self.l1, source = l1.miner, l1.source
        self.chain = Chain.open(MemoryStore(), devnet.l2.header, devnet.l2.alloc)
        l2 = open_l2(self.chain, devnet.l2_config, self.config, source, source, now=self.clock.now)
        assert l2.pool is not None
        self.pool, self.safe = l2.pool, l2.derivation
        self.sequencer = Sequencer(self.config, l2.engine, source, self.clock, pool=self.pool)
        options = BatcherConfig(da=da)  # type: ignore[arg-type]  # checked by the command line
        self.batcher = Batcher(self.config, self.chain, l1.client, BATCHER.private_key, self.safe, options)
        self.verifier_chain = Chain.open(MemoryStore(), devnet.l2.header, devnet.l2.alloc)
        self.verifier = open_l2(self.verifier_chain, devnet.l2_config, self.config, source, source).derivation
        self.nonces = [0] * SENDERS

    def prepare(self) -> None:
        """A model on a DataNet of a hundred contributors, made by transactions."""
        for data in _setup_calls():
            self.submit([self.sign(0, data, 0, 9_000_000)])
            self.build()
        self.post()
        self.derive()

    def sign(self, sender: int, data: bytes, value: int, gas: int) -> bytes:
        """A call of the precompile, encoded."""
        key, nonce = self.senders[sender].private_key, self.nonces[sender]
        self.nonces[sender] += 1
        call = Call(ADDRESS_BYTES, value, data, gas)
        return call.signed(key, nonce, self.config.l2_chain_id, 100 * GWEI, GWEI).encode()

    def inferences(self, count: int) -> list[bytes]:
        """Signed inferences from all senders in turn."""
        calls = [_call("infer", 1, 700, 300, 2**255 + index, 2**254 + index) for index in range(count)]
        return [self.sign(index % SENDERS, data, ETHER // 100, 200_000) for index, data in enumerate(calls)]

    def submit(self, raws: list[bytes]) -> None:
        """Into the pool; raises RuntimeError when one is refused."""
        for result in self.pool.add_many(raws):
            if isinstance(result, PoolError):
                raise RuntimeError(str(result))

    def build(self) -> None:
        """Blocks until the pool is empty."""
        while True:
            self.clock.set(max(self.clock.now(), self.sequencer.next_block_time))
            if self.l1.is_due():
                self.l1.mine()
            block = self.sequencer.build_block()
            if len(block.transactions) == 1:
                return

    def post(self) -> None:
        """Everything there is, in L1's chain."""
        target = self.chain.head.number
        for _ in range(50):
            self.batcher.flush()
            self.batcher.step()
            self.clock.set(max(self.clock.now(), self.l1.next_block_time))
            self.l1.mine()
            self.batcher.step()
            if (self.batcher.posted_to or 0) >= target and not self.batcher.waiting_for:
                return
            self.safe.sync()
        raise RuntimeError(f"not posted: {self.batcher.waiting_for}")

    def derive(self) -> None:
        """The verifier to L1's head; raises RuntimeError when it holds other blocks than the sequencer."""
        target = self.chain.head.number
        while self.verifier.safe_head.number < target:
            before = self.verifier.safe_head.number
            self.verifier.sync()
            if self.verifier.safe_head.number == before:
                self.clock.set(max(self.clock.now(), self.l1.next_block_time))
                self.l1.mine()
        if self.verifier.safe_head.hash != self.chain.canonical_hash(self.verifier.safe_head.number):
            raise RuntimeError("the verifier derived another block")

    def paid_after(self, first: int) -> int:
        """The number of inferences in the blocks after `first` that succeeded."""
        paid = 0
        for number in range(first + 1, self.chain.head.number + 1):
            receipts = self.chain.receipts(self.chain.canonical_hash(number) or b"") or []
            paid += sum(receipt.status for receipt in receipts[1:])
        return paid


def measure(inferences: int, da: str) -> list[Phase]:
    """Every phase over so many inferences, after a warm-up."""
    clock = StageClock()
    with clock.watching(PROBES):
        spine = Spine(da)
        spine.prepare()
        _round(spine, clock, max(inferences // 10, SENDERS))
        forget_compressed_sizes()
        return _round(spine, clock, inferences)


def _round(spine: Spine, clock: StageClock, inferences: int) -> list[Phase]:
    raws = spine.inferences(inferences)
    verbs = {
        "ingested": lambda: spine.submit(raws),
        "built": spine.build,
        "posted": spine.post,
        "derived": spine.derive,
    }
    first = spine.chain.head.number
    phases = []
    for name in PHASES:
        clock.seconds.clear()
        with clock.stage("rest"):
            verbs[name]()
        if name == "posted":
            spine.safe.sync()
        total = sum(clock.seconds.values())
        ordered = sorted(clock.seconds.items(), key=lambda item: item[0] == "rest" or -item[1])
        stages = {stage: seconds / inferences * 1e6 for stage, seconds in ordered}
        phases.append(Phase(name, inferences / total, stages))
    paid = spine.paid_after(first)
    if paid != inferences:
        raise RuntimeError(f"{paid} of {inferences} inferences were paid")
    return phases


def _setup_calls() -> list[bytes]:
    members: list[int] = []
    for index in range(CONTRIBUTORS):
        members += (2**80 + index, 1 + index % 7, index)
    model = (0, 0, 0, 1_000, 0, 0, 3_000, 0, 7_000, 320, 1, 1, 1)
    return [
        _call("createDatanet", 1),
        _call("contribute", 1, 64, CONTRIBUTORS, *members),
        _call("registerModel", 32, *model),
    ]


def _call(name: str, *words: int) -> bytes:
    return _SELECTOR[name] + abi.encode_words(*words)


_SELECTOR = {method.name: selector for selector, method in SELECTORS.items()}


def _account(index: int) -> DevAccount:
    key = keccak256(b"spine" + index.to_bytes(4, "big"))
    return DevAccount(index, address_of_key(key), key)


def _print(console: Console, phases: list[Phase]) -> None:
    table = Table(title="From a signed inference to a re-derived block", title_justify="left")
    for heading in ("phase", "stage", "µs per inference", "share", "inferences/s"):
        table.add_column(heading, justify="left" if heading in ("phase", "stage") else "right")
    for phase in phases:
        total = sum(phase.stages.values())
        table.add_row(phase.name, "", f"{total:.1f}", "", f"{phase.inferences_per_second:,.0f}", style="bold")
        for stage, microseconds in phase.stages.items():
            if microseconds < total / 200:
                continue
            table.add_row("", stage, f"{microseconds:.1f}", f"{microseconds / total:.0%}", "")
    console.print(table)
    everything = sum(sum(phase.stages.values()) for phase in phases)
    console.print(
        f"all phases one after the other: {everything:.0f} µs per inference, {1e6 / everything:,.0f} per second"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(prog="benchmarks.spine", description=__doc__)
    parser.add_argument("--inferences", type=positive, default=5_000, help="how many are measured")
    parser.add_argument("--da", choices=("calldata", "blobs", "auto"), default="auto", help="how batches are posted")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_output()
    options = parser.parse_args(arguments)
    folder = parser.output_folder(options)
    load = os.getloadavg()[0]
    phases = measure(options.inferences, options.da)
    report: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
        "inferences": options.inferences,
        "da": options.da,
        "phases": [asdict(phase) for phase in phases],
    }
    (folder / "spine.json").write_text(json.dumps(report, indent=1) + "\n")
    if options.json:
        print(json.dumps(report))
    else:
        console = Console()
        _print(console if console.is_terminal else Console(width=100), phases)
    return 0


if __name__ == "__main__":
    sys.exit(main())
