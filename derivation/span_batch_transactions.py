"""A span batch's transactions, column by column (specs protocol/delta/span-batches.md, "Span Batch Transactions")."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from derivation.batches import BatchError
from rollup.protocol.primitives import Address, RlpError, RlpItem, rlp_decode, rlp_encode, to_int_bytes
from rollup.protocol.transaction import (
    ACCESS_LIST,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    Transaction,
    TransactionError,
    decode_transaction,
)

_MAX_UVARINT_BYTES = 10
_MAX_TX_DATA = 10_000_000  # bytes, MaxSpanBatchElementCount
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

    def rlp(self) -> bytes:
        """The next RLP item, still encoded."""
        first = self.take(1)[0]
        self._position -= 1
        if first < 0x80:
            return self.take(1)
        base = 0x80 if first < 0xC0 else 0xC0
        size = first - base
        if size <= 55:
            return self.take(1 + size)
        length_size = size - 55
        length = int.from_bytes(self._data[self._position + 1 : self._position + 1 + length_size], "big")
        return self.take(1 + length_size + length)


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
        for raw in raws:
            try:
                columns._add(decode_transaction(raw))
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
        """All columns, one after the other."""
        return b"".join(
            (
                encode_bits(self.creations),
                encode_bits(self.y_parities),
                encode_signatures(self.signatures),
                *self.tos,
                *self.datas,
                *(encode_uvarint(nonce) for nonce in self.nonces),
                *(encode_uvarint(gas) for gas in self.gases),
                encode_bits(self.protected),
            )
        )

    @classmethod
    def decode(cls, reader: Reader, count: int, allow_set_code: bool = True) -> "SpanTransactions":
        """Reads the columns of so many transactions; raises BatchError."""
        # A signature alone takes 64 bytes: what is not there cannot make us allocate.
        if count * 64 > reader.left:
            raise BatchError("truncated span batch")
        columns = cls(creations=decode_bits(reader, count), y_parities=decode_bits(reader, count))
        columns.signatures = decode_signatures(reader, count)
        columns.tos = decode_tos(reader, columns.creations)
        columns.datas = decode_datas(reader, count, allow_set_code)
        columns.nonces = decode_uvarints(reader, count)
        columns.gases = decode_uvarints(reader, count)
        columns.protected = decode_bits(reader, sum(data[0] >= 0xC0 for data in columns.datas))
        return columns

    def full_transactions(self, chain_id: int) -> list[bytes]:
        """The encoded transactions; raises BatchError."""
        tos, protected = iter(self.tos), iter(self.protected)
        raws = []
        for index, data in enumerate(self.datas):
            to = None if self.creations[index] else next(tos)
            tx_type = LEGACY if data[0] >= 0xC0 else data[0]
            is_protected = next(protected) if tx_type == LEGACY else True
            raws.append(self._full(index, tx_type, data, to, chain_id if is_protected else None))
        return raws

    def _full(self, index: int, tx_type: int, data: bytes, to: Address | None, chain_id: int | None) -> bytes:
        """One encoded transaction, put together field by field so that lists stay byte for byte what they were."""
        fields = _data_fields(tx_type, data)
        parity, (r, s) = int(self.y_parities[index]), self.signatures[index]
        nonce, gas = to_int_bytes(self.nonces[index]), to_int_bytes(self.gases[index])
        target = to or b""
        if tx_type == LEGACY:
            value, price, payload = fields
            v = parity + (27 if chain_id is None else 35 + 2 * chain_id)
            return rlp_encode(
                [nonce, price, gas, target, value, payload, to_int_bytes(v), to_int_bytes(r), to_int_bytes(s)]
            )
        signature: list[RlpItem] = [to_int_bytes(parity), to_int_bytes(r), to_int_bytes(s)]
        head: list[RlpItem] = [to_int_bytes(chain_id or 0), nonce]
        if tx_type == ACCESS_LIST:
            value, price, payload, *lists = fields
            fees = [price]
        else:
            value, tip, cap, payload, *lists = fields
            fees = [tip, cap]
        if tx_type == SET_CODE and to is None:
            raise BatchError("a set-code transaction must have a recipient")
        raw = bytes((tx_type,)) + rlp_encode([*head, *fees, gas, target, value, payload, *lists, *signature])
        if any(lists):
            _check_form(raw)
        return raw


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
    number = 0
    for index, bit in enumerate(bits):
        number |= bit << index
    return number.to_bytes((len(bits) + 7) // 8, "big")


def decode_bits(reader: Reader, count: int) -> list[bool]:
    """The reverse of encode_bits; a bit beyond the count is a BatchError."""
    number = int.from_bytes(reader.take((count + 7) // 8), "big")
    if number >> count:
        raise BatchError("a span batch's bits are more than its elements")
    digits = bin(number)[2:].rjust(count, "0") if count else ""
    return [digit == "1" for digit in reversed(digits)]


def encode_signatures(signatures: Sequence[tuple[int, int]]) -> bytes:
    """r and s of each transaction, 32 bytes each."""
    return b"".join(r.to_bytes(32, "big") + s.to_bytes(32, "big") for r, s in signatures)


def decode_signatures(reader: Reader, count: int) -> list[tuple[int, int]]:
    """The reverse of encode_signatures; raises BatchError."""
    words = [reader.take(64) for _ in range(count)]
    return [(int.from_bytes(word[:32], "big"), int.from_bytes(word[32:], "big")) for word in words]


def decode_tos(reader: Reader, creations: Sequence[bool]) -> list[Address]:
    """An address for each transaction that creates nothing; raises BatchError."""
    return [reader.take(20) for creation in creations if not creation]


def decode_datas(reader: Reader, count: int, allow_set_code: bool = True) -> list[bytes]:
    """The tx_data of each transaction, still encoded; raises BatchError."""
    return [_read_data(reader, allow_set_code) for _ in range(count)]


def decode_uvarints(reader: Reader, count: int) -> list[int]:
    """So many varints; raises BatchError."""
    return [reader.uvarint() for _ in range(count)]


def _check_form(raw: bytes) -> None:
    """Raises BatchError for an access list or authorizations of another form: op-node decodes them with the batch."""
    try:
        decode_transaction(raw)
    except TransactionError as error:
        raise BatchError(str(error)) from error


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


def _read_data(reader: Reader, allow_set_code: bool) -> bytes:
    """One tx_data: a type byte if there is one, then a list."""
    first = reader.take(1)[0]
    if first >= 0xC0:
        reader._position -= 1
        data = reader.rlp()
    else:
        allowed = first in (ACCESS_LIST, DYNAMIC_FEE) or (first == SET_CODE and allow_set_code)
        if not allowed:
            raise BatchError(f"a span batch cannot hold a transaction of type {first}")
        data = bytes((first,)) + reader.rlp()
    if len(data) > _MAX_TX_DATA:
        raise BatchError("a transaction's data is too long")
    return data


def _data_fields(tx_type: int, data: bytes) -> list[Any]:
    try:
        fields = rlp_decode(data if tx_type == LEGACY else data[1:])
    except RlpError as error:
        raise BatchError(str(error)) from error
    if not isinstance(fields, list) or len(fields) != _DATA_FIELDS[tx_type]:
        raise BatchError(f"tx_data of type {tx_type} has not {_DATA_FIELDS[tx_type]} fields")
    scalars = fields[: 3 if tx_type in (LEGACY, ACCESS_LIST) else 4]
    if not all(isinstance(item, bytes) for item in scalars):
        raise BatchError("a field of tx_data is a list")
    if any(item[:1] == b"\0" or len(item) > 32 for item in scalars[:-1]):
        raise BatchError("a number of tx_data is not canonical")
    if not all(isinstance(item, list) for item in fields[len(scalars) :]):
        raise BatchError("a list of tx_data is a byte string")
    return fields
