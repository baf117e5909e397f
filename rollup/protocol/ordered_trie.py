"""The root over a block's transactions or receipts: a trie keyed by the RLP of the index (Yellow Paper, 4.3.2).

From index 128 on, the keys of sixteen neighbours differ in their last nibble alone. So sixteen of them are one branch,
and the nodes above are a sixteenth of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rollup.cooperative import pause
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Hash, keccak256, rlp_encode, to_int_bytes

_BRANCH = 16
_ONE_BYTE = 128  # indexes below it are keys of one byte; zero's key comes after theirs
_EMPTY_LEAF_PATH = b"\x20"
_HASHES_HEAD = b"\xf9\x02\x11"  # RLP: before a branch of sixteen hashes and no value
# Sizes of items whose leaf has the same form of RLP: lengths in one byte for both the list and the item, or in two.
_LEAF_SHORTEST, _LEAF_ONE_BYTE, _LEAF_TWO_BYTES = 56, 252, 256


@dataclass(slots=True, frozen=True)
class _Entry:
    """An item by its key, or a full branch by the key that its items share. Keys are in hexadecimal."""

    key: str
    item: bytes = b""
    branch: Any = None  # its reference


def ordered_trie_root(items: Sequence[bytes]) -> Hash:
    """The root over encoded transactions or receipts."""
    if not items:
        return EMPTY_TRIE_ROOT
    full = len(items) - (len(items) - _ONE_BYTE) % _BRANCH if len(items) > _ONE_BYTE else len(items)
    entries = [_Entry(_key(index), item) for index, item in enumerate(items[1:_ONE_BYTE], 1)]
    entries.append(_Entry(_key(0), items[0]))
    for index in range(_ONE_BYTE, full, _BRANCH):
        pause()
        entries.append(_full_branch(index, items[index : index + _BRANCH]))
    entries += [_Entry(_key(index), items[index]) for index in range(full, len(items))]
    return keccak256(rlp_encode(_node(entries, 0, len(entries), 0)))


def _key(index: int) -> str:
    return rlp_encode(to_int_bytes(index)).hex()


def _full_branch(first: int, items: Sequence[bytes]) -> _Entry:
    leaves = [_leaf(item) for item in items]
    if b"" in leaves:
        node: list[Any] = [_reference([_EMPTY_LEAF_PATH, item]) for item in items]
        node.append(b"")
        return _Entry(_key(first)[:-1], branch=_reference(node))
    return _Entry(_key(first)[:-1], branch=keccak256(b"%b\xa0%b\x80" % (_HASHES_HEAD, b"\xa0".join(leaves))))


def _leaf(item: bytes) -> bytes:
    """The hash of a leaf with no nibbles left, or nothing where the item is so short that its node is not hashed."""
    size = len(item)
    if _LEAF_SHORTEST <= size <= _LEAF_ONE_BYTE:
        return keccak256(b"\xf8%c\x20\xb8%c%b" % (size + 3, size, item))
    if _LEAF_TWO_BYTES <= size < 1 << 15:
        return keccak256(b"\xf9%b\x20\xb9%b%b" % ((size + 4).to_bytes(2, "big"), size.to_bytes(2, "big"), item))
    return b"" if size < _LEAF_SHORTEST else keccak256(rlp_encode([_EMPTY_LEAF_PATH, item]))


def _node(entries: list[_Entry], start: int, stop: int, depth: int) -> list[Any]:
    """The node over some entries, whose keys are equal up to the depth."""
    first = entries[start].key
    if stop - start == 1:
        entry = entries[start]
        if entry.branch is None:
            return [_path(first[depth:], True), entry.item]
        return [_path(first[depth:], False), entry.branch]
    last = entries[stop - 1].key
    shared = depth
    while shared < len(first) and first[shared] == last[shared]:
        shared += 1
    branch: list[Any] = [b""] * (_BRANCH + 1)
    # Keys are prefix-free: RLP of distinct integers.
    low = start
    while low < stop:
        pause()
        nibble = entries[low].key[shared]
        high = low + 1
        while high < stop and entries[high].key[shared] == nibble:
            high += 1
        branch[int(nibble, 16)] = _child(entries, low, high, shared + 1)
        low = high
    return [_path(first[depth:shared], False), _reference(branch)] if shared > depth else branch


def _child(entries: list[_Entry], start: int, stop: int, depth: int) -> Any:
    entry = entries[start]
    if entry.branch is not None and len(entry.key) == depth:
        return entry.branch
    return _reference(_node(entries, start, stop, depth))


def _reference(node: list[Any]) -> Any:
    encoded = rlp_encode(node)
    return node if len(encoded) < 32 else keccak256(encoded)


def _path(nibbles: str, is_leaf: bool) -> bytes:
    if len(nibbles) & 1:
        return bytes.fromhex(("3" if is_leaf else "1") + nibbles)
    return bytes.fromhex(("20" if is_leaf else "00") + nibbles)
