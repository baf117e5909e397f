"""Native inferences inside blocks: signed transactions, through decoding, senders, BlockBuilder and the store."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from attribution_precompile import ADDRESS_BYTES, RUNTIME_CODE
from benchmarks.inferences import Workload as Inference
from benchmarks.inferences import workloads
from benchmarks.rollup_chain import RollupChain
from benchmarks.workloads import Workload
from rollup.execution.genesis_account import GenesisAccount
from rollup.protocol.call import Call
from rollup.store.kv import MemoryStore

_CALLS = ("infer", "inferCompact")  # those anybody may make
_GAS = 1_000_000


@dataclass(frozen=True, slots=True)
class BlockMeasurement:
    """The median of several blocks, a call: gas is the whole transaction's, microseconds the whole block's work."""

    workload: str
    entries: int
    contributors: int
    size: int
    gas: int
    microseconds: float
    execution_microseconds: float
    inferences_per_second: float
    credits_per_second: float


def measure_blocks(entries: int, contributors: int, *, size: int, rounds: int) -> Iterator[BlockMeasurement]:
    """Blocks of `size` inferences each, over one state for all kinds of call."""
    for made in workloads(entries, contributors):
        if made.name in _CALLS:
            yield _measure(made, size, rounds)


def _measure(made: Inference, size: int, rounds: int) -> BlockMeasurement:
    account = GenesisAccount(0, 1, RUNTIME_CODE, made.storage)
    call = Call(ADDRESS_BYTES, made.value, made.calldata, _GAS)
    workload = Workload(made.name, lambda _: call, {ADDRESS_BYTES: account})
    chain = RollupChain(workload.alloc(), MemoryStore())
    # The first block writes slots that were zero: it is not measured.
    first, *others = workload.blocks(1 + rounds, size)
    chain.run(first)
    stages = [chain.run(block) for block in others]
    seconds = statistics.median(stage.total for stage in stages) / size
    return BlockMeasurement(
        made.name,
        made.entries,
        made.contributors,
        size,
        chain.gas_used // size,
        seconds * 1e6,
        statistics.median(stage.execute for stage in stages) / size * 1e6,
        1 / seconds,
        made.credits / seconds,
    )
