"""ethereum/tests' trie and RLP cases, and account proofs of a live OP chain."""

from typing import Any

import pytest
from trie import HexaryTrie

from rollup.execution.state.account import Account
from rollup.execution.state.reader import TrieReader
from rollup.execution.state.trie import MissingNode, Trie
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, RlpError, keccak256, rlp_decode, rlp_encode, to_int_bytes
from tests.vector_files import load

FILES: dict[str, Any] = load("generic", "eth_trie_rlp")["files"]
PROOFS: dict[str, Any] = load("outputs_withdrawals", "account_proofs")


def cases(folder: str) -> list[Any]:
    found = [(path, name) for path in FILES if path.startswith(folder) for name in FILES[path]]
    assert found, f"no case in {folder}: another format?"
    return [pytest.param(path, name, id=f"{path.split('/')[-1]}:{name}") for path, name in found]


def as_bytes(value: str | None) -> bytes:
    if value is None:
        return b""
    return bytes.fromhex(value[2:]) if value.startswith("0x") else value.encode()


@pytest.mark.parametrize(("path", "name"), cases("TrieTests/"))
def test_trie(path: str, name: str) -> None:
    case = FILES[path][name]
    if "tests" in case:
        # Iteration order: next and previous key of sorted plain keys; ours iterates hashed keys, so order is checked.
        pairs = {keccak256(as_bytes(key)): as_bytes(key) for key in case["in"]}
        trie = Trie(nodes := {}, EMPTY_TRIE_ROOT)
        update = trie.update(pairs)
        nodes.update(update.added)
        assert list(Trie(nodes, update.root).items()) == sorted(pairs.items())
        return
    steps = case["in"].items() if isinstance(case["in"], dict) else case["in"]
    is_secure = "secure" in path.lower()
    oracle, nodes, root = HexaryTrie({}), {}, EMPTY_TRIE_ROOT
    for key, value in steps:
        plain, data = as_bytes(key), as_bytes(value)
        if data:
            oracle[keccak256(plain) if is_secure else plain] = data
        else:
            oracle.delete(keccak256(plain) if is_secure else plain)
        update = Trie(nodes, root).update({keccak256(plain): data})
        nodes.update(update.added)
        root = update.root
    final = {keccak256(as_bytes(key)): as_bytes(value) for key, value in steps}
    assert Trie({}, EMPTY_TRIE_ROOT).update(final).root == root
    assert oracle.root_hash.hex() == case["root"][2:]
    if is_secure:
        assert root.hex() == case["root"][2:]


def to_item(value: Any) -> Any:
    if isinstance(value, list):
        return [to_item(entry) for entry in value]
    if isinstance(value, int):
        return to_int_bytes(value)
    return to_int_bytes(int(value[1:])) if value.startswith("#") else value.encode()


@pytest.mark.parametrize(("path", "name"), cases("RLPTests/"))
def test_rlp(path: str, name: str) -> None:
    case = FILES[path][name]
    data = bytes.fromhex(case["out"].removeprefix("0x"))
    if case["in"] == "INVALID":
        with pytest.raises(RlpError):
            rlp_decode(data)
    elif case["in"] == "VALID":
        assert rlp_encode(rlp_decode(data)) == data
    else:
        assert rlp_encode(to_item(case["in"])) == data
        assert rlp_decode(data) == to_item(case["in"])


def read(proof: dict[str, Any], state_root: bytes) -> tuple[Account | None, list[int]]:
    result = proof["account_result"]
    entries = result["accountProof"] + [node for slot in result["storageProof"] for node in slot["proof"]]
    nodes = {keccak256(data): data for data in map(bytes.fromhex, (entry[2:] for entry in entries))}
    reader = TrieReader(nodes, {}, state_root)
    account = reader.account(bytes.fromhex(result["address"][2:]))
    slots = [int(slot["key"], 16) for slot in result["storageProof"]]
    return account, [reader.storage(bytes.fromhex(result["address"][2:]), slot) for slot in slots]


@pytest.mark.parametrize("proof", [pytest.param(entry, id=entry["name"]) for entry in PROOFS["proofs"]])
def test_account_proofs(proof: dict[str, Any]) -> None:
    result = proof["account_result"]
    state_root = bytes.fromhex(proof["state_root"][2:])
    if proof["name"].startswith("invalid"):
        with pytest.raises((MissingNode, RlpError)):
            read(proof, state_root)
        return
    account, values = read(proof, state_root)
    assert account == Account(
        int(result["nonce"], 16),
        int(result["balance"], 16),
        bytes.fromhex(result["storageHash"][2:]),
        bytes.fromhex(result["codeHash"][2:]),
    )
    assert values == [int(slot["value"], 16) for slot in result["storageProof"]]
    with pytest.raises(MissingNode):
        read(proof, bytes.fromhex(PROOFS["bad_state_root"][2:]))
