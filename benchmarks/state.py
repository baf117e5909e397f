"""The cost of state: a root update per account by the size of the state, compared with HexaryTrie; writes; memory.

python -m benchmarks.state [--sizes 10000,100000,1000000] [--lmdb DIRECTORY] [--json]
"""

import json
import random
import resource
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from trie import HexaryTrie

from benchmarks.command_line import Parser, positive_list
from rollup.execution.chain import Chain
from rollup.execution.state.account import Account
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.changes import StateChanges
from rollup.execution.state.database import StateDatabase
from rollup.protocol.block import Block, ExecutedBlock
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, keccak256
from rollup.store.kv import LmdbStore, MemoryStore, Store

_UPDATES = 1_000  # accounts a block
_BLOCKS = 5
_ORACLE_UPDATES = 200


@dataclass(slots=True)
class Measurement:
    """Medians over blocks of 1,000 updated accounts; µs of CPU per account unless said."""

    accounts: int
    store: str
    journal: float  # reading and writing an account's balance
    root: float  # stage(): encoding, tries, hashing
    root_alone: float  # the same for blocks that update one account, where no path is shared
    insert: float
    set_head: float
    hexary_trie: float
    resident_mib: float  # of the process, at its highest


@dataclass(slots=True, frozen=True)
class _Entry:
    balance: int
    nonce: int
    code: bytes
    storage: dict[int, int]


def measure(count: int, store: Store, name: str) -> Measurement:
    """One size on one store."""
    addresses = [keccak256(index.to_bytes(8, "big"))[:20] for index in range(count)]
    alloc = {address: _Entry(10**18 + index, 1, b"", {}) for index, address in enumerate(addresses)}
    chain = Chain.open(store, Header(state_root=_root_of(alloc), base_fee_per_gas=1), alloc)
    del alloc
    rng = random.Random(count)
    blocks = [_extend(chain, rng.sample(addresses, _UPDATES)) for _ in range(_BLOCKS)]
    journal, root, insert, set_head = (_median(list(series)) / _UPDATES * 1e6 for series in zip(*blocks, strict=True))
    alone = _alone(chain, rng.sample(addresses, _ORACLE_UPDATES))
    oracle = _hexary_trie(chain, addresses, rng)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return Measurement(count, name, journal, root, alone, insert, set_head, oracle, peak)


def _root_of(alloc: dict[bytes, _Entry]) -> bytes:
    changes = StateChanges({address: Account(entry.nonce, entry.balance) for address, entry in alloc.items()})
    return StateDatabase(MemoryStore()).stage(EMPTY_TRIE_ROOT, changes).root


def _extend(chain: Chain, addresses: list[bytes]) -> list[float]:
    parent = chain.head
    marks = [time.process_time()]
    accounts = AccountDatabase(chain.state_at(parent.hash))
    for address in addresses:
        accounts.set_balance(address, accounts.get_balance(address) + 1)
    changes = accounts.changes()
    marks.append(time.process_time())
    staged = chain.states.stage(parent.header.state_root, changes)
    marks.append(time.process_time())
    header = Header(parent_hash=parent.hash, number=parent.number + 1, state_root=staged.root, base_fee_per_gas=1)
    block = Block(header)
    chain.insert(ExecutedBlock(block, []), staged)
    marks.append(time.process_time())
    chain.set_head(block.hash)
    marks.append(time.process_time())
    return [later - earlier for earlier, later in pairwise(marks)]


def _alone(chain: Chain, addresses: list[bytes]) -> float:
    parent_root = chain.head.header.state_root
    reader = chain.state_at(chain.head.hash)
    times = []
    for address in addresses:
        account = reader.account(address)
        assert account is not None
        changes = StateChanges({address: account._replace(balance=account.balance + 1)})
        start = time.process_time()
        chain.states.stage(parent_root, changes)
        times.append(time.process_time() - start)
    return _median(times) * 1e6


class _Nodes(dict[bytes, bytes]):
    """HexaryTrie's database: what it writes, over the chain's nodes."""

    def __init__(self, states: StateDatabase) -> None:
        super().__init__()
        self._states = states

    def __missing__(self, key: bytes) -> bytes:
        node = self._states.node(key)
        if node is None:
            raise KeyError(key)
        return node

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and (super().__contains__(key) or self._states.node(key) is not None)


def _hexary_trie(chain: Chain, addresses: list[bytes], rng: random.Random) -> float:
    """Makes the same kind of update through py-trie, whose root must equal ours."""
    root = chain.head.header.state_root
    reader = chain.state_at(chain.head.hash)
    after = {}
    for address in rng.sample(addresses, _ORACLE_UPDATES):
        account = reader.account(address)
        assert account is not None
        after[address] = account._replace(balance=account.balance + 1)
    trie = HexaryTrie(_Nodes(chain.states), root)
    start = time.process_time()
    for address, account in after.items():
        trie[keccak256(address)] = account.encode()
    spent = time.process_time() - start
    if chain.states.stage(root, StateChanges(dict(after))).root != trie.root_hash:
        raise AssertionError("the roots differ")
    return spent / _ORACLE_UPDATES * 1e6


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = Parser(prog="benchmarks.state", description=__doc__)
    parser.add_argument("--sizes", type=positive_list, default="10000,100000,1000000", help="accounts")
    parser.add_argument("--lmdb", type=Path, help="an empty directory; a temporary one when absent")
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    options = parser.parse_args(arguments)
    if options.lmdb is not None and not options.lmdb.is_dir():
        parser.error(f"--lmdb {options.lmdb}: not a folder")
    results = []
    for size in options.sizes:
        results.append(measure(size, MemoryStore(), "memory"))
        with tempfile.TemporaryDirectory(dir=options.lmdb) as folder:
            store = LmdbStore.open(Path(folder) / "state")
            results.append(measure(size, store, "lmdb"))
            store.close()
    if options.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
        return
    print(
        "accounts   store   journal    root   alone  insert  set_head  HexaryTrie  peak MiB   (µs of CPU per account)"
    )
    for r in results:
        print(
            f"{r.accounts:>8,}  {r.store:>6}  {r.journal:8.2f} {r.root:7.2f} {r.root_alone:7.2f} {r.insert:7.2f} "
            f"{r.set_head:9.2f} {r.hexary_trie:11.1f} {r.resident_mib:9.0f}"
        )


if __name__ == "__main__":
    main()
