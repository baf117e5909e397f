"""A cache of recent values, bounded by count and by total weight, so that it does not grow with the size of its
values.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from rollup.protocol.primitives import Hash

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Values by hash or other bytes. The oldest are removed if there are too many or if they weigh too much
    together.
    """

    def __init__(self, most: int, weigh: Callable[[Value], int] = lambda _: 0, heaviest: int = 0) -> None:
        """Keeps at most this many values with at most this total weight. A single value may weigh more."""
        self._values: OrderedDict[Hash, Value] = OrderedDict()
        self._most = most
        self._weigh = weigh
        self._heaviest = heaviest
        self._weight = 0

    def __len__(self) -> int:
        return len(self._values)

    def clear(self) -> None:
        """Removes all values."""
        self._values.clear()
        self._weight = 0

    def get(self, key: Hash) -> Value | None:
        """The value, or None if it is not in the cache."""
        return self._values.get(key)

    def put(self, key: Hash, value: Value) -> None:
        """Stores a value and replaces the one before it."""
        before = self._values.pop(key, None)
        if before is not None:
            self._weight -= self._weigh(before)
        self._values[key] = value
        self._weight += self._weigh(value)
        while len(self._values) > self._most or (self._weight > self._heaviest and len(self._values) > 1):
            _, oldest = self._values.popitem(last=False)
            self._weight -= self._weigh(oldest)
