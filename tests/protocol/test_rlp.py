"""RLP is strict, both ways, and cannot be nested into a crash."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.protocol.primitives import (
    RlpError,
    rlp_decode,
    rlp_encode,
    rlp_int,
    rlp_list_of,
    rlp_without_last,
    to_int_bytes,
)
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction, TransactionError, decode_transaction

items = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=20)
heads = st.sampled_from([0x00, 0x7F, 0x80, 0x81, 0x82, 0xB7, 0xB8, 0xBF, 0xC0, 0xC1, 0xC2, 0xF7, 0xF8, 0xFF])
hostile = st.binary(max_size=20) | st.lists(heads | st.integers(0, 255), max_size=20).map(bytes)


def as_list(item: Any) -> Any:
    return item if isinstance(item, bytes) else [as_list(entry) for entry in item]


@given(item=items)
@settings(deadline=None, derandomize=True)
def test_round_trip(item: Any) -> None:
    assert as_list(rlp_decode(rlp_encode(item))) == item


@given(number=st.integers(0, 2**256) | st.integers(0, 300))
@settings(deadline=None, derandomize=True)
def test_an_integer_is_encoded_as_its_bytes(number: int) -> None:
    assert rlp_int(number) == rlp_encode(to_int_bytes(number))


@pytest.mark.parametrize("size", [0, 1, 54, 55, 56, 57, 255, 256, 257, 65_535, 65_536, 65_537, 2**24])
def test_a_list_of_encoded_items_is_the_list_of_the_items(size: int) -> None:
    assert rlp_list_of(b"\x01" * size) == rlp_encode([b"\x01"] * size)


@given(first=st.lists(items, max_size=8), last=st.lists(st.integers(0, 2**256), max_size=4))
@settings(deadline=None, derandomize=True)
def test_a_list_without_its_last_numbers_is_the_list_of_the_others(first: list[Any], last: list[int]) -> None:
    whole = rlp_encode([*first, *map(to_int_bytes, last)])
    assert rlp_without_last(whole, last) == rlp_encode(first)


@given(data=hostile, wrap=st.booleans())
@settings(max_examples=600, deadline=None, derandomize=True)
def test_only_the_canonical_encoding_is_accepted(data: bytes, wrap: bool) -> None:
    data = bytes((0xC0 + len(data),)) + data if wrap else data
    try:
        item = rlp_decode(data)
    except RlpError:
        return
    assert rlp_encode(item) == data


@pytest.mark.parametrize("text", ["c3800081", "c20cc2", "c204ff", "c200fa", "c4c2800181", "c181", "c3c20181"])
def test_a_truncated_last_item(text: str) -> None:
    with pytest.raises(RlpError):
        rlp_decode(bytes.fromhex(text))


def test_a_transaction_has_one_encoding() -> None:
    """A byte more in the list would be another hash for the same signed fields."""
    raw = Transaction(DYNAMIC_FEE, to=b"\1" * 20, chain_id=901, data=b"\2" * 100).signed(b"\7" * 32).encode()
    assert decode_transaction(raw).encode() == raw
    fields = raw[1:]
    assert fields[0] == 0xF8
    longer = raw[:1] + bytes((0xF8, fields[1] + 1)) + fields[2:] + b"\x82"
    with pytest.raises(TransactionError):
        decode_transaction(longer)


def nested(depth: int) -> bytes:
    """Lists in lists: the heads are made from the inside to the outside."""
    heads, size = [b"\xc0"], 1
    for _ in range(depth):
        length = to_int_bytes(size)
        heads.append(bytes((0xC0 + size,)) if size < 56 else bytes((0xF7 + len(length),)) + length)
        size += len(heads[-1])
    return b"".join(reversed(heads))


@pytest.mark.parametrize("depth", [10_000, 40_000, 100_000])
def test_deep_lists_are_an_error(depth: int) -> None:
    data = nested(depth)
    for hostile_data in (data, rlp_encode([b"x" * 20_000, b""])[:-1] + data):
        with pytest.raises(RlpError):
            rlp_decode(hostile_data)
    with pytest.raises(TransactionError):
        decode_transaction(b"\2" + data)


def test_lists_as_deep_as_short_data_allows() -> None:
    data = nested(5_000)
    assert len(data) < 16_384
    assert rlp_encode(rlp_decode(data)) == data


def test_long_flat_data_is_taken() -> None:
    for item in ([b"\1"] * 50_000, [b"x" * 100_000, [b"y" * 70] * 500], [[[b"", []]] * 9_000]):
        assert rlp_decode(rlp_encode(item)) == item
