"""A Merkle Patricia trie that takes a block's changes at once and hashes each changed node once.

Yellow Paper, appendix D. Keys are 32-byte hashes (the secure trie's), so no key is another's prefix and a branch holds
no value. Nodes are RLP lists, never changed in place: what is cached by hash stays true.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Hash, keccak256, rlp_decode, rlp_encode

Node = list[Any]  # a branch of 17 items, or a leaf or extension of 2
Pair = tuple[str, bytes]  # key as 64 hex digits, value (empty deletes)

_EMPTY_BRANCH: Node = [b""] * 17
_NIBBLES = "0123456789abcdef"


class MissingNode(KeyError):
    """A node or code of this hash is not in the store (a pruned state, an incomplete witness)."""

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
    """A new root; nodes that came (encoded, by hash) and nodes that went.

    gained and lost name a node once for each place in the trie where it came or went, so that whoever counts
    references can tell when the last one is gone.
    """

    root: Hash
    added: dict[Hash, bytes] = field(default_factory=dict)
    gained: list[Hash] = field(default_factory=list)
    lost: list[Hash] = field(default_factory=list)


class Trie:
    """One trie at one root, read-only; `update` gives the next root and leaves this one as it is."""

    __slots__ = ("_cache", "_nodes", "root")

    def __init__(self, nodes: NodeReader, root: Hash, cache: dict[Hash, Node] | None = None) -> None:
        self._nodes = nodes
        self._cache = {} if cache is None else cache
        self.root = root

    def get(self, key: Hash) -> bytes:
        """The value at a 32-byte key, empty when there is none; raises MissingNode."""
        path, node = key.hex(), self._root_node()
        while node is not None:
            if len(node) == 17:
                reference, path = node[int(path[0], 16)], path[1:]
            else:
                segment, is_leaf = decode_path(node[0])
                if is_leaf:
                    return bytes(node[1]) if segment == path else b""
                if not path.startswith(segment):
                    return b""
                reference, path = node[1], path[len(segment) :]
            node = self._resolve(reference)
        return b""

    def prove(self, key: Hash) -> list[bytes]:
        """The encoded nodes from the root towards a key, present or not (EIP-1186); raises MissingNode."""
        if self.root == EMPTY_TRIE_ROOT:
            return []
        path, proof = key.hex(), [rlp_encode(self._load(self.root))]
        node: Node = self._load(self.root)
        while True:
            if len(node) == 17:
                reference, path = node[int(path[0], 16)], path[1:]
            else:
                segment, is_leaf = decode_path(node[0])
                if is_leaf or not path.startswith(segment):
                    return proof
                reference, path = node[1], path[len(segment) :]
            child = self._resolve(reference)
            if child is None:
                return proof
            if isinstance(reference, bytes):
                proof.append(rlp_encode(child))
            node = child

    def items(self, places: list[Hash] | None = None) -> Iterable[tuple[Hash, bytes]]:
        """Every key and value, in key order; into places goes each node's hash, once a place. Raises MissingNode."""
        stack: list[tuple[str, Any]] = [] if self.root == EMPTY_TRIE_ROOT else [("", self.root)]
        while stack:
            prefix, reference = stack.pop()
            node = self._resolve(reference)
            if node is None:
                continue
            if places is not None and isinstance(reference, bytes):
                places.append(reference)
            if len(node) == 17:
                stack.extend((prefix + _NIBBLES[i], node[i]) for i in range(15, -1, -1) if node[i])
                continue
            segment, is_leaf = decode_path(node[0])
            if is_leaf:
                yield bytes.fromhex(prefix + segment), node[1]
            else:
                stack.append((prefix + segment, node[1]))

    def update(self, changes: Mapping[Hash, bytes]) -> TrieUpdate:
        """Sets (or with an empty value deletes) 32-byte keys; raises MissingNode, a sibling's at a collapse too."""
        result = TrieUpdate(self.root)
        if not changes:
            return result
        pairs = sorted((key.hex(), value) for key, value in changes.items())
        root = self._apply(self._take(self.root, result), pairs, 0, result)
        if root is None:
            result.root = EMPTY_TRIE_ROOT
        else:
            encoded = rlp_encode(root)
            result.root = keccak256(encoded)
            self._cache[result.root] = root
            result.added[result.root] = encoded
            result.gained.append(result.root)
        return result

    def _root_node(self) -> Node | None:
        return None if self.root == EMPTY_TRIE_ROOT else self._load(self.root)

    def _load(self, node_hash: Hash) -> Node:
        node = self._cache.get(node_hash)
        if node is None:
            encoded = self._nodes.get(node_hash)
            if encoded is None:
                raise MissingNode(node_hash)
            node = self._cache[node_hash] = rlp_decode(encoded)
        return node

    def _resolve(self, reference: Any) -> Node | None:
        if isinstance(reference, list):
            return reference
        return self._load(reference) if reference else None

    def _take(self, reference: Any, result: TrieUpdate) -> Node | None:
        """Resolves a node that is about to be replaced."""
        if isinstance(reference, list):
            return reference
        if not reference or reference == EMPTY_TRIE_ROOT:
            return None
        result.lost.append(reference)
        return self._load(reference)

    def _reference(self, node: Node, result: TrieUpdate) -> Any:
        """How a parent names a node: its hash, or the node itself below 32 bytes."""
        encoded = rlp_encode(node)
        if len(encoded) < 32:
            return node
        node_hash = keccak256(encoded)
        self._cache[node_hash] = node
        result.added[node_hash] = encoded
        result.gained.append(node_hash)
        return node_hash

    def _apply(self, node: Node | None, pairs: Sequence[Pair], depth: int, result: TrieUpdate) -> Node | None:
        if node is None:
            return self._build([pair for pair in pairs if pair[1]], depth, result)
        if len(node) == 17:
            return self._apply_branch(node, pairs, depth, result)
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
    ) -> Node | None:
        # Sorted keys share a prefix when the first and the last do.
        shared = min(
            _common(segment, pairs[0][0][depth:]),
            _common(segment, pairs[-1][0][depth:]),
        )
        if shared == len(segment):
            child = self._apply(self._take(reference, result), pairs, depth + shared, result)
            return self._extend(segment, child, result)
        if not any(value for _, value in pairs) and not any(key.startswith(segment, depth) for key, _ in pairs):
            return [encode_path(segment, False), reference]
        branch = _EMPTY_BRANCH.copy()
        rest = segment[shared + 1 :]
        branch[int(segment[shared], 16)] = (
            self._reference([encode_path(rest, False), reference], result) if rest else reference
        )
        child = self._apply_branch(branch, pairs, depth + shared, result)
        return self._extend(segment[:shared], child, result)

    def _apply_branch(self, node: Node, pairs: Sequence[Pair], depth: int, result: TrieUpdate) -> Node | None:
        branch = node.copy()
        if len(pairs) == 1:
            groups: Iterable[tuple[int, Sequence[Pair]]] = ((int(pairs[0][0][depth], 16), pairs),)
        else:
            groups = _by_nibble(pairs, depth)
        changed: list[tuple[int, Node]] = []
        for index, group in groups:
            child = self._apply(self._take(branch[index], result), group, depth + 1, result)
            if child is None:
                branch[index] = b""
            else:
                branch[index] = child
                changed.append((index, child))
        empty = branch.count(b"")
        if empty == 17:
            return None
        if empty == 16:
            index = next(index for index in range(16) if branch[index] != b"")
            child = branch[index] if isinstance(branch[index], list) else self._take(branch[index], result)
            return self._extend(_NIBBLES[index], child, result)
        for index, child in changed:
            branch[index] = self._reference(child, result)
        return branch

    def _extend(self, segment: str, child: Node | None, result: TrieUpdate) -> Node | None:
        """Puts a path before a node, merging it with the node's own."""
        if child is None or not segment:
            return child
        if len(child) == 17:
            return [encode_path(segment, False), self._reference(child, result)]
        rest, is_leaf = decode_path(child[0])
        return [encode_path(segment + rest, is_leaf), child[1]]

    def _build(self, pairs: Sequence[Pair], depth: int, result: TrieUpdate) -> Node | None:
        """A new subtrie of sorted, distinct keys with values."""
        if not pairs:
            return None
        first = pairs[0][0]
        if len(pairs) == 1:
            return [encode_path(first[depth:], True), pairs[0][1]]
        shared = _common(first[depth:], pairs[-1][0][depth:])
        branch = _EMPTY_BRANCH.copy()
        for index, group in _by_nibble(pairs, depth + shared):
            child = self._build(group, depth + shared + 1, result)
            if child is not None:
                branch[index] = self._reference(child, result)
        return self._extend(first[depth : depth + shared], branch, result)


def encode_path(nibbles: str, is_leaf: bool) -> bytes:
    """Hex-prefix encoding (Yellow Paper, appendix C)."""
    if len(nibbles) & 1:
        return bytes.fromhex(("3" if is_leaf else "1") + nibbles)
    return bytes.fromhex(("20" if is_leaf else "00") + nibbles)


def decode_path(data: bytes) -> tuple[str, bool]:
    """The nibbles as hex digits, and whether they end in a leaf."""
    text = data.hex()
    return text[1:] if text[0] in "13" else text[2:], text[0] in "23"


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
