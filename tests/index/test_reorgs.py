"""After any reorganisations, restarts and losses the index equals one built fresh from the canonical chain."""

import asyncio
import sqlite3
import subprocess
import sys
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.cooperative import Turns
from rollup.index.costs import BlockCosts
from rollup.index.index import IndexUnavailable
from tests.index.chains import TIME, Lab, Life, dump


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    moves=st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), min_size=6, max_size=14),
)
def test_random_chains_with_reorgs_leave_the_index_of_the_canonical_chain(seed, moves):
    lab = Lab()
    life = Life(lab, seed)
    for _ in range(4):
        lab.block(life.calls(5))
    lab.index.update()
    for depth, is_read, is_finalized in moves:
        number = max(lab.chain.finalized.number, lab.chain.head.number - max(0, depth - 3))
        parent = lab.chain.block_by_number(number)
        if parent.hash != lab.chain.head.hash:
            lab.chain.set_head(parent.hash)
        lab.block(life.calls(4))
        if is_read:
            assert lab.index.update()
        if is_finalized and depth > 5:
            lab.chain.set_labels(finalized=lab.chain.block_by_number(lab.chain.head.number - 1).hash)
    assert lab.index.update()
    fresh = lab.new_index()
    fresh.update()
    assert dump(lab.index) == dump(fresh)
    assert lab.index.tip == fresh.tip == (lab.chain.head.number, lab.chain.head.hash)


def test_a_chain_back_at_its_genesis_leaves_nothing():
    lab = Lab()
    empty = dump(lab.index)
    life = Life(lab, 1)
    for _ in range(5):
        lab.block(life.calls(5))
    lab.index.update()
    assert dump(lab.index) != empty
    lab.chain.set_head(lab.chain.genesis.hash)
    assert lab.index.update()
    assert dump(lab.index) == empty


def test_a_reorg_below_what_was_final_builds_it_again():
    lab = Lab()
    life = Life(lab, 2)
    blocks = [lab.block(life.calls(5)) for _ in range(8)]
    lab.chain.set_labels(safe=blocks[5].hash, finalized=blocks[5].hash)
    lab.index.update()
    lab.chain.set_head(blocks[2].hash)
    lab.block(life.calls(5))
    assert lab.index.update()
    fresh = lab.new_index()
    fresh.update()
    assert dump(lab.index) == dump(fresh)


def test_a_killed_process_goes_on_where_its_last_write_ended(tmp_path):
    lab = Lab(path=tmp_path / "attribution.sqlite")
    life = Life(lab, 3)
    for _ in range(6):
        lab.block(life.calls(5))
    assert lab.index.update()
    tip = lab.index.tip
    lab.block(life.calls(5))
    lab.index._ingest.block(lab.chain.head, lab.chain.receipts(lab.chain.head.hash), _costs(lab))
    lab.index.database.execute("BEGIN IMMEDIATE")
    for table in lab.index.rows.tables:
        table.write()  # half a batch is written, nothing is committed: the process is killed here
    lab.index.close()
    again = lab.new_index(tmp_path / "attribution.sqlite")
    assert again.tip == tip
    assert again.update()
    fresh = lab.new_index()
    fresh.update()
    assert dump(again) == dump(fresh)


def _costs(lab):
    return BlockCosts(lab.config, lab.chain.head)


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be read as one" * 50])
def test_a_file_that_is_not_an_index_is_built_again(tmp_path, content):
    path = tmp_path / "attribution.sqlite"
    path.write_bytes(content)
    lab = Lab(path=path)
    life = Life(lab, 4)
    for _ in range(4):
        lab.block(life.calls(5))
    assert lab.index.update()
    fresh = lab.new_index()
    fresh.update()
    assert dump(lab.index) == dump(fresh)


def test_an_index_of_another_chain_is_built_again(tmp_path):
    path = tmp_path / "attribution.sqlite"
    first = Lab("native", path)
    life = Life(first, 5)
    for _ in range(4):
        first.block(life.calls(5))
    first.index.update()
    first.index.close()
    other = Lab(path=path, timestamp=TIME + 2)
    assert other.index.tip == (0, other.chain.genesis.hash)
    assert not dump(other.index)["inference"]


def test_the_work_can_be_done_in_pieces():
    lab = Lab()
    life = Life(lab, 6)
    for _ in range(8):
        lab.block(life.calls(5))
    pieces = 1
    while not lab.index.update(seconds=0):
        pieces += 1
    assert pieces == 8
    fresh = lab.new_index()
    fresh.update()
    assert dump(lab.index) == dump(fresh)


def test_a_database_error_raises_and_recovers(tmp_path):
    lab = Lab(path=tmp_path / "attribution.sqlite")
    lab.block(Life(lab, 7).calls(5))
    blocker = sqlite3.connect(tmp_path / "attribution.sqlite", isolation_level=None)
    lab.index.database.execute("PRAGMA busy_timeout = 0")
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(IndexUnavailable, match="locked"):
        lab.index.update()
    blocker.execute("ROLLBACK")
    assert lab.index.update()


_CHILD = """
import sys
from pathlib import Path
from tests.index.chains import Lab, Life

lab = Lab(path=Path(sys.argv[1]))
life = Life(lab, 8)
for _ in range(40):
    lab.block(life.calls(5))
while not lab.index.update(seconds=0):
    print(lab.index.tip[0], flush=True)
"""


@pytest.mark.parametrize("lines", [1, 7, 20])
def test_sigkill_at_any_block_leaves_a_file_that_can_be_gone_on_with(tmp_path, lines):
    path = tmp_path / "attribution.sqlite"
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    read = [int(child.stdout.readline()) for _ in range(lines)]
    child.kill()
    child.wait()
    child.stdout.close()
    lab = Lab()
    life = Life(lab, 8)
    for _ in range(40):
        lab.block(life.calls(5))
    again = lab.new_index(path)
    assert again.tip[0] >= read[-1] == lines, "every block reported as written is in the file"
    assert again.tip[1] == lab.chain.canonical_hash(again.tip[0])
    assert again.update()
    lab.index.update()
    assert dump(again) == dump(lab.index)


def suspended(index, rounds):
    """Starts an update whose every check point ends a turn, and has it given so many turns."""
    turns = Turns(lambda ticks=count(): float(next(ticks)))

    async def start():
        task = asyncio.create_task(turns.change(index.update, 4))
        for _ in range(rounds):
            await asyncio.sleep(0)
        return task

    return start()


@pytest.mark.parametrize("rounds", [5, 20, 40, 60, 80, 100])
async def test_a_reorg_in_the_middle_of_an_update_leaves_the_index_of_the_canonical_chain(rounds):
    lab = Lab()
    life = Life(lab, 9)
    blocks = [lab.block(life.calls(5)) for _ in range(6)]
    task = await suspended(lab.index, rounds)
    lab.block(life.calls(4), parent=blocks[2], seconds=4)
    lab.block(life.calls(4))
    await task
    assert lab.index.update()
    fresh = lab.new_index()
    fresh.update()
    assert dump(lab.index) == dump(fresh)


@pytest.mark.parametrize("rounds", [5, 20, 40, 60, 80, 100])
async def test_an_update_that_is_cancelled_at_a_check_point_has_written_nothing_of_its_batch(rounds):
    lab = Lab()
    life = Life(lab, 10)
    for _ in range(6):
        lab.block(life.calls(5))
    tip, before = lab.index.tip, dump(lab.index)
    task = await suspended(lab.index, rounds)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (lab.index.tip, dump(lab.index)) == (tip, before)
    assert lab.index.update()
    fresh = lab.new_index()
    fresh.update()
    assert dump(lab.index) == dump(fresh)
