"""Clocks go forward only."""

import time

import pytest

from rollup.clock import ManualClock, SystemClock


def test_a_manual_clock_moves_only_when_told_to():
    clock = ManualClock(100)
    assert clock.now() == clock.now() == 100
    clock.advance(1.5)
    assert clock.now() == 101.5
    clock.set(200)
    assert clock.now() == 200


@pytest.mark.parametrize("clock", [ManualClock(100), SystemClock()], ids=["manual", "system"])
def test_no_clock_goes_back(clock):
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="does not go back"):
        ManualClock(100).set(99)


def test_the_system_clock_is_the_machines_plus_its_offset():
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 5
    before = clock.now()
    clock.advance(3600)
    assert 3600 <= clock.now() - before < 3605
