"""How a channel is compressed: zlib, or from Fjord brotli behind a version byte (fjord/derivation.md)."""

import zlib
from collections.abc import Iterator
from typing import Literal

import brotli

from derivation.drops import Rule
from rollup.cooperative import in_turns, pause

Compression = Literal["zlib", "brotli"]

_BROTLI_VERSION = 1
# The low four bits of zlib's first byte are its method; these are the two the specification accepts.
_ZLIB_METHODS = (8, 15)
# Brotli at 10, as batchers of real chains have it, makes transactions of OP Mainnet 3 % smaller than at 6, inferences
# no smaller, and takes 20 to 30 times as long: more than all the rest of the way to a derived block.
_QUALITY = {"zlib": 9, "brotli": 6}
_CHUNK = 1 << 20
_PIECE = 1 << 16  # bytes compressed between two check points: some milliseconds
# A header may announce a preset dictionary by its Adler-32; there is none, and the one of nothing is 1.
_PRESET_DICTIONARY, _EMPTY_DICTIONARY = 0x20, b"\0\0\0\1"


# Decoders read ahead of what they give out: a defect up to this many bytes after the limit may be met before the limit
# is reached.
_LOOK_AHEAD = 1 << 25


class CompressionError(ValueError):
    """A channel that is not compressed in a known way, and the rule by which it is dropped."""

    def __init__(self, rule: Rule, detail: str = "") -> None:
        super().__init__(detail or rule.text)
        self.rule = rule
        self.detail = detail


class Defect(Exception):
    """A stream that is broken, that ends too early, or that has another checksum or bytes after its end."""


def compress(data: bytes, compression: Compression) -> bytes:
    """A channel's data, version byte included."""
    if compression == "zlib":
        deflate = zlib.compressobj(_QUALITY["zlib"])
        return b"".join([*map(deflate.compress, _pieces(data)), deflate.flush()])
    stream = brotli.Compressor(quality=_QUALITY["brotli"])
    return b"".join([bytes((_BROTLI_VERSION,)), *map(stream.process, _pieces(data)), stream.finish()])


def _pieces(data: bytes) -> Iterator[bytes]:
    """The data in order, with a check point before each piece."""
    return (data[start : start + _PIECE] for start in in_turns(range(0, len(data), _PIECE)))


def decompress(data: bytes, limit: int, allow_brotli: bool) -> bytes:
    """A sound channel's content, at most limit bytes of it.

    Raises CompressionError when the channel is not compressed in a known way, Defect when it is not sound: what counts
    of it then depends on how it is read (stream.py).
    """
    # spec: channel.compression, fjord.brotli
    if not data:
        raise CompressionError(Rule.CHANNEL_EMPTY)
    if data[0] & 0x0F in _ZLIB_METHODS:
        return _inflate(data, limit)
    if is_brotli(data):
        if not allow_brotli:
            raise CompressionError(Rule.BROTLI_BEFORE_FJORD)
        return _unbrotli(data[1:], limit)
    raise CompressionError(Rule.COMPRESSION_UNKNOWN, f"the first byte is {data[0]}")


def is_brotli(channel: bytes) -> bool:
    """The channel begins with brotli's version byte (fjord/derivation.md, "Brotli Channel Compression")."""
    # spec: fjord.brotli
    return channel[0] == _BROTLI_VERSION


def zlib_header_size(data: bytes) -> int:
    """The size of a zlib header (RFC 1950, section 2.2); raises CompressionError."""
    if len(data) < 2 or data[0] & 0x0F != zlib.DEFLATED or data[0] >> 4 > 7 or int.from_bytes(data[:2], "big") % 31:
        raise CompressionError(Rule.COMPRESSION_UNKNOWN, "not a zlib header")
    if not data[1] & _PRESET_DICTIONARY:
        return 2
    if data[2:6] != _EMPTY_DICTIONARY:
        raise CompressionError(Rule.COMPRESSION_UNKNOWN, "a zlib stream with a preset dictionary")
    return 6


def _inflate(data: bytes, limit: int) -> bytes:
    rest, stream, out = data[zlib_header_size(data) :], zlib.decompressobj(-zlib.MAX_WBITS), bytearray()
    far, is_full = limit + _LOOK_AHEAD, True
    try:
        # A full buffer may hide output of what is already taken in.
        while (rest or is_full) and len(out) < far and not stream.eof:
            pause()
            piece = stream.decompress(rest, _CHUNK)
            rest, is_full = stream.unconsumed_tail, len(piece) == _CHUNK
            out += piece
    except zlib.error as error:
        raise Defect(str(error)) from error
    if len(out) < far and stream.unused_data[:4] != zlib.adler32(out).to_bytes(4, "big"):
        raise Defect("no end, or another checksum")
    return bytes(out[:limit])


def _unbrotli(data: bytes, limit: int) -> bytes:
    stream, out = brotli.Decompressor(), bytearray()
    far = limit + _LOOK_AHEAD
    try:
        piece = stream.process(data, output_buffer_limit=_CHUNK)
        # Output may wait in the decoder after all input is taken in: only a call that gives nothing says it is all.
        while piece and len(out) < far:
            out += piece
            pause()
            piece = stream.process(b"", output_buffer_limit=_CHUNK)
    except brotli.error as error:
        raise Defect(str(error)) from error
    if len(out) < far and not stream.is_finished():
        raise Defect("no end")
    return bytes(out[:limit])
