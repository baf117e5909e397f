"""The source of time. It is injected into the actors and never read inside protocol or execution."""

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since the Unix epoch."""

    def now(self) -> float:
        """The current time in seconds; it never goes back, except where a snapshot is restored."""


class SystemClock:
    """The machine's clock, moved by an offset (`evm_increaseTime`); a step back of the machine's is not passed on."""

    def __init__(self) -> None:
        self._start = time.time()
        self._monotonic_start = time.monotonic()
        self.offset = 0.0

    def now(self) -> float:
        """The current time in seconds."""
        return self._start + (time.monotonic() - self._monotonic_start) + self.offset

    def advance(self, seconds: float) -> None:
        """Moves the clock ahead; raises ValueError for a negative number of seconds."""
        _check_forward(seconds)
        self.offset += seconds

    def rewind_to(self, seconds: float) -> None:
        """Sets the clock back to a time that it has shown. For restoring a snapshot, and nothing else."""
        self.offset += seconds - self.now()


class ManualClock:
    """A virtual clock that moves only on request, for tests and repeatable runs."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        """The current time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Moves the clock ahead; raises ValueError for a negative number of seconds."""
        _check_forward(seconds)
        self._now += seconds

    def set(self, seconds: float) -> None:
        """Moves the clock to a time; raises ValueError when that is in its past."""
        _check_forward(seconds - self._now)
        self._now = seconds

    def rewind_to(self, seconds: float) -> None:
        """Sets the clock back to a time that it has shown. For restoring a snapshot, and nothing else."""
        self._now = seconds


def _check_forward(seconds: float) -> None:
    if seconds < 0:
        raise ValueError(f"a clock does not go back: {seconds} seconds")
