"""The trie against HexaryTrie: roots, contents and proofs over random changes."""

import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from rollup.execution.state.trie import Trie
from rollup.execution.state.trie_nodes import decode_path, encode_path
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, keccak256

# Few distinct hashed keys, and unhashed ones that share 60 and more nibbles.
HASHED = [keccak256(bytes([i])) for i in range(40)]
DEEP = [bytes(30) + bytes([i // 16, i % 16]) for i in range(40)]
keys = st.sampled_from(HASHED + DEEP)
values = st.one_of(st.just(b""), st.binary(min_size=1, max_size=3), st.binary(min_size=33, max_size=80))
blocks = st.lists(st.dictionaries(keys, values, max_size=25), max_size=12)


@given(blocks)
@settings(max_examples=150, deadline=None)
def test_every_root_content_and_proof_equals_hexary_tries(changes: list[dict[bytes, bytes]]) -> None:
    nodes: dict[bytes, bytes] = {}
    oracle, live, root = HexaryTrie({}), dict[bytes, bytes](), EMPTY_TRIE_ROOT
    for change in changes:
        for key, value in change.items():
            if value:
                oracle[key] = live[key] = value
            elif key in live:
                del oracle[key]
                del live[key]
        update = Trie(nodes, root).update(change)
        nodes.update(update.added)
        root = update.root
        assert root == oracle.root_hash
    trie = Trie(nodes, root)
    assert dict(trie.items()) == live
    for key in HASHED[:5] + DEEP[:5]:
        assert trie.get(key) == live.get(key, b"")
        if live:
            proof = [rlp.decode(node) for node in trie.prove(key)]
            assert HexaryTrie.get_from_proof(root, key, proof) == live.get(key, b"")


@given(blocks)
@settings(max_examples=80, deadline=None)
def test_counting_places_leaves_exactly_the_nodes_of_the_last_root(changes: list[dict[bytes, bytes]]) -> None:
    nodes: dict[bytes, bytes] = {}
    counts: dict[bytes, int] = {}
    root = EMPTY_TRIE_ROOT
    for change in changes:
        update = Trie(nodes, root).update(change)
        nodes.update(update.added)
        for node_hash in update.gained:
            counts[node_hash] = counts.get(node_hash, 0) + 1
        for node_hash in update.lost:
            counts[node_hash] -= 1
        nodes = {key: node for key, node in nodes.items() if counts.get(key)}
        root = update.root
    whole = Trie({}, EMPTY_TRIE_ROOT).update(dict(Trie(nodes, root).items()))
    assert nodes == whole.added


@given(st.text(alphabet="0123456789abcdef", max_size=64), st.booleans())
def test_hex_prefix_round_trips(nibbles: str, is_leaf: bool) -> None:
    assert decode_path(encode_path(nibbles, is_leaf)) == (nibbles, is_leaf)
