"""The RLP strings of a compressed channel, one per batch, as op-node's RLP stream reads them.

specs protocol/derivation.md, "Channel Format" and "Batch Format": a channel is the compressed concatenation of RLP byte
strings, and what follows the first malformed one is dropped.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from derivation.brotli_stream import BrotliStream
from derivation.compression import Compression, CompressionError, Defect, decompress, is_brotli, zlib_header_size
from derivation.drops import Rule
from derivation.inflate import ZlibStream
from derivation.stream import BufferedStream, ByteStream, StreamEnd


@dataclass(slots=True, frozen=True)
class StringsEnd:
    """Why a channel gives no more: the rule by which its rest is dropped, None at its proper end; that rest's bytes."""

    rule: Rule | None = None
    size: int = 0


class ChannelStrings(Iterator[bytes]):
    """The contents of a channel's strings, up to the first malformed one or to a limit of bytes with their headers."""

    def __init__(self, channel: bytes, limit: int, allow_brotli: bool) -> None:
        """Raises CompressionError when the channel is not compressed in a known way."""
        # spec: channel.compression, channel.max-rlp-bytes, batch.extra-content
        self.end = StringsEnd()
        self.raw_size = 0  # decompressed bytes; of a channel with a defect those given out so far
        self._taken = 0
        self._is_sound = True
        self._strings: Generator[bytes, None, StringsEnd]
        try:
            data = decompress(channel, limit, allow_brotli)
        except Defect:
            self._is_sound = False
            self._strings = _of_stream(BufferedStream(_stream(channel)), limit)
        else:
            self.raw_size = len(data)
            self._strings = _of_bytes(data, limit)
        self.algorithm: Compression = "brotli" if is_brotli(channel) else "zlib"

    def __next__(self) -> bytes:
        try:
            content = next(self._strings)
        except StopIteration as stop:
            if isinstance(stop.value, StringsEnd):
                self.end = stop.value
            raise StopIteration from None
        self._taken += _encoded_size(content)
        if not self._is_sound:
            self.raw_size = self._taken
        return content

    @property
    def left(self) -> int | None:
        """How many decompressed bytes were not given out yet; None for a channel with a defect."""
        return self.raw_size - self._taken if self._is_sound else None


def channel_strings(channel: bytes, limit: int, allow_brotli: bool) -> ChannelStrings:
    """The contents of a channel's strings, up to the first malformed one or to limit bytes with their headers.

    Raises CompressionError at once when the channel is not compressed in a known way.
    """
    return ChannelStrings(channel, limit, allow_brotli)


def _stream(channel: bytes) -> ByteStream:
    if is_brotli(channel):
        return BrotliStream(channel[1:])
    return ZlibStream(channel[zlib_header_size(channel) :])


def _of_bytes(data: bytes, limit: int) -> Generator[bytes, None, StringsEnd]:
    """The strings of a sound stream, of which all bytes are there, or the first limit bytes."""
    position = 0
    while position < len(data):
        first = data[position]
        head = 1 + max(0, first - 0xB7) if first < 0xC0 else 1
        size = _size(first, data[position + 1 : position + head])
        start = position if first < 0x80 else position + head
        end = start + (size or 0)
        if size is None:
            return StringsEnd(Rule.RLP_MALFORMED, len(data) - position)
        if end > len(data):
            rule = Rule.CHANNEL_LIMIT if end > limit else Rule.RLP_MALFORMED
            return StringsEnd(rule, len(data) - position)
        if not _is_canonical(first, content := data[start:end]):
            return StringsEnd(Rule.RLP_MALFORMED, len(data) - position)
        position = end
        yield content
    return StringsEnd()


def _of_stream(stream: BufferedStream, limit: int) -> Generator[bytes, None, StringsEnd]:
    """The strings of a stream with a defect, read in op-node's steps.

    A stream that ends too early between two strings loses nothing: op-batcher's zlib channels on real chains do so.
    """
    left = limit
    while left:
        first = stream.read_byte()
        if first is None:
            is_lost = left == limit and stream.end is StreamEnd.DEFECT
            return StringsEnd(Rule.COMPRESSION_DEFECT if is_lost else None)
        left -= 1
        if first < 0x80:
            yield bytes((first,))
            continue
        length = bytearray()
        for _ in range(max(0, first - 0xB7) if first < 0xC0 else 0):
            byte = stream.read_byte() if left else None
            if byte is None:
                return StringsEnd(Rule.COMPRESSION_DEFECT if left else Rule.CHANNEL_LIMIT, 1 + len(length))
            left -= 1
            length.append(byte)
        size = _size(first, bytes(length))
        if size is None:
            return StringsEnd(Rule.RLP_MALFORMED, 1 + len(length))
        if size > left:
            return StringsEnd(Rule.CHANNEL_LIMIT, 1 + len(length) + left)
        content = stream.read_full(size)
        if content is None:
            return StringsEnd(Rule.COMPRESSION_DEFECT, 1 + len(length) + size)
        if not _is_canonical(first, content):
            return StringsEnd(Rule.RLP_MALFORMED, 1 + len(length) + size)
        left -= size
        yield content
    return StringsEnd(Rule.CHANNEL_LIMIT)


def _size(first: int, length: bytes) -> int | None:
    """The size of a string's content by its header; None when it is a list or not canonical RLP."""
    if first < 0x80:
        return 1
    if first <= 0xB7:
        return first - 0x80
    size = int.from_bytes(length, "big")
    if first >= 0xC0 or length[:1] == b"\0" or size <= 55:
        return None
    return size


def _encoded_size(content: bytes) -> int:
    """The bytes of a string with its header, in canonical RLP."""
    size = len(content)
    if size == 1 and content[0] < 0x80:
        return 1
    return size + 1 if size <= 55 else size + 1 + (size.bit_length() + 7) // 8


def _is_canonical(first: int, content: bytes) -> bool:
    """A single byte below 0x80 is its own RLP and has no header."""
    return not (first == 0x81 and content[0] < 0x80)


__all__ = ["ChannelStrings", "CompressionError", "channel_strings"]
