"""The roots over transactions and receipts against HexaryTrie."""

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
    oracle = HexaryTrie({})
    for index, item in enumerate(items):
        oracle[rlp.encode(index)] = item
    assert ordered_trie_root(items) == oracle.root_hash


def test_no_items() -> None:
    assert ordered_trie_root([]) == EMPTY_TRIE_ROOT
