"""A running node collects garbage rarely, and leaves the collector as it found it."""

import gc
import weakref

import pytest

from rollup.node.schedule import collecting_rarely


class Knot:
    """An object in a cycle."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def unfrozen(frozen_by_tests):
    """Nothing is frozen, as in a program that has just started."""
    gc.unfreeze()


def test_collections_are_rarer_while_a_node_runs_and_as_before_afterwards(unfrozen):
    before = gc.get_threshold()
    with collecting_rarely():
        assert gc.get_threshold() > before
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_a_collection_of_the_second_generation_walks_through_few_objects():
    with collecting_rarely():
        new, younger, _ = gc.get_threshold()
    # A generation is collected when the younger one was more often than the threshold.
    assert new * (younger + 2) <= 110_000


def test_a_node_that_fails_leaves_the_collector_as_it_was(unfrozen):
    before = gc.get_threshold()
    with pytest.raises(RuntimeError), collecting_rarely():
        raise RuntimeError
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_a_program_that_froze_its_objects_keeps_them_and_no_others_frozen(unfrozen):
    gc.freeze()
    frozen = gc.get_freeze_count()
    with collecting_rarely():
        new = Knot()
        assert gc.get_freeze_count() <= frozen
    assert 0 < gc.get_freeze_count() <= frozen
    assert any(item is new for item in gc.get_objects())


def test_cycles_are_still_collected():
    with collecting_rarely():
        seen = weakref.ref(Knot())
        kept = [[] for _ in range(gc.get_threshold()[0] + 1)]
        assert seen() is None
        assert kept
