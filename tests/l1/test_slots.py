"""L1's time grid and the randomness that stands in for validators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.l1.slots import BeaconSeed, SlotError, SlotGrid

times = st.integers(0, 2**40)
lengths = st.integers(1, 600)


@given(times, lengths, st.integers(0, 2**30))
def test_a_slot_starts_at_its_time_and_lasts_to_the_next(genesis: int, length: int, slot: int):
    grid = SlotGrid(genesis, length)
    start = grid.time_of(slot)
    assert grid.slot_at(start) == slot
    assert grid.slot_at(start + length - 1) == slot
    assert grid.next_time(start) == grid.next_time(start + length - 1) == start + length
    assert grid.first_time_from(start) == start
    assert grid.first_time_from(start + 1) == (start + length if length > 1 else start + 1)
    assert grid.check(start + length, start) == start + length


@given(times, lengths, st.integers(-(2**30), 2**30))
def test_a_time_is_taken_only_on_the_grid_and_after_its_parent(genesis: int, length: int, offset: int):
    grid = SlotGrid(genesis, length)
    parent = grid.time_of(3)
    if offset > 0 and offset % length == 0:
        assert grid.check(parent + offset, parent) == parent + offset
    else:
        with pytest.raises(SlotError):
            grid.check(parent + offset, parent)


def test_no_slot_exists_before_genesis():
    with pytest.raises(SlotError, match="before L1 genesis"):
        SlotGrid(100, 12).slot_at(99)
    assert SlotGrid(100, 12).first_time_from(5) == 100
    with pytest.raises(ValueError, match="at least 1 second"):
        SlotGrid(100, 0)


def test_seed_branch_number_and_purpose_each_change_what_is_drawn():
    drawn = {
        BeaconSeed(seed, branch).prev_randao(number) for seed in (0, 1, -1) for branch in (0, 1) for number in (1, 11)
    } | {BeaconSeed(0).beacon_root(1), BeaconSeed(0).beacon_root(2)}
    assert len(drawn) == 14
    assert all(len(value) == 32 and any(value) for value in drawn)
    assert BeaconSeed(5, 2).prev_randao(9) == BeaconSeed(5, 2).prev_randao(9)
