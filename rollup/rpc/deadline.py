"""How long a computation may run."""

from collections.abc import Callable

from rollup.cooperative import is_in_turns, pause, running_time


class Deadline:
    """Ends a computation that runs longer than it may.

    What counts is the time in which it ran, not that in which it waited for its turn. The calls of a batch share it.
    """

    def __init__(self, seconds: float, expired: Callable[[], Exception]) -> None:
        """expired: makes the exception that ends it."""
        self._end = seconds + (0 if is_in_turns() else running_time())
        self._expired = expired

    @classmethod
    def from_now(cls, seconds: float, expired: Callable[[], Exception]) -> "Deadline":
        """A deadline of one part of a computation, which does not share the time of the parts before it."""
        return cls(seconds + (running_time() if is_in_turns() else 0), expired)

    def __call__(self) -> None:
        """Lets others have their turn; raises when the time is over."""
        pause()
        if running_time() > self._end:
            raise self._expired()
