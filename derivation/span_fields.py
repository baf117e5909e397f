"""Type-2 transactions of a span batch, put together from the encoded fields of their tx_data.

All fields of a transaction are in its columns. Those of tx_data are RLP already, so they are copied and not decoded.
Only the usual form is handled: canonical numbers of at most 32 bytes, data of at most 255 bytes, an empty access list.
`usual_fields` returns None for every other tx_data, which span_batch_transactions.py then decodes field by field.
"""

from dataclasses import dataclass

from rollup.protocol.primitives import Address, to_int_bytes
from rollup.protocol.transaction import DYNAMIC_FEE

_NO_ACCESS_LIST = b"\xc0"


@dataclass(slots=True, frozen=True)
class UsualFields:
    """The fields of a tx_data, each still encoded: value, both fees, and data with the empty access list."""

    value: bytes
    fees: bytes
    rest: bytes


def usual_fields(data: bytes) -> UsualFields | None:
    """Splits a type-2 tx_data of the usual form; None for any other."""
    size = len(data)
    if size < 7 or data[0] != DYNAMIC_FEE or not data.endswith(_NO_ACCESS_LIST):
        return None
    if data[1] < 0xF8:
        start, length = 2, data[1] - 0xC0
    else:
        start, length = 3, data[2]
        if data[1] > 0xF8 or length <= 55:
            return None
    if size - start != length:
        return None
    fees = _number_end(data, start)
    tip = _number_end(data, fees)
    payload = _number_end(data, tip)
    if payload == 0 or _payload_end(data, payload) != size - 1:
        return None
    return UsualFields(data[start:fees], data[fees:payload], data[payload:])


def usual_transaction(
    fields: UsualFields, chain_id: bytes, nonce: int, gas: int, to: Address | None, parity: bool, r: int, s: int
) -> bytes:
    """The EIP-2718 bytes of a type-2 transaction. chain_id is encoded."""
    content = b"".join(
        (
            chain_id,
            encode_number(nonce),
            fields.fees,
            encode_number(gas),
            b"\x80" if to is None else b"\x94" + to,
            fields.value,
            fields.rest,
            b"\x01" if parity else b"\x80",
            encode_number(r),
            encode_number(s),
        )
    )
    size = len(content)
    if size <= 55:
        return bytes((DYNAMIC_FEE, 0xC0 + size)) + content
    length = to_int_bytes(size)
    return bytes((DYNAMIC_FEE, 0xF7 + len(length))) + length + content


def encode_number(number: int) -> bytes:
    """The RLP of a number below 2**256."""
    if number < 0x80:
        return bytes((number or 0x80,))
    size = (number.bit_length() + 7) // 8
    return bytes((0x80 + size,)) + number.to_bytes(size, "big")


def _number_end(data: bytes, start: int) -> int:
    """The place after a canonical number that begins at start and leaves a byte after it; otherwise 0."""
    if not 0 < start < len(data) - 1:
        return 0
    first = data[start]
    if first < 0x80:
        return start + 1 if first else 0
    size = first - 0x80
    end = start + 1 + size
    if size > 32 or end >= len(data):
        return 0
    if size and (data[start + 1] == 0 or (size == 1 and data[start + 1] < 0x80)):
        return 0
    return end


def _payload_end(data: bytes, start: int) -> int:
    """The place after a canonical string of at most 255 bytes that begins at start; otherwise 0."""
    first = data[start]
    if first < 0x80:
        return start + 1
    if first == 0x81:
        return start + 2 if data[start + 1] >= 0x80 else 0
    if first <= 0xB7:
        return start + 1 + first - 0x80
    if first == 0xB8 and data[start + 1] > 55:
        return start + 2 + data[start + 1]
    return 0
