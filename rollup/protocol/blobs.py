"""Data in blobs: 4,096 field elements of 32 bytes, of which 254 bits each hold data.

Encoding version 0: specs protocol/ecotone/derivation.md, "Blob Encoding".
"""

BLOB_SIZE = 4096 * 32
MAX_BLOB_DATA_SIZE = (4 * 31 + 3) * 1024 - 4  # bytes
_ROUNDS = 1024
_VERSION = 0


class BlobError(ValueError):
    """A blob that is not in this encoding."""


def encode_blob(data: bytes) -> bytes:
    """One blob of at most MAX_BLOB_DATA_SIZE bytes of data; raises BlobError above."""
    if len(data) > MAX_BLOB_DATA_SIZE:
        raise BlobError(f"{len(data)} bytes do not fit a blob of {MAX_BLOB_DATA_SIZE}")
    stream = bytes((_VERSION,)) + len(data).to_bytes(3, "big") + data
    blob = bytearray(BLOB_SIZE)
    # A round: 31 bytes in each of 4 elements, and 3 more spread over the 6 bits at the top of each.
    for number, start in enumerate(range(0, len(stream), 127)):
        chunk = stream[start : start + 127].ljust(127, b"\0")
        x, y, z = chunk[31], chunk[63], chunk[95]
        base = number * 128
        blob[base] = x & 0x3F
        blob[base + 1 : base + 32] = chunk[0:31]
        blob[base + 32] = y & 0x0F | (x & 0xC0) >> 2
        blob[base + 33 : base + 64] = chunk[32:63]
        blob[base + 64] = z & 0x3F
        blob[base + 65 : base + 96] = chunk[64:95]
        blob[base + 96] = (z & 0xC0) >> 2 | (y & 0xF0) >> 4
        blob[base + 97 : base + 128] = chunk[96:127]
    return bytes(blob)


def decode_blob(blob: bytes) -> bytes:
    """The data of a blob. Raises BlobError."""
    # spec: blob.first-element-masked, blob.high-bits, blob.trailing-zeros, blob.length
    if len(blob) != BLOB_SIZE:
        raise BlobError(f"a blob has {BLOB_SIZE} bytes, not {len(blob)}")
    if blob[1] != _VERSION:
        raise BlobError(f"unknown blob encoding version {blob[1]}")
    length = int.from_bytes(blob[2:5], "big")
    if length > MAX_BLOB_DATA_SIZE:
        raise BlobError(f"a blob cannot hold {length} bytes")
    out = bytearray()
    for base in range(0, BLOB_SIZE, 128):
        tops = blob[base], blob[base + 32], blob[base + 64], blob[base + 96]
        # The blob's very first byte is masked, not checked: specs #923, and op-node's Blob.ToData.
        if (tops[0] * (base > 0) | tops[1] | tops[2] | tops[3]) & 0xC0:
            raise BlobError("a field element has its high bits set")
        if len(out) >= length + 4:
            if any(blob[base : base + 128]):
                raise BlobError("data after the end")
            continue
        out += blob[base + 1 : base + 32]
        out.append(tops[0] & 0x3F | (tops[1] & 0x30) << 2)
        out += blob[base + 33 : base + 64]
        out.append(tops[1] & 0x0F | (tops[3] & 0x0F) << 4)
        out += blob[base + 65 : base + 96]
        out.append(tops[2] & 0x3F | (tops[3] & 0x30) << 2)
        out += blob[base + 97 : base + 128]
    if any(out[length + 4 :]):
        raise BlobError("data after the end")
    return bytes(out[4 : length + 4])
