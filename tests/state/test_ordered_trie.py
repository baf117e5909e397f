"""The roots over transactions and receipts against HexaryTrie."""

import pytest
import rlp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.primitives import EMPTY_TRIE_ROOT


@given(st.lists(st.binary(min_size=1, max_size=70), max_size=300))
@example([b"x" * 40] * 128)
@example([b"x" * 40] * 129)
@example([b"x"] * 257)
@settings(max_examples=40, deadline=None)
def test_roots_equal_hexary_tries(items: list[bytes]) -> None:
    assert ordered_trie_root(items) == hexary_root(items)


def test_roots_equal_hexary_tries_at_every_count_around_a_full_branch() -> None:
    oracle = HexaryTrie({})
    items: list[bytes] = []
    for index in range(600):
        item = b"%d" % index * (1 + index % 40)  # short ones are in their parent node, not behind a hash
        oracle[rlp.encode(index)] = item
        items.append(item)
        if index < 20 or index % 16 in (15, 0, 1):
            assert ordered_trie_root(items) == oracle.root_hash, index


@pytest.mark.parametrize("size", [1, 28, 29, 55, 56, 57, 251, 252, 253, 254, 255, 256, 257, 32_767, 32_768, 65_536])
def test_roots_equal_hexary_tries_for_items_of_every_form_of_length(size: int) -> None:
    items = [bytes((index,)) * size for index in range(1, 161)]
    assert ordered_trie_root(items) == hexary_root(items)
    assert ordered_trie_root([*items[:150], b"x", *items[:9]]) == hexary_root([*items[:150], b"x", *items[:9]])


@pytest.mark.slow
def test_keys_of_three_bytes_and_more_are_in_order() -> None:
    items = [b"%d" % index for index in range(66_000)]  # an index from 65,536 on has three bytes
    assert ordered_trie_root(items) == hexary_root(items)


def test_no_items() -> None:
    assert ordered_trie_root([]) == EMPTY_TRIE_ROOT


def hexary_root(items: list[bytes]) -> bytes:
    oracle = HexaryTrie({})
    with oracle.squash_changes() as batch:
        for index, item in enumerate(items):
            batch[rlp.encode(index)] = item
    return bytes(oracle.root_hash)
