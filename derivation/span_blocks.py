"""The blocks of a span, made one at a time from its columns: 33 bytes of brotli may hold ten million of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import overload

from derivation.batches import BatchError, SingularBatch
from derivation.span_batch_transactions import Reader
from rollup.protocol.blockref import L2BlockRef

_UINT64 = 1 << 64


@dataclass(slots=True)
class SpanBlock:
    """One block of a span: its time in seconds, its L1 origin's number, its transactions without deposits."""

    timestamp: int
    epoch_number: int
    transactions: list[bytes] = field(default_factory=list)


class Bits(Sequence[bool]):
    """A span batch bitlist: bit i is the flag of element i, in a big-endian integer padded to whole bytes."""

    __slots__ = ("_count", "_data")

    def __init__(self, data: bytes, count: int) -> None:
        self._data = bytearray(reversed(data))
        self._count = count

    @classmethod
    def of(cls, flags: Sequence[bool]) -> "Bits":
        """The bits of a sequence of flags."""
        bits = cls(bytes((len(flags) + 7) // 8), len(flags))
        for index, flag in enumerate(flags):
            bits[index] = flag
        return bits

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bool: ...
    @overload
    def __getitem__(self, index: slice) -> list[bool]: ...
    def __getitem__(self, index: int | slice) -> bool | list[bool]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        return bool(self._data[index >> 3] >> (index & 7) & 1)

    def __setitem__(self, index: int, flag: bool) -> None:
        place = 1 << (index & 7)
        self._data[index >> 3] = self._data[index >> 3] | place if flag else self._data[index >> 3] & ~place

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bits) and (self._count, self._data) == (other._count, other._data)

    __hash__ = None  # type: ignore[assignment]

    def ones_from(self, index: int) -> int:
        """How many bits are set at an index and after it."""
        return (int.from_bytes(self._data, "little") >> index).bit_count()


class SpanBlocks(Sequence[SpanBlock]):
    """Blocks in order. Their numbers have 64 bits and wrap, as op-node's do."""

    __slots__ = ("_bits", "_block_time", "_counts", "_first_epoch", "_first_time", "_last_epoch", "_raws")

    def __init__(
        self,
        first_time: int,
        block_time: int,
        last_epoch: int,
        bits: Bits,
        counts: Sequence[int],
        raws: list[bytes],
    ) -> None:
        self._first_time = first_time
        self._block_time = block_time
        self._last_epoch = last_epoch
        self._bits = bits
        self._counts = counts
        self._raws = raws
        # The first block's bit says whether its origin is another than its parent's: it moves no origin of the span.
        self._first_epoch = (last_epoch - bits.ones_from(1)) % _UINT64

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def transactions(self) -> int:
        """How many transactions all blocks have together."""
        return len(self._raws)

    @overload
    def __getitem__(self, index: int) -> SpanBlock: ...
    @overload
    def __getitem__(self, index: slice) -> list[SpanBlock]: ...
    def __getitem__(self, index: int | slice) -> SpanBlock | list[SpanBlock]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if index == -1 or index == len(self) - 1:
            count = self._counts[-1]
            return self._block(len(self) - 1, self._last_epoch, len(self._raws) - count)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return next(self.iterate(index))

    def __iter__(self) -> Iterator[SpanBlock]:
        return self.iterate(0)

    def iterate(self, first: int) -> Iterator[SpanBlock]:
        """The blocks from an index on."""
        if first >= len(self):
            return
        epoch = self._epoch(first)
        position = sum(islice(self._counts, first)) if first else 0
        for index in range(first, len(self)):
            if index > first and self._bits[index]:
                epoch = (epoch + 1) % _UINT64
            yield self._block(index, epoch, position)
            position += self._counts[index]

    def first_after(self, timestamp: int) -> int:
        """The index of the first block later than a time, len() when all are before. Times that wrap have no order."""
        first_time = self._first_time % _UINT64
        if first_time > timestamp:
            return 0
        return min((timestamp - first_time) // self._block_time + 1, len(self))

    def origins(self, first: int) -> Sequence[int]:
        """The numbers of the L1 origins from an index on, each once."""
        if first >= len(self):
            return []
        epoch = self._epoch(first)
        if epoch > self._last_epoch:
            return [epoch]
        return range(epoch, self._last_epoch + 1)

    def _epoch(self, index: int) -> int:
        if index == 0:
            return self._first_epoch
        return (self._last_epoch - self._bits.ones_from(index + 1)) % _UINT64

    def _block(self, index: int, epoch: int, position: int) -> SpanBlock:
        timestamp = (self._first_time + self._block_time * index) % _UINT64
        return SpanBlock(timestamp, epoch, self._raws[position : position + self._counts[index]])


class SpanCursor:
    """The singular batches left of a span, given one at a time."""

    __slots__ = ("_next", "_rest")

    def __init__(self, batches: Iterable[SingularBatch] = ()) -> None:
        self._rest = iter(batches)
        self._next = next(self._rest, None)

    def __bool__(self) -> bool:
        return self._next is not None

    def next_after(self, parent: L2BlockRef, block_time: int) -> SingularBatch | None:
        """The batch for the block after parent; forgets all that is left when its time is another."""
        batch = self._next
        if batch is None or batch.timestamp != parent.timestamp + block_time:
            self._rest, self._next = iter(()), None
            return None
        self._next = next(self._rest, None)
        batch.parent_hash = parent.hash
        return batch


def decode_origin_bits(reader: Reader, count: int) -> Bits:
    """The bitlist of this many blocks; a bit beyond the count is a BatchError."""
    data = reader.take((count + 7) // 8)
    if count % 8 and data[0] >> count % 8:
        raise BatchError("a span batch's bits are more than its elements")
    return Bits(data, count)
