"""Finds canonical blocks that have logs of an address or a topic at a position, so that eth_getLogs reads only those.

An entry names a value and a section of 1,024 heights, and lists the heights as offsets of two bytes. Chain writes it in
the same batch as the canonical chain, so that it follows every reorganisation. A value is identified by its last eight
bytes. Two values may share an entry; a search then reads a block without a match.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rollup.protocol.receipt import Receipt
from rollup.store.interface import Store, WriteBatch

LOGS = "logs"
_FIRST = b"logs from"
_POINTERS = "pointers"
_SECTION = 1_024
_MAX_VALUES = 256  # of a block; one with more has one entry instead, and every search reads it
_VALUE_BYTES = 8
# The first byte of a key: a block with any log, a block with too many values, an address, a topic at position 0 to 3.
_ANY, _MANY, _ADDRESS, _TOPIC = 0, 1, 2, 3


@dataclass(slots=True, frozen=True)
class Group:
    """Values of one kind, one of which a block must have. Iterating gives their keys without the section.

    A key is made when it is needed: many searches for many values may run at once.
    """

    kind: int
    values: Iterable[bytes]

    def __iter__(self) -> Iterator[bytes]:
        return (_value(self.kind, value) for value in self.values)


def address_group(addresses: Iterable[bytes]) -> Group:
    """Blocks with a log of any of these addresses."""
    return Group(_ADDRESS, addresses)


def topic_group(position: int, topics: Iterable[bytes]) -> Group:
    """Blocks with a log that has any of these topics at a position."""
    return Group(_TOPIC + position, topics)


class LogIndex:
    """The heights of blocks, by the addresses and topics of their logs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        first = store.get(_POINTERS, _FIRST)
        self._first = None if first is None else int.from_bytes(first, "big")

    def begin(self, batch: WriteBatch, height: int) -> None:
        """Notes the lowest height from which on every block is indexed, if none is noted yet."""
        if self._first is None:
            batch.put(_POINTERS, _FIRST, height.to_bytes(8, "big"))
            self._first = height

    def covers(self, height: int) -> bool:
        """True where every block from a height on is indexed. A store of an older version begins in the middle."""
        return self._first is not None and height >= self._first

    def add(self, batch: WriteBatch, height: int, receipts: Sequence[Receipt]) -> None:
        """A block joins the canonical chain."""
        section, offset = _place(height)
        for value in _values(receipts):
            key = value + section
            batch.put(LOGS, key, (batch.get(LOGS, key) or b"") + offset)

    def remove(self, batch: WriteBatch, height: int, receipts: Sequence[Receipt]) -> None:
        """A block leaves the canonical chain: the highest one, so that its height is the last of each entry."""
        section, offset = _place(height)
        for value in _values(receipts):
            key = value + section
            rest = (batch.get(LOGS, key) or b"").removesuffix(offset)
            if rest:
                batch.put(LOGS, key, rest)
            else:
                batch.delete(LOGS, key)

    def heights(
        self, groups: Sequence[Group], start: int, stop: int, check_interrupt: Callable[[], None]
    ) -> tuple[list[int], int]:
        """The heights from start to before stop at which a block may have a log of every group. It looks at one
        section.

        Also returns the height from which the next call continues.
        """
        number = start // _SECTION
        section = number.to_bytes(6, "big")
        found = self._of(bytes((_ANY,)) + section)
        many = self._of(bytes((_MANY,)) + section)
        for group in groups:
            if not found:
                break
            matching = set(many)
            for value in group:
                check_interrupt()
                matching |= self._of(value + section)
            found &= matching
        base = number * _SECTION
        return sorted(base + offset for offset in found if start <= base + offset < stop), base + _SECTION

    def _of(self, key: bytes) -> set[int]:
        data = self._store.get(LOGS, key) or b""
        return {int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)}


def _place(height: int) -> tuple[bytes, bytes]:
    """The section of a height, and the height in it."""
    number, offset = divmod(height, _SECTION)
    return number.to_bytes(6, "big"), offset.to_bytes(2, "big")


def _value(kind: int, value: bytes) -> bytes:
    return bytes((kind,)) + value[-_VALUE_BYTES:]


def _values(receipts: Sequence[Receipt]) -> list[bytes]:
    """The keys of a block, without their section."""
    values: set[bytes] = set()
    for receipt in receipts:
        for log in receipt.logs:
            values.add(_value(_ADDRESS, log.address))
            values.update(_value(_TOPIC + position, topic) for position, topic in enumerate(log.topics))
            if len(values) > _MAX_VALUES:
                return [bytes((_ANY,)), bytes((_MANY,))]
    return [bytes((_ANY,)), *sorted(values)] if values else []
