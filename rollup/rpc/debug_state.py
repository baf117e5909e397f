"""debug_: the witness of a block, and the state page by page, for provers and explorers."""

from base64 import b64encode
from collections.abc import Iterable
from itertools import islice
from typing import Any

from eth_utils.address import to_checksum_address

from rollup.cooperative import in_turns
from rollup.execution.errors import InvalidBlock
from rollup.execution.reexecution import Reexecution
from rollup.execution.state.account import Account
from rollup.execution.state.database import StateUnavailable
from rollup.execution.state.trie import Trie
from rollup.execution.witness import make_witness
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Address, Hash, keccak256, rlp_decode, rlp_encode, to_int_bytes
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import RpcError
from rollup.rpc.formats import header_json, hex_data
from rollup.rpc.limits import MAX_ACCOUNT_RANGE, MAX_STORAGE_RANGE
from rollup.rpc.methods import changes_chain, rpc, takes_long
from rollup.rpc.params import BlockId, Optional, address, block_id, boolean, data, integer, quantity64


class DebugState:
    """Witnesses, pages of accounts and slots, and the head set back."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._chain = backend.chain

    @takes_long
    @rpc("debug_executionWitness", block_id)
    def execution_witness(self, block_id: BlockId) -> dict[str, Any]:
        """`{headers, codes, state, keys}`: with these alone the block can be executed to its hash."""
        block = self._block(block_id)
        parent = self._parent(block)
        try:
            witness = make_witness(
                self._backend.config, parent, self._chain.states, self._backend.ancestors(block), block
            )
        except (StateUnavailable, InvalidBlock) as error:
            raise RpcError(str(error)) from error
        headers, block_hash = [], block.header.parent_hash
        for _ in range(parent.number - witness.oldest_ancestor + 1):
            header = self._chain.header(block_hash)
            if header is None:
                break
            headers.append(header_json(header, block_hash))
            block_hash = header.parent_hash
        return {
            "headers": headers,
            "codes": sorted(hex_data(code) for code in witness.codes.values()),
            "state": sorted(hex_data(node) for node in witness.nodes.values()),
            "keys": None,
        }

    @takes_long
    @rpc("debug_storageRangeAt", block_id, integer, address, data, integer)
    def storage_range_at(
        self, block_id: BlockId, index: int, address: Address, start: bytes, count: int
    ) -> dict[str, Any]:
        """An account's slots before a transaction of a block, in order of their hashes; `nextKey` is the next one."""
        block = self._block(block_id)
        if not 0 <= index < max(len(block.transactions), 1):
            raise RpcError(f"transaction index {index} out of range for block {hex_data(block.hash)}")
        parent = self._parent(block)
        states = self._chain.states
        try:
            reexecution = Reexecution(self._backend.config, parent, states, self._backend.ancestors(block), block)
            changes = reexecution.builder_before(index).accounts.changes()
        except StateUnavailable as error:
            raise RpcError(str(error)) from error
        account = states.prove(parent.state_root, address).account
        root = EMPTY_TRIE_ROOT if account is None or address in changes.cleared else account.storage_root
        changed = changes.storage.get(address, {})
        count = min(max(count, 0), MAX_STORAGE_RANGE)
        stored = _from(Trie(_Nodes(states.node), root).items(), start)
        slots: dict[Hash, bytes] = dict(islice(stored, count + 1 + len(changed)))
        known: dict[Hash, int] = {}
        for slot, value in changed.items():
            key = keccak256(slot.to_bytes(32, "big"))
            known[key] = slot
            if key < start.ljust(32, b"\0"):
                continue
            if value:
                slots[key] = rlp_encode(to_int_bytes(value))
            else:
                slots.pop(key, None)
        return _storage_page(slots, known, count)

    @takes_long
    @rpc(
        "debug_accountRange",
        block_id,
        data,
        integer,
        Optional(boolean, False),
        Optional(boolean, False),
        Optional(boolean, False),
    )
    def account_range(
        self, block_id: BlockId, start: bytes, count: int, no_code: bool, no_storage: bool, incompletes: bool
    ) -> dict[str, Any]:
        """Accounts after a block, in order of their hashes; `next`, in base64, is where the rest begins."""
        block = self._block(block_id)
        self._backend.state(block)
        if not 0 < count <= MAX_ACCOUNT_RANGE:
            count = MAX_ACCOUNT_RANGE
        nodes = _Nodes(self._chain.states.node)
        addresses = self._addresses()
        accounts: dict[str, Any] = {}
        rest = _from(Trie(nodes, block.header.state_root).items(), start)
        for key, encoded in rest:
            if len(accounts) >= count:
                return self._dump(block, accounts, key)
            who = addresses.get(key)
            if who is None and not incompletes:
                continue
            name = to_checksum_address(who) if who is not None else f"pre({hex_data(key)})"
            accounts[name] = self._account(key, who, Account.decode(encoded), no_code, no_storage)
        return self._dump(block, accounts, None)

    def _addresses(self) -> dict[Hash, Address]:
        """The accounts of the head by the hash of their address: the preimages that are known."""
        return {keccak256(who): who for who in in_turns(self._chain.states.flat_addresses())}

    def _account(
        self, key: Hash, who: Address | None, account: Account, no_code: bool, no_storage: bool
    ) -> dict[str, Any]:
        result: dict[str, Any] = {
            "balance": str(account.balance),
            "nonce": account.nonce,
            "root": hex_data(account.storage_root),
            "codeHash": hex_data(account.code_hash),
            "key": hex_data(key),
        }
        if who is not None:
            result["address"] = hex_data(who)
        code = None if no_code else self._chain.states.code(account.code_hash)
        if code:
            result["code"] = hex_data(code)
        if not no_storage and account.storage_root != EMPTY_TRIE_ROOT:
            slots = Trie(_Nodes(self._chain.states.node), account.storage_root).items()
            page = islice(slots, MAX_STORAGE_RANGE)
            result["storage"] = {hex_data(slot): rlp_decode(value).hex() for slot, value in page}
        return result

    @staticmethod
    def _dump(block: Block, accounts: dict[str, Any], following: Hash | None) -> dict[str, Any]:
        result: dict[str, Any] = {"root": block.header.state_root.hex(), "accounts": accounts}
        if following is not None:
            result["next"] = b64encode(following).decode()
        return result

    @changes_chain
    @rpc("debug_setHead", quantity64)
    def set_head(self, number: int) -> None:
        """Makes an older block the head again; `null`. On 9545 only, and not below the safe block."""
        head, safe = self._chain.head.header.number, self._chain.safe.header.number
        if number > head:
            raise RpcError("not allowed to rewind to a future block")
        if self._backend.rewind is None:
            raise RpcError("the head of this chain follows another layer: it cannot be set")
        if number < safe:
            raise RpcError(f"not allowed to rewind below the safe block {safe}: it is derived from L1")
        block = self._chain.block_by_number(number)
        assert block is not None
        self._backend.rewind(block.hash)

    def _block(self, which: BlockId) -> Block:
        return self._backend.require_block(which)

    def _parent(self, block: Block) -> Header:
        parent = self._chain.header(block.header.parent_hash)
        if block.header.number == 0 or parent is None:
            raise RpcError("no transaction in genesis")
        return parent


class _Nodes:
    """Trie nodes by hash."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def get(self, key: bytes, /) -> bytes | None:
        found: bytes | None = self._node(key)
        return found


def _from(items: Iterable[tuple[Hash, bytes]], start: bytes) -> Iterable[tuple[Hash, bytes]]:
    """The items whose key is not before start."""
    first = start[:32].ljust(32, b"\0")
    return (item for item in in_turns(items) if item[0] >= first)


def _storage_page(slots: dict[Hash, bytes], known: dict[Hash, int], most: int) -> dict[str, Any]:
    keys = sorted(slots)
    if not keys:
        return {"storage": None, "nextKey": None}
    storage = {
        hex_data(key): {
            "key": hex_data(known[key].to_bytes(32, "big")) if key in known else None,
            "value": hex_data(rlp_decode(slots[key]).rjust(32, b"\0")),
        }
        for key in keys[:most]
    }
    return {"storage": storage, "nextKey": hex_data(keys[most]) if len(keys) > most else None}
