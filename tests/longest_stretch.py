"""Measures how much is done between two check points, without a clock: in calls of functions.

A turn ends at a check point, so a loop without one holds up everybody else for as long as it takes. Calls are counted
by the interpreter's profiler, which needs no preparation of the code under test and gives the same numbers each time.
"""

import sys
from collections import Counter
from dataclasses import dataclass, field

from rollup.cooperative import pause


@dataclass
class Stretch:
    """The longest stretch: its number of calls, and which functions were called most often in it."""

    calls: int = 0
    most: Counter = field(default_factory=Counter)


def longest_stretch(work):
    """Runs a function. Returns the longest stretch between two of its check points, its start and end included."""
    longest, current = Stretch(), Counter()

    def see(frame, event, argument):
        nonlocal current
        if event == "call" and frame.f_code is pause.__code__:
            close()
            current = Counter()
        elif event == "call":
            current[f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}"] += 1
        elif event == "c_call":
            current[getattr(argument, "__qualname__", str(argument))] += 1

    def close():
        calls = current.total()
        if calls > longest.calls:
            longest.calls, longest.most = calls, current

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(before)
    close()
    return longest
