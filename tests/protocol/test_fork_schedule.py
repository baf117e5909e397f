"""A fork schedule in a person's words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.protocol.forks import Fork, ForkSchedule

GENESIS = 1_700_000_000


@pytest.mark.parametrize("fork", Fork, ids=lambda fork: fork.name.lower())
def test_a_single_fork_name_is_the_newest_fork_at_genesis(fork):
    schedule = ForkSchedule.parse(fork.name.lower(), GENESIS)
    assert schedule == ForkSchedule.all_at(fork)
    assert schedule.at(GENESIS) == fork


def test_later_forks_have_their_seconds_after_genesis_and_bring_those_between():
    schedule = ForkSchedule.parse("Granite, isthmus+20,karst+61", GENESIS)
    assert (schedule.granite, schedule.holocene, schedule.isthmus) == (0, GENESIS + 20, GENESIS + 20)
    assert (schedule.jovian, schedule.karst) == (GENESIS + 61, GENESIS + 61)
    assert [schedule.at(GENESIS + after) for after in (0, 19, 20, 60, 61)] == [
        *(Fork.GRANITE, Fork.GRANITE, Fork.ISTHMUS, Fork.ISTHMUS, Fork.KARST)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "unknown fork ''"),
        ("london", "unknown fork 'london': one of bedrock, regolith"),
        ("holocene,", "unknown fork ''"),
        ("holocene+20", "the first fork is genesis's"),
        ("holocene,isthmus", "+SECONDS"),
        ("holocene,isthmus+", "whole seconds"),
        ("holocene,isthmus+soon", "whole seconds"),
        ("holocene,isthmus+-1", "whole seconds"),
        ("holocene,isthmus+1.5", "whole seconds"),
        ("holocene,isthmus+²", "whole seconds"),
        ("holocene,isthmus+99999999999", "whole seconds"),
        ("holocene,isthmus+0", "a later fork at a later time"),
        ("holocene,granite+20", "a later fork at a later time"),
        ("holocene,holocene+20", "a later fork at a later time"),
        ("holocene,isthmus+20,jovian+20", "a later fork at a later time"),
    ],
)
def test_forks_that_form_no_schedule_are_refused_with_the_reason(text, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        ForkSchedule.parse(text, GENESIS)


TIMES = st.one_of(st.none(), st.integers(0, 12))


@given(st.lists(TIMES, min_size=len(Fork) - 1, max_size=len(Fork) - 1), st.integers(-2, 14), st.integers(-2, 14))
def test_the_newest_fork_and_the_first_blocks_follow_from_each_forks_own_time(times, timestamp, parent):
    schedule = ForkSchedule(**{fork.name.lower(): time for fork, time in zip(list(Fork)[1:], times, strict=True)})
    begun = [fork for fork in Fork if (time := schedule.time_of(fork)) is not None and time <= timestamp]
    assert [fork for fork in Fork if schedule.is_active(fork, timestamp)] == begun
    assert schedule.at(timestamp) == (begun[-1] if begun else Fork.BEDROCK)
    first = [fork for fork in Fork if schedule.activates(fork, timestamp, parent)]
    assert schedule.activated(timestamp, parent) == first
