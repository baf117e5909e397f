"""Reads a decompressed stream in the same pieces as op-node, and treats a defect in the same way.

op-node's channel reader is an RLP stream over a buffer of 4,096 bytes over the decompressor (op-node
rollup/derive/channel.go, BatchReader). A batch that is longer than the buffer's content is read past the buffer. A
defect that is reported with a batch's last bytes then costs that batch; if the bytes go through the buffer it does not.
So the size of each read is part of consensus if a channel is defective.
"""

from enum import Enum
from typing import Protocol

from rollup.cooperative import pause

_BUFFER_SIZE = 4096


class StreamEnd(Enum):
    """Why a stream gives no more."""

    EOF = "its end"
    DEFECT = "a defect, or data that ends too early"


class ByteStream(Protocol):
    """A decompressor: at most this many bytes, and how the stream ended if it ended with them (Go's io.Reader)."""

    def read(self, size: int) -> tuple[bytes, StreamEnd | None]: ...


class BufferedStream:
    """A buffer before a stream, as Go's bufio.Reader."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._buffer = b""
        self._end: StreamEnd | None = None

    @property
    def end(self) -> StreamEnd | None:
        """How the stream ended, None as long as it did not."""
        return self._end

    def read_byte(self) -> int | None:
        """The next byte; None at the end."""
        while not self._buffer:
            pause()
            if self._end is not None:
                return None
            self._buffer, self._end = self._stream.read(_BUFFER_SIZE)
        first = self._buffer[0]
        self._buffer = self._buffer[1:]
        return first

    def read_full(self, size: int) -> bytes | None:
        """Exactly this many bytes; None if there are fewer, or if a defect came with the last ones."""
        pieces: list[bytes] = []
        left = size
        while left:
            piece, end = self._read(left)
            pieces.append(piece)
            left -= len(piece)
            if end is not None:
                if left or end is StreamEnd.DEFECT:
                    return None
                break
        return b"".join(pieces)

    def _read(self, size: int) -> tuple[bytes, StreamEnd | None]:
        if not self._buffer:
            if self._end is not None:
                return b"", self._end
            if size >= _BUFFER_SIZE:
                pause()
                # The end that comes with the bytes is given with them, and forgotten here as bufio does.
                return self._stream.read(size)
            self._buffer, self._end = self._stream.read(_BUFFER_SIZE)
            if not self._buffer:
                return b"", self._end
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        return piece, None
