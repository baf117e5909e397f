"""How a channel is compressed: zlib, or from Fjord brotli behind a version byte (fjord/derivation.md)."""

import zlib
from typing import Literal

import brotli

Compression = Literal["zlib", "brotli"]

_BROTLI_VERSION = 1
# The low four bits of zlib's first byte are its method; these are the two the specification accepts.
_ZLIB_METHODS = (8, 15)
# Brotli at 10, as batchers of real chains have it, makes transactions of OP Mainnet 3 % smaller than at 6, inferences
# no smaller, and takes 20 to 30 times as long: more than all the rest of the way to a derived block.
_QUALITY = {"zlib": 9, "brotli": 6}
_CHUNK = 1 << 20
# A header may announce a preset dictionary by its Adler-32; there is none, and the one of nothing is 1.
_PRESET_DICTIONARY, _EMPTY_DICTIONARY = 0x20, b"\0\0\0\1"


class CompressionError(ValueError):
    """A channel that is not compressed in a known way."""


def compress(data: bytes, compression: Compression) -> bytes:
    """A channel's data, version byte included."""
    if compression == "zlib":
        return zlib.compress(data, _QUALITY["zlib"])
    compressed: bytes = brotli.compress(data, quality=_QUALITY["brotli"])
    return bytes((_BROTLI_VERSION,)) + compressed


def decompress(data: bytes, limit: int, allow_brotli: bool) -> bytes:
    """At most limit bytes of a channel; what comes after, and what follows a defect, is cut off.

    Raises CompressionError when nothing can be read at all.
    """
    if not data:
        raise CompressionError("an empty channel")
    if data[0] & 0x0F in _ZLIB_METHODS:
        return _inflate(data, limit)
    if data[0] == _BROTLI_VERSION:
        if not allow_brotli:
            raise CompressionError("brotli before Fjord")
        return _unbrotli(data[1:], limit)
    raise CompressionError(f"unknown channel version {data[0]}")


def _inflate(data: bytes, limit: int) -> bytes:
    """Everything before a defect; the checksum at the end is not looked at, since op-node has read all by then."""
    rest = data[_zlib_header(data) :]
    try:
        return _inflate_pieces([rest], limit)[0]
    except zlib.error:
        # Once more byte by byte: what was read before the defect counts.
        out, error = _inflate_pieces([rest[index : index + 1] for index in range(len(rest))], limit, keep=True)
    if error is not None and not out:
        raise CompressionError(str(error)) from error
    return out


def _inflate_pieces(pieces: list[bytes], limit: int, keep: bool = False) -> tuple[bytes, zlib.error | None]:
    """Feeds a stream piece by piece up to the limit; a defect is raised, or with keep returned beside what was read."""
    stream, out = zlib.decompressobj(-zlib.MAX_WBITS), bytearray()
    try:
        for piece in pieces:
            rest, is_full = piece, True
            while (rest or is_full) and len(out) < limit and not stream.eof:
                size = min(limit - len(out), _CHUNK)
                data = stream.decompress(rest, size)
                # A full buffer may hide output of what is already taken in.
                rest, is_full = stream.unconsumed_tail, len(data) == size
                out += data
    except zlib.error as error:
        if not keep:
            raise
        return bytes(out), error
    return bytes(out), None


def _zlib_header(data: bytes) -> int:
    """The size of a zlib header (RFC 1950, section 2.2); raises CompressionError."""
    if len(data) < 2 or data[0] & 0x0F != zlib.DEFLATED or data[0] >> 4 > 7 or int.from_bytes(data[:2], "big") % 31:
        raise CompressionError("not a zlib header")
    if not data[1] & _PRESET_DICTIONARY:
        return 2
    if data[2:6] != _EMPTY_DICTIONARY:
        raise CompressionError("a zlib stream with a preset dictionary")
    return 6


def _unbrotli(data: bytes, limit: int) -> bytes:
    try:
        return _brotli_pieces([data], limit)[0]
    except brotli.error:
        # Once more byte by byte: what was read before the defect, or before what follows the stream's end, counts.
        out, error = _brotli_pieces([data[index : index + 1] for index in range(len(data))], limit, keep=True)
    if error is not None and not out:
        raise CompressionError(f"brotli: {error}") from error
    return out


def _brotli_pieces(pieces: list[bytes], limit: int, keep: bool = False) -> tuple[bytes, brotli.error | None]:
    """Feeds a stream piece by piece up to the limit; a defect is raised, or with keep returned beside what was read."""
    stream, out = brotli.Decompressor(), bytearray()
    try:
        for piece in pieces:
            data = stream.process(piece, output_buffer_limit=min(limit - len(out), _CHUNK))
            # Output may wait in the decoder after all input is taken in: only a call that gives nothing says it is all.
            while data:
                out += data
                if len(out) >= limit:
                    return bytes(out[:limit]), None
                data = stream.process(b"", output_buffer_limit=min(limit - len(out), _CHUNK))
            if stream.is_finished():
                break
    except brotli.error as error:
        if not keep:
            raise
        return bytes(out[:limit]), error
    return bytes(out[:limit]), None
