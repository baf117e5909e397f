"""eth_getLogs over 100,000 blocks, with the index of logs and without it, and what the index costs a block.

python -m benchmarks.log_search [BLOCKS]: every hundredth block has a log of a contract that is asked for, every block
has one of another contract.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from rollup.execution.chain import Chain
from rollup.execution.log_index import LOGS, LogIndex
from rollup.execution.state.changes import StateChanges
from rollup.protocol.block import Block, ExecutedBlock
from rollup.protocol.bloom import logs_bloom
from rollup.protocol.header import Header
from rollup.protocol.primitives import keccak256
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import deposit_transaction
from rollup.rpc.log_query import LogQuery
from rollup.rpc.log_search import LogSearch
from rollup.store.interface import WriteBatch
from rollup.store.kv import LmdbStore

RARE, COMMON = b"\x01" * 20, b"\x02" * 20
TOPIC = keccak256(b"Transfer(address,address,uint256)")
_DEPOSIT = deposit_transaction(
    source_hash=bytes(32), sender=RARE, to=RARE, mint=None, value=0, gas_limit=1, is_system=False, data=b""
)


def logs_of_block(number: int) -> list[Log]:
    """One log of the common contract, and in every hundredth block one of the rare one."""
    logs = [Log(COMMON, (TOPIC, keccak256(number.to_bytes(8, "big"))), bytes(32))]
    return logs if number % 100 else [*logs, Log(RARE, (TOPIC,), bytes(32))]


def grow(chain: Chain, count: int) -> float:
    """Adds blocks; seconds that it took to make them the head, one by one."""
    staged = chain.states.stage(chain.head.header.state_root, StateChanges())
    seconds = 0.0
    for _ in range(count):
        parent = chain.head
        logs = logs_of_block(parent.number + 1)
        header = Header(
            parent_hash=parent.hash,
            number=parent.number + 1,
            state_root=parent.header.state_root,
            base_fee_per_gas=1,
            logs_bloom=logs_bloom(logs),
        )
        block = Block(header, [_DEPOSIT])
        chain.insert(ExecutedBlock(block, [Receipt(2, 1, 0, 0, logs)]), staged)
        began = perf_counter()
        chain.set_head(block.hash)
        seconds += perf_counter() - began
    return seconds


class _NoIndex(LogIndex):
    """A chain as it was before the index."""

    def add(self, batch: WriteBatch, height: int, receipts: Sequence[Receipt]) -> None:
        """Writes nothing."""

    def covers(self, height: int) -> bool:
        """False: every header is read."""
        del height
        return False


def timed(search: Callable[[], None]) -> float:
    """Milliseconds."""
    began = perf_counter()
    search()
    return 1_000 * (perf_counter() - began)


def measure(folder: Path, count: int, index: Callable[[LmdbStore], LogIndex]) -> None:
    """Makes a chain in a folder and prints what it takes."""
    store = LmdbStore.open(folder)
    chain = Chain.open(store, Header(base_fee_per_gas=1), {})
    chain.logs = index(store)
    per_block = 1e6 * grow(chain, count) / count
    name = index.__name__.strip("_")
    size = store.stat().get(LOGS, {"bytes": 0})["bytes"]
    print(f"{name}: {per_block:.0f} us per move of the head, {size / count:.0f} bytes per block in the index")
    queries = {
        "an unknown address": LogQuery(frozenset({b"\x03" * 20})),
        "an address of every hundredth block": LogQuery(frozenset({RARE})),
        "a topic of one block": LogQuery(topics=(None, frozenset({keccak256((77).to_bytes(8, "big"))}))),
    }
    for label, query in queries.items():
        cold = Chain.open(store, Header(base_fee_per_gas=1), {})
        cold.logs = index(store)
        search = LogSearch(cold, query)
        took = timed(lambda search=search: search.canonical(0, count))  # type: ignore[misc]
        print(f"{name}: {label}: {took:.0f} ms, {len(search.found)} logs")
    store.close()


def main() -> None:
    """Both chains in one run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for index in (_NoIndex, LogIndex):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), count, index)


if __name__ == "__main__":
    main()
