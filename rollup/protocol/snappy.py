"""Snappy's block format (google/snappy, format_description.txt), used for gossiped payloads. A block is a length as a
varint, then elements: literals, and copies of earlier output.
"""

_BLOCK = 1 << 16  # a copy never reaches further back, so its offset always fits into 16 bits
_MIN_MATCH = 4


class SnappyError(ValueError):
    """Bytes that are not a Snappy block, or a block longer than allowed."""


def decompress(data: bytes, max_length: int) -> bytes:
    """The content of a block. Raises SnappyError, before it allocates memory, if the block claims more than max_length
    bytes.
    """
    length, position = _varint(data)
    if length > max_length:
        raise SnappyError(f"snappy: {length} bytes, at most {max_length} are allowed")
    out = bytearray()
    while position < len(data):
        tag = data[position]
        position += 1
        if tag & 3 == 0:
            size, position = _literal_length(data, position, tag >> 2)
            if position + size > len(data):
                raise SnappyError("snappy: a literal goes beyond the end")
            out += data[position : position + size]
            position += size
        else:
            size, offset, position = _copy(data, position, tag)
            _append_copy(out, offset, size, length)
        if len(out) > length:
            raise SnappyError("snappy: more bytes than the length says")
    if len(out) != length:
        raise SnappyError(f"snappy: {len(out)} bytes, the length says {length}")
    return bytes(out)


def compress(data: bytes) -> bytes:
    """Compresses bytes: four bytes that occurred before become a copy, which is extended as far as the bytes agree."""
    out = bytearray()
    rest = len(data)
    while rest >= 0x80:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    for start in range(0, len(data), _BLOCK):
        _compress_block(data[start : start + _BLOCK], out)
    return bytes(out)


def _varint(data: bytes) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[:5]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if value > 0xFFFFFFFF:
                break
            return value, index + 1
    raise SnappyError("snappy: no length at the beginning")


def _literal_length(data: bytes, position: int, short: int) -> tuple[int, int]:
    if short < 60:
        return short + 1, position
    size = short - 59  # bytes of the length, little-endian
    if position + size > len(data):
        raise SnappyError("snappy: a literal's length goes beyond the end")
    return int.from_bytes(data[position : position + size], "little") + 1, position + size


def _copy(data: bytes, position: int, tag: int) -> tuple[int, int, int]:
    """Size, offset, next position of a copy with one, two or four bytes of offset."""
    size = (1, 2, 4)[(tag & 3) - 1]
    if position + size > len(data):
        raise SnappyError("snappy: a copy's offset goes beyond the end")
    offset = int.from_bytes(data[position : position + size], "little")
    if size == 1:
        return (tag >> 2 & 7) + 4, (tag >> 5) << 8 | offset, position + 1
    return (tag >> 2) + 1, offset, position + size


def _append_copy(out: bytearray, offset: int, size: int, length: int) -> None:
    start = len(out) - offset
    if offset == 0 or start < 0:
        raise SnappyError("snappy: a copy from before the beginning")
    if len(out) + size > length:
        raise SnappyError("snappy: more bytes than the length says")
    if offset >= size:
        out += out[start : start + size]
    else:  # the copy overlaps its own output
        out += (out[start:] * (size // offset + 1))[:size]


def _compress_block(block: bytes, out: bytearray) -> None:
    seen: dict[bytes, int] = {}
    anchor = position = 0
    while position + _MIN_MATCH <= len(block):
        key = block[position : position + _MIN_MATCH]
        earlier = seen.get(key)
        seen[key] = position
        if earlier is None:
            position += 1
            continue
        end, reference = position + _MIN_MATCH, earlier + _MIN_MATCH
        while end < len(block) and block[end] == block[reference]:
            end += 1
            reference += 1
        _put_literal(block[anchor:position], out)
        _put_copy(position - earlier, end - position, out)
        anchor = position = end
    _put_literal(block[anchor:], out)


def _put_literal(literal: bytes, out: bytearray) -> None:
    if not literal:
        return
    last = len(literal) - 1
    if last < 60:
        out.append(last << 2)
    else:
        size = (last.bit_length() + 7) // 8
        out.append((59 + size) << 2)
        out += last.to_bytes(size, "little")
    out += literal


def _put_copy(offset: int, size: int, out: bytearray) -> None:
    while size:
        # A rest under four bytes cannot be a copy with an offset of one byte.
        part = min(size, 64) if size < 65 or size > 67 else 60
        if 4 <= part < 12 and offset < 2048:
            out += bytes((offset >> 8 << 5 | (part - 4) << 2 | 1, offset & 0xFF))
        else:
            out.append((part - 1) << 2 | 2)
            out += offset.to_bytes(2, "little")
        size -= part
