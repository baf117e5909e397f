"""The root over a block's transactions or receipts: a trie keyed by the RLP of the index (Yellow Paper, 4.3.2)."""

from collections.abc import Sequence
from typing import Any

from rollup.cooperative import pause
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Hash, keccak256, rlp_encode, to_int_bytes


def ordered_trie_root(items: Sequence[bytes]) -> Hash:
    """The root over encoded transactions or receipts, in one pass."""
    if not items:
        return EMPTY_TRIE_ROOT
    pairs = sorted((rlp_encode(to_int_bytes(index)).hex(), item) for index, item in enumerate(items))
    return keccak256(rlp_encode(_build(pairs, 0, len(pairs), 0)))


def _build(pairs: list[tuple[str, bytes]], start: int, stop: int, depth: int) -> list[Any]:
    first = pairs[start][0]
    if stop - start == 1:
        return [_path(first[depth:], True), pairs[start][1]]
    last = pairs[stop - 1][0]
    shared = depth
    while shared < len(first) and first[shared] == last[shared]:
        shared += 1
    branch: list[Any] = [b""] * 17
    # Keys are prefix-free: RLP of distinct integers.
    low = start
    while low < stop:
        pause()
        nibble = pairs[low][0][shared]
        high = low + 1
        while high < stop and pairs[high][0][shared] == nibble:
            high += 1
        branch[int(nibble, 16)] = _reference(_build(pairs, low, high, shared + 1))
        low = high
    return [_path(first[depth:shared], False), _reference(branch)] if shared > depth else branch


def _reference(node: list[Any]) -> Any:
    encoded = rlp_encode(node)
    return node if len(encoded) < 32 else keccak256(encoded)


def _path(nibbles: str, is_leaf: bool) -> bytes:
    if len(nibbles) & 1:
        return bytes.fromhex(("3" if is_leaf else "1") + nibbles)
    return bytes.fromhex(("20" if is_leaf else "00") + nibbles)
