"""The RLP strings of a compressed channel, one per batch, as op-node's RLP stream reads them.

specs protocol/derivation.md, "Channel Format" and "Batch Format": a channel is the compressed concatenation of RLP byte
strings, and what follows the first malformed one is dropped.
"""

from collections.abc import Iterator

from derivation.brotli_stream import BrotliStream
from derivation.compression import CompressionError, Defect, decompress, is_brotli, zlib_header_size
from derivation.inflate import ZlibStream
from derivation.stream import BufferedStream, ByteStream


def channel_strings(channel: bytes, limit: int, allow_brotli: bool) -> Iterator[bytes]:
    """The contents of a channel's strings, up to the first malformed one or to limit bytes with their headers.

    Raises CompressionError at once when the channel is not compressed in a known way.
    """
    # spec: channel.compression, channel.max-rlp-bytes, batch.extra-content
    try:
        return _of_bytes(decompress(channel, limit, allow_brotli))
    except Defect:
        return _of_stream(BufferedStream(_stream(channel)), limit)


def _stream(channel: bytes) -> ByteStream:
    if is_brotli(channel):
        return BrotliStream(channel[1:])
    return ZlibStream(channel[zlib_header_size(channel) :])


def _of_bytes(data: bytes) -> Iterator[bytes]:
    """The strings of a sound stream, of which all bytes are there."""
    position = 0
    while position < len(data):
        first = data[position]
        head = 1 + max(0, first - 0xB7) if first < 0xC0 else 1
        size = _size(first, data[position + 1 : position + head])
        start = position if first < 0x80 else position + head
        position = start + (size or 0)
        if size is None or position > len(data) or not _is_canonical(first, content := data[start:position]):
            return
        yield content


def _of_stream(stream: BufferedStream, limit: int) -> Iterator[bytes]:
    """The strings of a stream with a defect, read in op-node's steps."""
    left = limit
    while left:
        first = stream.read_byte()
        if first is None:
            return
        left -= 1
        if first < 0x80:
            yield bytes((first,))
            continue
        length = bytearray()
        for _ in range(max(0, first - 0xB7) if first < 0xC0 else 0):
            byte = stream.read_byte() if left else None
            if byte is None:
                return
            left -= 1
            length.append(byte)
        size = _size(first, bytes(length))
        if size is None or size > left:
            return
        content = stream.read_full(size)
        if content is None or not _is_canonical(first, content):
            return
        left -= size
        yield content


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


def _is_canonical(first: int, content: bytes) -> bool:
    """A single byte below 0x80 is its own RLP and has no header."""
    return not (first == 0x81 and content[0] < 0x80)


__all__ = ["CompressionError", "channel_strings"]
