"""What was read or written last, bounded by number and by weight: a cache of blocks must not grow with their size."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from rollup.protocol.primitives import Hash

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Values by hash or other bytes; the oldest go when there are too many, or when together they weigh too much."""

    def __init__(self, most: int, weigh: Callable[[Value], int] = lambda _: 0, heaviest: int = 0) -> None:
        """At most so many values, of at most heaviest together; one value alone may weigh more."""
        self._values: OrderedDict[Hash, Value] = OrderedDict()
        self._most = most
        self._weigh = weigh
        self._heaviest = heaviest
        self._weight = 0

    def __len__(self) -> int:
        return len(self._values)

    def clear(self) -> None:
        """Forgets all of them."""
        self._values.clear()
        self._weight = 0

    def get(self, key: Hash) -> Value | None:
        """The value, or None where it is not kept (any more)."""
        return self._values.get(key)

    def put(self, key: Hash, value: Value) -> None:
        """Keeps a value, in the place of the one before."""
        before = self._values.pop(key, None)
        if before is not None:
            self._weight -= self._weigh(before)
        self._values[key] = value
        self._weight += self._weigh(value)
        while len(self._values) > self._most or (self._weight > self._heaviest and len(self._values) > 1):
            _, oldest = self._values.popitem(last=False)
            self._weight -= self._weigh(oldest)
