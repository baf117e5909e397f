"""Which connection makes room for a new one where a port is full: one rule for the node and its front processes."""

from collections.abc import Callable, Iterable
from typing import TypeVar

C = TypeVar("C")


def longest_idle(connections: Iterable[C], is_busy: Callable[[C], bool], last_used: Callable[[C], float]) -> C | None:
    """The connection that has been idle for the longest time, or None where all are busy.

    A client that asks again and again keeps its connection, however old that is. is_busy: whether a request is in work
    or an answer is being sent. last_used: when the client last sent something or was answered.
    """
    idle = (connection for connection in connections if not is_busy(connection))
    return min(idle, key=last_used, default=None)
