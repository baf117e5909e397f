"""A Merkle Patricia trie that applies all changes of a block at once and hashes each changed node once.

Yellow Paper, appendix D. Keys are 32-byte hashes (of the secure trie), so no key is a prefix of another and a branch
holds no value. Nodes are kept in their encoded form. If the children of a branch keep their places, the new hashes are
written over the old ones. Only a node that changes its shape is decoded to a list and encoded again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from rollup.cooperative import pause
from rollup.execution.state.trie_nodes import (
    FULL_BRANCH,
    HASH_ITEM,
    child_of,
    decode_path,
    encode_path,
    has_path,
    is_branch,
    item_at,
    place_of,
    put_hashes,
)
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Hash, keccak256, rlp_decode, rlp_encode

Node = list[Any]  # a branch of 17 items, or a leaf or extension of 2, decoded
Outcome = (
    Node | Hash | None
)  # the result of an update below a node: a node without a parent yet, the hash of a finished one, or nothing
Pair = tuple[str, bytes]  # key as 64 hex digits, value (empty deletes)

_EMPTY_BRANCH: Node = [b""] * 17
_NIBBLES = "0123456789abcdef"


class MissingNode(KeyError):
    """A node or code with this hash is not in the store (a pruned state, an incomplete witness)."""

    def __init__(self, node_hash: Hash) -> None:
        super().__init__(node_hash)
        self.hash = node_hash

    def __str__(self) -> str:
        return f"missing preimage 0x{self.hash.hex()}"


class NodeReader(Protocol):
    """Encoded nodes by hash."""

    def get(self, key: bytes, /) -> bytes | None: ...


@dataclass(slots=True)
class TrieUpdate:
    """A new root, the added nodes (encoded, by hash) and the removed ones.

    gained and lost name a node once per place in the trie where it was added or removed, so that a reference count
    shows when the last one is gone.
    """

    root: Hash
    added: dict[Hash, bytes] = field(default_factory=dict)
    gained: list[Hash] = field(default_factory=list)
    lost: list[Hash] = field(default_factory=list)


class TrieView:
    """One trie at one root, read-only. cache holds encoded nodes by hash; nodes that are read are added to it."""

    __slots__ = ("_cache", "_nodes", "root")

    def __init__(self, nodes: NodeReader, root: Hash, cache: dict[Hash, bytes] | None = None) -> None:
        self._nodes = nodes
        self._cache = {} if cache is None else cache
        self.root = root

    def get(self, key: Hash) -> bytes:
        """The value at a 32-byte key, or empty bytes. Raises MissingNode."""
        path, reference = key.hex(), self._root_reference()
        while reference:
            if isinstance(reference, bytes):
                raw = self._load(reference)
                if is_branch(raw):
                    reference, path = child_of(raw, int(path[0], 16)), path[1:]
                    continue
                node: Node = rlp_decode(raw)
            else:
                node = reference
            if len(node) == 17:
                reference, path = node[int(path[0], 16)], path[1:]
                continue
            segment, is_leaf = decode_path(node[0])
            if is_leaf:
                return bytes(node[1]) if segment == path else b""
            if not path.startswith(segment):
                return b""
            reference, path = node[1], path[len(segment) :]
        return b""

    def prove(self, key: Hash) -> list[bytes]:
        """The encoded nodes from the root towards a key, present or not (EIP-1186); raises MissingNode."""
        path, reference, proof = key.hex(), self._root_reference(), []
        while reference:
            if isinstance(reference, bytes):
                raw = self._load(reference)
                proof.append(raw)
                node: Node = rlp_decode(raw)
            else:
                node = reference
            if len(node) == 17:
                reference, path = node[int(path[0], 16)], path[1:]
                continue
            segment, is_leaf = decode_path(node[0])
            if is_leaf or not path.startswith(segment):
                break
            reference, path = node[1], path[len(segment) :]
        return proof

    def items(self, places: list[Hash] | None = None) -> Iterable[tuple[Hash, bytes]]:
        """All keys and values, in key order. The hash of each node is added to places, once per place. Raises
        MissingNode.
        """
        stack: list[tuple[str, Any]] = [("", self._root_reference())]
        while stack:
            prefix, reference = stack.pop()
            if not reference:
                continue
            if isinstance(reference, bytes):
                if places is not None:
                    places.append(reference)
                node: Node = rlp_decode(self._load(reference))
            else:
                node = reference
            if len(node) == 17:
                stack.extend((prefix + _NIBBLES[i], node[i]) for i in range(15, -1, -1) if node[i])
                continue
            segment, is_leaf = decode_path(node[0])
            if is_leaf:
                yield bytes.fromhex(prefix + segment), node[1]
            else:
                stack.append((prefix + segment, node[1]))

    def _root_reference(self) -> Any:
        return b"" if self.root == EMPTY_TRIE_ROOT else self.root

    def _load(self, node_hash: Hash) -> bytes:
        encoded = self._cache.get(node_hash)
        if encoded is None:
            encoded = self._nodes.get(node_hash)
            if encoded is None:
                raise MissingNode(node_hash)
            self._cache[node_hash] = encoded
        return encoded


class Trie(TrieView):
    """A trie that can compute what it becomes by some changes. Its nodes stay as they are."""

    __slots__ = ()

    def update(self, changes: Mapping[Hash, bytes]) -> TrieUpdate:
        """Sets 32-byte keys (an empty value deletes). Raises MissingNode, also for the sibling of a deleted node."""
        result = TrieUpdate(self.root)
        if not changes:
            return result
        pairs = sorted((key.hex(), value) for key, value in changes.items())
        root = self._apply(self._root_reference(), pairs, 0, result)
        if root is None:
            result.root = EMPTY_TRIE_ROOT
        elif isinstance(root, bytes):
            result.root = root
        else:
            result.root = self._done(rlp_encode(root), result)
        return result

    def _take(self, reference: Any, result: TrieUpdate) -> Node:
        """Decodes a node that will be replaced."""
        if isinstance(reference, list):
            return reference
        result.lost.append(reference)
        node: Node = rlp_decode(self._load(reference))
        return node

    def _done(self, encoded: bytes, result: TrieUpdate) -> Hash:
        """Hashes and stores a new node."""
        node_hash = keccak256(encoded)
        self._cache[node_hash] = encoded
        result.added[node_hash] = encoded
        result.gained.append(node_hash)
        return node_hash

    def _reference(self, node: Node | Hash, result: TrieUpdate) -> Any:
        """A parent's reference to a node: its hash, or the node itself if it is shorter than 32 bytes."""
        if isinstance(node, bytes):
            return node
        encoded = rlp_encode(node)
        return node if len(encoded) < 32 else self._done(encoded, result)

    def _apply_one(self, reference: Any, pair: Pair, depth: int, result: TrieUpdate) -> Outcome:
        """Applies one change: down over the branches that have a hash at its nibble, and up again with new hashes."""
        key, above = pair[0], []
        while reference.__class__ is bytes and reference:
            raw = self._load(reference)
            if not is_branch(raw):
                break
            place = place_of(raw, int(key[depth], 16))
            if raw[place] != HASH_ITEM:
                break
            result.lost.append(reference)
            above.append((raw, place))
            reference = raw[place + 1 : place + 33]
            depth += 1
        pause()
        outcome = self._apply(reference, (pair,), depth, result)
        for raw, place in reversed(above):
            depth -= 1
            if outcome is not None:
                new = self._reference(outcome, result)
                if new.__class__ is bytes:
                    outcome = self._done(raw[: place + 1] + new + raw[place + 33 :], result)
                    continue
                outcome = new
            outcome = self._put(raw, [(int(key[depth], 16), outcome)], result)
        return outcome

    def _apply(self, reference: Any, pairs: Sequence[Pair], depth: int, result: TrieUpdate) -> Outcome:
        if not reference:
            return self._build([pair for pair in pairs if pair[1]], depth, result)
        if isinstance(reference, bytes):
            raw = self._load(reference)
            result.lost.append(reference)
            if len(pairs) == 1 and len(raw) != FULL_BRANCH:
                path = encode_path(pairs[0][0][depth:], True)
                if has_path(raw, path):
                    return [path, pairs[0][1]] if pairs[0][1] else None
            if is_branch(raw):
                return self._apply_branch(raw, pairs, depth, result)
            node: Node = rlp_decode(raw)
        else:
            node = reference
        if len(node) == 17:
            return self._apply_branch(rlp_encode(node), pairs, depth, result)
        segment, is_leaf = decode_path(node[0])
        if is_leaf:
            return self._apply_leaf(segment, node, pairs, depth, result)
        return self._apply_extension(segment, node[1], pairs, depth, result)

    def _apply_leaf(
        self, segment: str, node: Node, pairs: Sequence[Pair], depth: int, result: TrieUpdate
    ) -> Node | None:
        if len(pairs) == 1 and pairs[0][0][depth:] == segment:
            return [node[0], pairs[0][1]] if pairs[0][1] else None
        merged = [pair for pair in pairs if pair[1]]
        if not any(key[depth:] == segment for key, _ in pairs):
            merged.append((pairs[0][0][:depth] + segment, node[1]))
            merged.sort()
        return self._build(merged, depth, result)

    def _apply_extension(
        self, segment: str, reference: Any, pairs: Sequence[Pair], depth: int, result: TrieUpdate
    ) -> Outcome:
        # Sorted keys share a prefix if the first and the last do.
        shared = min(
            _common(segment, pairs[0][0][depth:]),
            _common(segment, pairs[-1][0][depth:]),
        )
        if shared == len(segment):
            child = self._apply(reference, pairs, depth + shared, result)
            return self._extend(segment, child, result)
        if not any(value for _, value in pairs) and not any(key.startswith(segment, depth) for key, _ in pairs):
            return [encode_path(segment, False), reference]
        branch = _EMPTY_BRANCH.copy()
        rest = segment[shared + 1 :]
        branch[int(segment[shared], 16)] = (
            self._reference([encode_path(rest, False), reference], result) if rest else reference
        )
        child = self._apply_branch(rlp_encode(branch), pairs, depth + shared, result)
        return self._extend(segment[:shared], child, result)

    def _apply_branch(self, raw: bytes, pairs: Sequence[Pair], depth: int, result: TrieUpdate) -> Outcome:
        if len(pairs) == 1:
            groups: Iterable[tuple[int, Sequence[Pair]]] = ((int(pairs[0][0][depth], 16), pairs),)
        else:
            groups = _by_nibble(pairs, depth)
        outcomes: list[tuple[int, Outcome]] = []
        places: list[int] = []
        for index, group in groups:
            pause()
            place = place_of(raw, index)
            places.append(place)
            child = item_at(raw, place)
            if len(group) == 1:
                outcomes.append((index, self._apply_one(child, group[0], depth + 1, result)))
            else:
                outcomes.append((index, self._apply(child, group, depth + 1, result)))
        if any(outcome is None for _, outcome in outcomes):
            return self._put(raw, outcomes, result)
        references = [self._reference(cast(Node | Hash, outcome), result) for _, outcome in outcomes]
        patched = put_hashes(raw, places, references)
        if patched is not None:
            return self._done(patched, result)
        return self._put(raw, [(index, new) for (index, _), new in zip(outcomes, references, strict=True)], result)

    def _put(self, raw: bytes, outcomes: list[tuple[int, Outcome]], result: TrieUpdate) -> Outcome:
        """A branch with new children, in a way that also works where one of them is gone or is shorter than a hash."""
        branch: Node = rlp_decode(raw)
        if any(outcome is None for _, outcome in outcomes):
            return self._shrink(branch, outcomes, result)
        for index, outcome in outcomes:
            branch[index] = self._reference(cast(Node | Hash, outcome), result)
        return branch

    def _shrink(self, branch: Node, outcomes: list[tuple[int, Outcome]], result: TrieUpdate) -> Outcome:
        """A branch that lost children: itself, its last child with a longer path, or nothing."""
        changed = dict(outcomes)
        for index, outcome in outcomes:
            branch[index] = b"" if outcome is None else outcome
        empty = branch.count(b"")
        if empty == 17:
            return None
        if empty == 16:
            index = next(index for index in range(16) if branch[index] != b"")
            child = changed[index] if index in changed else self._take(branch[index], result)
            return self._extend(_NIBBLES[index], child, result)
        for index, outcome in outcomes:
            if outcome is not None:
                branch[index] = self._reference(outcome, result)
        return branch

    def _extend(self, segment: str, child: Outcome, result: TrieUpdate) -> Outcome:
        """Prepends a path to a node, merging it with the node's own path."""
        if child is None or not segment:
            return child
        if isinstance(child, bytes) or len(child) == 17:
            return [encode_path(segment, False), self._reference(child, result)]
        rest, is_leaf = decode_path(child[0])
        return [encode_path(segment + rest, is_leaf), child[1]]

    def _build(self, pairs: Sequence[Pair], depth: int, result: TrieUpdate) -> Node | None:
        """Builds a new subtrie from sorted, distinct keys with values."""
        if not pairs:
            return None
        first = pairs[0][0]
        if len(pairs) == 1:
            return [encode_path(first[depth:], True), pairs[0][1]]
        shared = _common(first[depth:], pairs[-1][0][depth:])
        branch = _EMPTY_BRANCH.copy()
        for index, group in _by_nibble(pairs, depth + shared):
            pause()
            child = self._build(group, depth + shared + 1, result)
            if child is not None:
                branch[index] = self._reference(child, result)
        return cast(Node, self._extend(first[depth : depth + shared], branch, result))


def _common(first: str, second: str) -> int:
    limit = min(len(first), len(second))
    if first[:limit] == second[:limit]:
        return limit
    for index in range(limit):
        if first[index] != second[index]:
            return index
    return limit


def _by_nibble(pairs: Sequence[Pair], depth: int) -> list[tuple[int, list[Pair]]]:
    """Groups sorted pairs by their nibble at a depth."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        nibble = pair[0][depth]
        if nibble in groups:
            groups[nibble].append(pair)
        else:
            groups[nibble] = [pair]
    return [(int(nibble, 16), group) for nibble, group in groups.items()]
