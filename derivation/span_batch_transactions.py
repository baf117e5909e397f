"""A span batch's transactions, column by column (specs protocol/delta/span-batches.md, "Span Batch Transactions")."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy

from derivation.batches import BatchError, SpanTransactionError
from derivation.span_fields import encode_number, usual_fields, usual_transaction
from rollup.cooperative import in_turns
from rollup.protocol.known_transactions import known_or_decoded
from rollup.protocol.primitives import Address, RlpError, RlpItem, from_int_bytes, rlp_decode, rlp_encode, to_int_bytes
from rollup.protocol.transaction import (
    ACCESS_LIST,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    Transaction,
    TransactionError,
)

_MAX_UVARINT_BYTES = 10
_MAX_TX_LIST = 10_000_000  # bytes of a tx_data's list with its header (op-node: MaxSpanBatchElementCount)
_VARINT_WINDOW, _FEW = 1 << 16, 100
# op-node reads post-exec transactions (type 0x7d) and drops the batch that holds one afterwards, see batch_checks.py.
POST_EXEC = 0x7D
# Fields of each type's tx_data: value, fees, data, lists.
_DATA_FIELDS = {LEGACY: 3, ACCESS_LIST: 4, DYNAMIC_FEE: 5, SET_CODE: 6}


class Reader:
    """Reads a byte string from its start; running out is a BatchError."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._position

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if size > self.left:
            raise BatchError("truncated span batch")
        start = self._position
        self._position += size
        return self._data[start : self._position]

    def uvarint(self) -> int:
        """A varint of at most 64 bits, as Go's encoding/binary reads it."""
        value = 0
        for index in range(_MAX_UVARINT_BYTES):
            byte = self.take(1)[0]
            if index == _MAX_UVARINT_BYTES - 1 and byte > 1:
                raise BatchError("a varint above 64 bits")
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return value
        raise BatchError("a varint above 64 bits")

    def uvarints(self, count: int) -> "numpy.ndarray[Any, numpy.dtype[numpy.uint64]]":
        """The next varints, many at a time: a span may hold ten million of them."""
        found = numpy.empty(count, numpy.uint64)
        done = 0
        while done < count:
            window = numpy.frombuffer(self._data, numpy.uint8, min(self.left, _VARINT_WINDOW), self._position)
            ends = numpy.flatnonzero(window < 0x80)[: count - done]
            if not ends.size:
                raise BatchError(
                    "truncated span batch" if window.size < _MAX_UVARINT_BYTES else "a varint above 64 bits"
                )
            found[done : done + ends.size] = _varint_values(window, ends)
            done += int(ends.size)
            self._position += int(ends[-1]) + 1
        return found

    def peek(self) -> int:
        """The next byte, which stays the next."""
        first = self.take(1)[0]
        self._position -= 1
        return first

    def rlp(self) -> bytes:
        """The next RLP item, still encoded. Its content is not checked."""
        return self.take(self._rlp_size())

    def rlp_list(self, limit: int) -> bytes:
        """The next RLP list of at most limit bytes, still encoded."""
        if self.peek() < 0xC0:
            raise BatchError("an RLP list is expected")
        size = self._rlp_size()
        if size > limit:
            raise BatchError("a transaction's data is too long")
        return self.take(size)

    def short_data(self) -> bytes | None:
        """The next tx_data where its list has fewer than 256 bytes; otherwise None, and it stays the next."""
        data, start = self._data, self._position
        head = data[start : start + 3]
        place = 0 if head[:1] >= b"\x80" else 1
        if len(head) < 3 or not 0xC0 <= head[place] <= 0xF8:
            return None
        end = start + place + 1
        if head[place] < 0xF8:
            end += head[place] - 0xC0
        elif head[place + 1] > 55:
            end += 1 + head[place + 1]
        else:
            return None
        if end > len(data):
            return None
        self._position = end
        return data[start:end]

    def _rlp_size(self) -> int:
        first = self.peek()
        if first < 0x80:
            return 1
        size = first - (0x80 if first < 0xC0 else 0xC0)
        if size <= 55:
            return 1 + size
        head = 1 + size - 55
        length = self._data[self._position + 1 : self._position + head]
        size = int.from_bytes(length, "big")
        if length[:1] == b"\0" or size <= 55:
            raise BatchError("a length is not canonical RLP")
        return head + size


@dataclass(slots=True)
class SpanTransactions:
    """The columns: protected holds a flag a legacy transaction, tos an address a transaction that creates nothing."""

    creations: list[bool] = field(default_factory=list)
    y_parities: list[bool] = field(default_factory=list)
    signatures: list[tuple[int, int]] = field(default_factory=list)
    tos: list[Address] = field(default_factory=list)
    datas: list[bytes] = field(default_factory=list)
    nonces: list[int] = field(default_factory=list)
    gases: list[int] = field(default_factory=list)
    protected: list[bool] = field(default_factory=list)

    @classmethod
    def of(cls, raws: Sequence[bytes]) -> "SpanTransactions":
        """The columns of encoded transactions; raises BatchError for a type span batches cannot hold."""
        columns = cls()
        for raw in in_turns(raws):
            try:
                columns._add(known_or_decoded(raw))
            except TransactionError as error:
                raise BatchError(str(error)) from error
        return columns

    def _add(self, transaction: Transaction) -> None:
        if transaction.tx_type not in _DATA_FIELDS:
            raise BatchError(f"a span batch cannot hold a transaction of type {transaction.tx_type}")
        self.creations.append(transaction.to is None)
        self.y_parities.append(bool(transaction.y_parity))
        self.signatures.append((transaction.r, transaction.s))
        if transaction.to is not None:
            self.tos.append(transaction.to)
        self.datas.append(_encode_data(transaction))
        self.nonces.append(transaction.nonce)
        self.gases.append(transaction.gas_limit)
        if transaction.tx_type == LEGACY:
            self.protected.append(transaction.chain_id is not None)

    def encode(self) -> bytes:
        """The encoded columns, one after the other."""
        return b"".join(
            (
                encode_bits(self.creations),
                encode_bits(self.y_parities),
                encode_signatures(self.signatures),
                *self.tos,
                *self.datas,
                *map(encode_uvarint, in_turns(self.nonces)),
                *map(encode_uvarint, in_turns(self.gases)),
                encode_bits(self.protected),
            )
        )

    @classmethod
    def decode(cls, reader: Reader, count: int) -> "SpanTransactions":
        """Reads the columns of so many transactions; raises BatchError."""
        # spec: span.creation-bits-first
        # A signature alone takes 64 bytes: what is not there cannot make us allocate.
        if count * 64 > reader.left:
            raise BatchError("truncated span batch")
        columns = cls(creations=decode_bits(reader, count), y_parities=decode_bits(reader, count))
        columns.signatures = decode_signatures(reader, count)
        columns.tos = decode_tos(reader, columns.creations)
        columns.datas = decode_datas(reader, count)
        columns.nonces = decode_uvarints(reader, count)
        columns.gases = decode_uvarints(reader, count)
        # A tx_data with a type byte of 0 has a bit as well: op-node counts it as legacy and refuses it later.
        columns.protected = decode_bits(reader, sum(data[0] >= 0xC0 or data[0] == LEGACY for data in columns.datas))
        return columns

    def full_transactions(self, chain_id: int) -> list[bytes]:
        """The encoded transactions; raises SpanTransactionError.

        delta/span-batches.md, "Span Batch Transactions". op-node reads all columns first and puts the transactions
        together afterwards: a fault found here drops this batch, one found while reading ends the channel.
        """
        # spec: span.no-deposits
        for data in in_turns(self.datas):
            if data[0] < 0xC0 and data[0] not in (*_DATA_FIELDS, POST_EXEC):
                raise SpanTransactionError(f"a span batch cannot hold a transaction of type {data[0]}")
        tos, protected = iter(self.tos), iter(self.protected)
        fields_of: dict[bytes, list[Any]] = {}
        raws = []
        encoded_chain_id = encode_number(chain_id)
        for index, data in enumerate(in_turns(self.datas)):
            to = None if self.creations[index] else next(tos)
            if data[0] == POST_EXEC:
                raws.append(data)
                continue
            usual = usual_fields(data)
            if usual is not None:
                place = encoded_chain_id, self.nonces[index], self.gases[index], to
                raws.append(usual_transaction(usual, *place, self.y_parities[index], *self.signatures[index]))
                continue
            fields = fields_of.get(data)
            if fields is None:
                fields = fields_of[data] = _data_fields(data)
            is_protected = next(protected) if data[0] >= 0xC0 else True
            raws.append(self._full(index, data[0], fields, to, chain_id if is_protected else None))
        return raws

    def _full(self, index: int, first: int, fields: list[Any], to: Address | None, chain_id: int | None) -> bytes:
        """One encoded transaction, put together field by field so that lists stay byte for byte what they were."""
        # spec: span.set-code
        parity, (r, s) = int(self.y_parities[index]), self.signatures[index]
        nonce, gas = to_int_bytes(self.nonces[index]), to_int_bytes(self.gases[index])
        target = to or b""
        if first >= 0xC0:
            value, price, payload = fields
            v = parity + (27 if chain_id is None else 35 + 2 * chain_id)
            return rlp_encode(
                [nonce, price, gas, target, value, payload, to_int_bytes(v), to_int_bytes(r), to_int_bytes(s)]
            )
        signature: list[RlpItem] = [to_int_bytes(parity), to_int_bytes(r), to_int_bytes(s)]
        head: list[RlpItem] = [to_int_bytes(chain_id or 0), nonce]
        if first == ACCESS_LIST:
            value, price, payload, *lists = fields
            fees = [price]
        else:
            value, tip, cap, payload, *lists = fields
            fees = [tip, cap]
        if first == SET_CODE and to is None:
            raise SpanTransactionError("a set-code transaction must have a recipient")
        return bytes((first,)) + rlp_encode([*head, *fees, gas, target, value, payload, *lists, *signature])


def _varint_values(
    window: "numpy.ndarray[Any, numpy.dtype[numpy.uint8]]", ends: "numpy.ndarray[Any, numpy.dtype[numpy.intp]]"
) -> "numpy.ndarray[Any, numpy.dtype[numpy.uint64]]":
    """The varints that end at these places, one after the other from the window's start."""
    starts = numpy.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    sizes = ends - starts + 1
    longest = int(sizes.max())
    if longest > _MAX_UVARINT_BYTES or (window[ends[sizes == _MAX_UVARINT_BYTES]] > 1).any():
        raise BatchError("a varint above 64 bits")
    values = numpy.zeros(ends.size, numpy.uint64)
    for place in range(longest):
        has = sizes > place
        values[has] |= (window[starts[has] + place] & 0x7F).astype(numpy.uint64) << numpy.uint64(7 * place)
    return values


def encode_uvarint(value: int) -> bytes:
    """Go's unsigned varint."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_bits(bits: Sequence[bool]) -> bytes:
    """Bit i is the flag of element i; a big-endian integer, left-padded to whole bytes."""
    digits = "".join(["1" if bit else "0" for bit in reversed(bits)])
    return int(digits or "0", 2).to_bytes((len(bits) + 7) // 8, "big")


def decode_bits(reader: Reader, count: int) -> list[bool]:
    """The reverse of encode_bits; a bit beyond the count is a BatchError."""
    number = int.from_bytes(reader.take((count + 7) // 8), "big")
    if number >> count:
        raise BatchError("a span batch's bits are more than its elements")
    digits = bin(number)[2:].rjust(count, "0") if count else ""
    return [digit == "1" for digit in reversed(digits)]


def encode_signatures(signatures: Sequence[tuple[int, int]]) -> bytes:
    """r and s of each transaction, 32 bytes each."""
    return b"".join(r.to_bytes(32, "big") + s.to_bytes(32, "big") for r, s in in_turns(signatures))


def decode_signatures(reader: Reader, count: int) -> list[tuple[int, int]]:
    """The reverse of encode_signatures; raises BatchError."""
    words = [reader.take(64) for _ in in_turns(range(count))]
    return [(int.from_bytes(word[:32], "big"), int.from_bytes(word[32:], "big")) for word in in_turns(words)]


def decode_tos(reader: Reader, creations: Sequence[bool]) -> list[Address]:
    """An address for each transaction that creates nothing; raises BatchError."""
    # spec: span.creation-bits-first
    return [reader.take(20) for creation in in_turns(creations) if not creation]


def decode_datas(reader: Reader, count: int) -> list[bytes]:
    """The tx_data of each transaction, still encoded; raises BatchError."""
    return [reader.short_data() or _read_data(reader) for _ in in_turns(range(count))]


def decode_uvarints(reader: Reader, count: int) -> list[int]:
    """The next `count` varints; raises BatchError."""
    if count <= _FEW:
        return [reader.uvarint() for _ in range(count)]
    return [int(number) for number in reader.uvarints(count).tolist()]


def _encode_data(transaction: Transaction) -> bytes:
    value, data = to_int_bytes(transaction.value), transaction.data
    cap, tip = to_int_bytes(transaction.max_fee_per_gas), to_int_bytes(transaction.max_priority_fee_per_gas)
    access_list: RlpItem = [[address, list(slots)] for address, slots in transaction.access_list]
    if transaction.tx_type == LEGACY:
        return rlp_encode([value, cap, data])
    if transaction.tx_type == ACCESS_LIST:
        return bytes((ACCESS_LIST,)) + rlp_encode([value, cap, data, access_list])
    fields: list[RlpItem] = [value, tip, cap, data, access_list]
    if transaction.tx_type == SET_CODE:
        fields.append(rlp_decode(transaction.encode()[1:])[9])
    return bytes((transaction.tx_type,)) + rlp_encode(fields)


def _read_data(reader: Reader) -> bytes:
    """One tx_data: a type byte if there is one, then a list. Neither its type nor its content is checked yet."""
    if reader.peek() >= 0x80:
        return reader.rlp_list(_MAX_TX_LIST)
    return reader.take(1) + reader.rlp_list(_MAX_TX_LIST)


def _data_fields(data: bytes) -> list[Any]:
    """The fields of a tx_data as geth's decoder takes them; raises SpanTransactionError."""
    tx_type = LEGACY if data[0] >= 0xC0 else data[0]
    try:
        if data[0] == LEGACY:
            raise RlpError("a legacy transaction has no type byte")
        fields = rlp_decode(data if tx_type == LEGACY else data[1:])
        if not isinstance(fields, list) or len(fields) != _DATA_FIELDS[tx_type]:
            raise RlpError(f"tx_data of type {tx_type} does not have {_DATA_FIELDS[tx_type]} fields")
        count = 3 if tx_type in (LEGACY, ACCESS_LIST) else 4
        # A set-code transaction's numbers have 256 bits in geth, the others' any size: those the engine refuses.
        max_bytes = 32 if tx_type == SET_CODE else len(data)
        for number in fields[: count - 1]:
            from_int_bytes(_string(number), max_bytes)
        _string(fields[count - 1])
        for check, item in zip((_check_access_list, _check_authorizations), fields[count:], strict=False):
            check(item)
    except RlpError as error:
        raise SpanTransactionError(str(error)) from error
    return fields


def _string(item: Any, size: int | None = None) -> bytes:
    if not isinstance(item, bytes) or (size is not None and len(item) != size):
        raise RlpError("a field of tx_data has another form")
    return item


def _list(item: Any, size: int | None = None) -> list[Any]:
    if not isinstance(item, list) or (size is not None and len(item) != size):
        raise RlpError("a field of tx_data has another form")
    return item


def _check_access_list(item: Any) -> None:
    for entry in _list(item):
        address, slots = _list(entry, 2)
        _string(address, 20)
        for slot in _list(slots):
            _string(slot, 32)


def _check_authorizations(item: Any) -> None:
    for entry in _list(item):
        chain_id, address, nonce, y_parity, r, s = _list(entry, 6)
        _string(address, 20)
        for number, max_bytes in ((chain_id, 32), (nonce, 8), (y_parity, 1), (r, 32), (s, 32)):
            from_int_bytes(_string(number), max_bytes)
