"""SIGKILL at random points while blocks are written: the chain reopens at the last head announced, or the next one."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from rollup.execution.chain import Chain
from rollup.execution.state.database import FLAT_ACCOUNTS, FLAT_STORAGE, NODES, REFERENCES
from rollup.execution.state.trie import Trie
from rollup.protocol.primitives import keccak256, rlp_decode
from tests.store.chain_writer import HISTORY, open_chain

ROOT = Path(__file__).parents[2]


def run_and_kill(path: Path, seed: int, lines: int) -> list[tuple[int, str]]:
    """Lets a writer announce some heads, kills it somewhere in the next one's writing, and gives all announced."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.store.chain_writer", str(path), str(seed)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert writer.stdout is not None
    announced = [writer.stdout.readline() for _ in range(lines)]
    # Spin, not sleep: a random part of a block's few milliseconds.
    for _ in range(random.Random(seed).randrange(120_000)):
        pass
    writer.kill()
    announced += writer.stdout.readlines()
    writer.wait()
    whole = [line.split() for line in announced if line.endswith(b"\n")]
    return [(int(number), block_hash.decode()) for number, block_hash in whole]


def check(path: Path, announced: list[tuple[int, str]]) -> None:
    chain = open_chain(path)
    number, block_hash = announced[-1]
    # The kill may come after a head was written and before it was announced: then the head is one further, or on a
    # branch.
    assert chain.block(bytes.fromhex(block_hash)) is not None
    assert number <= chain.head.number <= number + 1
    if chain.head.number == number + 1:
        assert chain.head.header.parent_hash.hex() == block_hash
    for height in range(max(0, chain.head.number - HISTORY), chain.head.number + 1):
        header = chain.header_by_number(height)
        assert header is not None
        everything = dict(Trie(chain.states._nodes, header.state_root).items())
        assert everything
    check_flat(chain)
    check_nodes(chain)
    chain.store.close()


def check_flat(chain: Chain) -> None:
    """The flat copy holds exactly what the head's tries hold."""
    store, states = chain.store, chain.states
    root = chain.head.header.state_root
    accounts = {keccak256(key): value for key, value in store.scan(FLAT_ACCOUNTS)}
    assert accounts == dict(Trie(states._nodes, root).items())
    slots = {}
    for address, data in store.scan(FLAT_ACCOUNTS):
        for key, value in Trie(states._nodes, rlp_decode(data)[2]).items():
            slots[address + key] = rlp_decode(value)
    assert slots == dict(store.scan(FLAT_STORAGE))


def check_nodes(chain: Chain) -> None:
    """No node is kept that no block within the history needs, and each is counted right."""
    store, states = chain.store, chain.states
    kept = {key for key, _ in store.scan(NODES)}
    used: set[bytes] = set()
    for _, header in store.scan("headers"):
        root = rlp_decode(header)[3]
        if root not in kept:
            continue
        places: list[bytes] = []
        for _, data in Trie(states._nodes, root).items(places):
            list(Trie(states._nodes, rlp_decode(data)[2]).items(places))
        used |= set(places)
    assert kept == used
    assert {key for key, _ in store.scan(REFERENCES)} <= kept


def kill_often(path: Path, times: int, seed: int) -> None:
    r = random.Random(seed)
    for turn in range(times):
        announced = run_and_kill(path, seed + turn, r.randrange(1, 12))
        check(path, announced)


def test_four_kills(tmp_path: Path) -> None:
    kill_often(tmp_path / "db", 4, 1)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_hundred_kills(tmp_path: Path) -> None:
    kill_often(tmp_path / "db", 100, 1000)
