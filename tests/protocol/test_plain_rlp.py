"""RLP in plain Python against rusty-rlp: the same bytes, the same items, the same refusals."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.protocol import plain_rlp
from rollup.protocol.primitives import RlpError, rlp_decode, rlp_encode

rusty_rlp = pytest.importorskip("rusty_rlp", reason="rusty-rlp has no wheel for this Python: nothing to compare with")

_SIZES = st.sampled_from([0, 1, 2, 55, 56, 57, 255, 256, 300])
_ITEMS = st.recursive(
    st.binary(max_size=4) | st.builds(bytes, _SIZES), lambda inner: st.lists(inner, max_size=60), max_leaves=80
)


def _outcome(data: bytes) -> Any:
    try:
        return rlp_decode(data)
    except RlpError:
        return RlpError


def _reference(data: bytes) -> Any:
    """The answer of rusty-rlp. It ignores a truncated item at the end of a list: encoding again shows it."""
    try:
        item = rusty_rlp.decode_raw(data, True, False)[0]
    except (rusty_rlp.DecodingError, TypeError, OverflowError):
        return RlpError
    return RlpError if isinstance(item, list) and rusty_rlp.encode_raw(item) != data else item


@given(_ITEMS)
def test_both_codecs_encode_and_decode_the_same(item: Any) -> None:
    encoded = rlp_encode(item)
    assert plain_rlp.encode(item) == encoded
    assert _outcome(encoded) == _reference(encoded) == item


@given(_ITEMS, st.data())
def test_both_codecs_refuse_the_same_changed_bytes(item: Any, data: st.DataObject) -> None:
    encoded = bytearray(rlp_encode(item))
    for _ in range(data.draw(st.integers(1, 3))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    changed = bytes(encoded[: data.draw(st.integers(0, len(encoded)))]) + data.draw(st.binary(max_size=2))
    assert _outcome(changed) == _reference(changed)


@given(st.binary(max_size=12))
def test_both_codecs_agree_on_any_bytes(data: bytes) -> None:
    assert _outcome(data) == _reference(data)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_kind_of_bytes_is_decoded_to_plain_bytes(kind: Any) -> None:
    encoded = rlp_encode([b"cat", [b"\1"]])
    found = rlp_decode(kind(encoded))
    assert found == [b"cat", [b"\1"]]
    assert type(found[0]) is bytes


def test_deep_lists_are_decoded_without_recursion() -> None:
    deep = b""
    for _ in range(5_000):
        deep = plain_rlp._head(0xC0, len(deep)) + deep
    item = plain_rlp.decode(deep)
    for _ in range(4_999):
        (item,) = item
    assert item == []


def test_plain_encoding_refuses_what_is_not_bytes() -> None:
    with pytest.raises(TypeError, match="not int"):
        plain_rlp.encode([1])
