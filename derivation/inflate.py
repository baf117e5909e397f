"""zlib streams with a defect, read as op-node reads them: by the rules of Go's compress/flate and compress/zlib.

Sound streams are read by Python's zlib (compression.py), and both agree on those. On others they do not: Go gives out
all that was decoded before a defect, and it takes codes that zlib refuses and that no compressor writes.
"""

import zlib
from collections.abc import Iterator, Sequence

from derivation.stream import StreamEnd

_WINDOW = 1 << 15
_MAX_LITERALS, _MAX_DISTANCES = 286, 30
_END_OF_BLOCK = 256
# The order of the code lengths' own lengths (RFC 1951, section 3.2.7).
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_REPEATS = {16: (3, 2), 17: (3, 3), 18: (11, 7)}
# Base length and extra bits of the symbols 257 to 285, base distance and extra bits of 0 to 29 (section 3.2.5).
_LENGTHS = [
    *((3 + index, 0) for index in range(8)),
    *(((1 << bits + 2) + (step << bits) + 3, bits) for bits in range(1, 6) for step in range(4)),
]
_LENGTHS[28:] = [(258, 0)]
_DISTANCES = [
    *((1 + index, 0) for index in range(4)),
    *(((2 + step << bits) + 1, bits) for bits in range(1, 14) for step in range(2)),
]
_FIXED_LENGTHS = (8,) * 144 + (9,) * 112 + (7,) * 24 + (8,) * 8


class _Corrupt(Exception):
    """Invalid bits, or an end too early. op-node does not distinguish the two."""


class _Code:
    """A Huffman code: a table from the next bits to a symbol and its length."""

    __slots__ = ("_mask", "_table", "least")

    def __init__(self, lengths: Sequence[int]) -> None:
        longest = max(lengths)
        # least: so many bits must be there before a symbol is looked up, even for a shorter one.
        self.least = min((length for length in lengths if length), default=0)
        size = 1 << longest
        self._mask = size - 1
        self._table = [0] * size
        used = sum(size >> length for length in lengths if length)
        # Complete, or a single code of one bit, or none at all, which fails when it is used.
        if longest and used != size and not (longest == 1 and used == 1):
            raise _Corrupt
        code = previous = 0
        for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths) if length):
            code <<= length - previous
            previous = length
            place = int(f"{code:0{length}b}"[::-1], 2)
            self._table[place :: 1 << length] = [symbol << 4 | length] * (size >> length)
            code += 1

    def read(self, bits: "_Bits") -> int:
        """The next symbol."""
        if bits.left < self.least:
            raise _Corrupt
        entry = self._table[bits.peek() & self._mask]
        length = entry & 15
        if not length or length > bits.left:
            raise _Corrupt
        bits.position += length
        return entry >> 4


_FIXED = _Code(_FIXED_LENGTHS)


class _Bits:
    """The bits of the compressed data, lowest first."""

    __slots__ = ("_data", "position", "size")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data) * 8
        self.position = 0

    @property
    def left(self) -> int:
        """Bits not read yet."""
        return self.size - self.position

    def peek(self) -> int:
        """The next 57 bits at least; zeros where there are none."""
        start = self.position >> 3
        return int.from_bytes(self._data[start : start + 8], "little") >> (self.position & 7)

    def take(self, count: int) -> int:
        """The next bits as a number."""
        if self.left < count:
            raise _Corrupt
        value = self.peek() & (1 << count) - 1
        self.position += count
        return value

    def align(self) -> None:
        """Moves on to the next whole byte."""
        self.position = -(-self.position // 8) * 8

    def take_bytes(self, count: int) -> bytes:
        """At most this many whole bytes of the input."""
        start = self.position >> 3
        data = self._data[start : start + count]
        self.position += len(data) * 8
        return data


class ZlibStream:
    """The body of a zlib stream after its header."""

    def __init__(self, body: bytes) -> None:
        self._bits = _Bits(body)
        self._history = bytearray()  # what a match may refer to, and what was not given out yet
        self._given = 0  # of the history, bytes given out
        self._full = _WINDOW  # the history's length at which it is given out
        self._pieces = self._blocks()
        self._piece = b""
        self._end: StreamEnd | None = None
        self._checksum = 1
        self._ended: StreamEnd | None = None

    def read(self, size: int) -> tuple[bytes, StreamEnd | None]:
        """At most this many bytes of output, and how the stream ended if they are its last."""
        if self._ended is not None:
            return b"", self._ended
        while not self._piece and self._end is None:
            self._piece, self._end = next(self._pieces)
        data, self._piece = self._piece[:size], self._piece[size:]
        self._checksum = zlib.adler32(data, self._checksum)
        if not self._piece and self._end is not None:
            self._ended = self._end
            if self._end is StreamEnd.EOF and not self._is_checksum_right():
                self._ended = StreamEnd.DEFECT
        return data, self._ended

    def _is_checksum_right(self) -> bool:
        self._bits.align()
        return self._bits.take_bytes(4) == self._checksum.to_bytes(4, "big")

    def _blocks(self) -> Iterator[tuple[bytes, StreamEnd | None]]:
        """The stream's output in pieces: one when the window is full, and the rest at the end."""
        try:
            is_final = False
            while not is_final:
                is_final, kind = bool(self._bits.take(1)), self._bits.take(2)
                if kind == 0:
                    yield from self._stored(is_final)
                elif kind == 1:
                    yield from self._compressed(_FIXED, None)
                elif kind == 2:
                    yield from self._compressed(*self._codes())
                else:
                    raise _Corrupt
        except _Corrupt:
            yield self._flush(), StreamEnd.DEFECT
        else:
            yield self._flush(), StreamEnd.EOF

    def _flush(self) -> bytes:
        piece = bytes(self._history[self._given :])
        if len(self._history) >= self._full:
            # The window is full: it is kept for matches, and the next one begins.
            self._full = len(self._history) + _WINDOW
        self._given = len(self._history)
        if self._given > 8 * _WINDOW:
            cut = self._given - _WINDOW
            del self._history[:cut]
            self._given -= cut
            self._full -= cut
        return piece

    def _stored(self, is_final: bool) -> Iterator[tuple[bytes, None]]:
        bits = self._bits
        bits.align()
        head = bits.take_bytes(4)
        left = int.from_bytes(head[:2], "little")
        if len(head) < 4 or left ^ int.from_bytes(head[2:], "little") != 0xFFFF:
            raise _Corrupt
        if not left and not is_final:
            # An empty stored block gives out what there is (zlib: a sync flush).
            yield self._flush(), None
        while left:
            data = bits.take_bytes(wanted := min(left, self._full - len(self._history)))
            self._history += data
            left -= len(data)
            if len(data) < wanted:
                raise _Corrupt
            if len(self._history) == self._full:
                yield self._flush(), None

    def _compressed(self, literals: _Code, distances: _Code | None) -> Iterator[tuple[bytes, None]]:
        bits, history = self._bits, self._history
        while True:
            symbol = literals.read(bits)
            if symbol < _END_OF_BLOCK:
                history.append(symbol)
                if len(history) == self._full:
                    yield self._flush(), None
                continue
            if symbol == _END_OF_BLOCK:
                return
            if symbol >= _MAX_LITERALS:
                raise _Corrupt
            base, extra = _LENGTHS[symbol - 257]
            length = base + bits.take(extra)
            if distances is None:
                symbol = int(f"{bits.take(5):05b}"[::-1], 2)
            else:
                symbol = distances.read(bits)
            if symbol >= _MAX_DISTANCES:
                raise _Corrupt
            base, extra = _DISTANCES[symbol]
            distance = base + bits.take(extra)
            if distance > min(len(history), _WINDOW):
                raise _Corrupt
            while length:
                count = min(length, distance, self._full - len(history))
                history += history[len(history) - distance : len(history) - distance + count]
                length -= count
                if len(history) == self._full:
                    yield self._flush(), None

    def _codes(self) -> tuple[_Code, _Code]:
        """The two codes of a block that brings its own (RFC 1951, section 3.2.7)."""
        bits = self._bits
        # All 14 bits are wanted before the first is looked at.
        if bits.left < 14:
            raise _Corrupt
        literals, distances, count = bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4
        if literals > _MAX_LITERALS or distances > _MAX_DISTANCES:
            raise _Corrupt
        sizes = [0] * len(_ORDER)
        for place in _ORDER[:count]:
            sizes[place] = bits.take(3)
        code, lengths = _Code(sizes), list[int]()
        while len(lengths) < literals + distances:
            symbol = code.read(bits)
            if symbol < 16:
                lengths.append(symbol)
                continue
            if symbol == 16 and not lengths:
                raise _Corrupt
            least, extra = _REPEATS[symbol]
            lengths += [lengths[-1] if symbol == 16 else 0] * (least + bits.take(extra))
        if len(lengths) > literals + distances:
            raise _Corrupt
        first = _Code(lengths[:literals])
        # Go wants as many bits as the end of the block takes before it looks a shorter symbol up.
        first.least = max(first.least, lengths[_END_OF_BLOCK])
        return first, _Code(lengths[literals:])
