"""The safe head history: kept over restarts and kills, and never behind what was announced."""

from contextlib import contextmanager

import pytest

from derivation.driver import Progress
from derivation.safe_heads import SafeHeads, SafeRecord
from rollup.protocol.blockref import BlockId
from rollup.store.kv import MemoryStore
from tests.scenarios.actors import World


class Killed(BaseException):
    """The process ends here."""


class MortalStore(MemoryStore):
    """A store after whose n-th write the process is killed."""

    writes_left = None

    @contextmanager
    def write(self):
        with super().write() as batch:
            yield batch
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left < 0:
                raise Killed


def history(verifier, to):
    """The safe head as of each L1 block."""
    answers = []
    for number in range(to + 1):
        record = verifier.derivation.safe_head_at_l1(number)
        answers.append(None if record is None else (record.derived_from.number, record.l2.number, record.l2.hash))
    return answers


def test_before_the_first_batch_the_safe_head_is_genesis():
    world = World()
    verifier = world.new_verifier()
    verifier.derive()
    assert history(verifier, 0) == [(0, 0, world.devnet.l2.header.hash)]
    world.run_epochs(4)
    verifier.derive()
    assert history(verifier, 0) == [(0, 0, world.devnet.l2.header.hash)]
    assert verifier.derivation.safe_head_at_l1(10**6).l2.number == verifier.safe.number > 0


def test_the_history_is_the_same_after_a_restart():
    world, store = World(), MemoryStore()
    verifier = world.new_verifier(store)
    for _ in range(12):
        world.run_epochs()
        verifier.derive()
    before = history(verifier, world.l1.head.number)
    assert len(set(before)) > 4
    assert verifier.finalized.number > 0
    again = world.new_verifier(store)
    assert history(again, world.l1.head.number) == before
    again.derive()
    assert history(again, world.l1.head.number) == before


@pytest.fixture(scope="module")
def world():
    """A chain of 12 L1 blocks with batches, of which the older ones are final."""
    made = World()
    made.run_epochs(12)
    return made


@pytest.mark.parametrize("writes", [0, 1, 2, 3, 4, 7, 11, 20])
def test_safe_is_never_below_what_was_announced_after_kills_in_a_row(world, writes):
    """Each run is killed after a number of writes, wherever that is."""
    store, announced = MortalStore(), 0
    for _ in range(30):
        verifier = world.new_verifier(store)
        assert verifier.safe.number >= announced
        store.writes_left = writes
        try:
            while verifier.derivation.step() is not Progress.IDLE:
                assert verifier.safe.number >= announced
                announced = verifier.safe.number
        except Killed:
            store.writes_left = None
    store.writes_left = None
    verifier = world.new_verifier(store)
    verifier.derive()
    assert verifier.finalized.number > 0
    verifier.must_equal(world.sequencer, safe=verifier.safe.number)
    fresh = world.new_verifier()
    fresh.derive()
    assert history(verifier, world.l1.head.number) == history(fresh, world.l1.head.number)


def test_an_l1_reorganisation_takes_its_records_with_it():
    world = World()
    verifier = world.new_verifier()
    for _ in range(6):
        world.run_epochs()
        verifier.derive()
    before = history(verifier, world.l1.head.number)
    world.l1.reorg(2, [()] * 4)
    verifier.derive()
    after = history(verifier, world.l1.head.number)
    assert after[: len(before) - 2] == before[:-2]
    assert {answer[0] for answer in after[len(before) - 2 :]} == {before[-3][0]}


def test_the_newest_record_of_an_l1_block_counts():
    heads = SafeHeads(MemoryStore())
    l1, l2 = [BlockId(bytes([n]) * 32, n) for n in range(5)], [BlockId(bytes([99 - n]) * 32, n) for n in range(9)]
    records = [SafeRecord(l2[0], l1[0]), SafeRecord(l2[3], l1[2]), SafeRecord(l2[5], l1[2]), SafeRecord(l2[7], l1[4])]
    for record in records:
        heads.record(record)
    assert [heads.at_l1(number).l2.number for number in range(6)] == [0, 0, 5, 5, 7, 7]
    heads.drop_after(records[1])
    assert list(heads.newest_first()) == records[1::-1]
    heads.drop_after(None)
    assert heads.at_l1(9) is None
