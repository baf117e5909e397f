"""debug_: raw encodings, the state's nodes, for provers and explorers."""

from typing import Any

from rollup.cooperative import in_turns
from rollup.protocol.block import Block
from rollup.protocol.primitives import Hash
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import RpcError
from rollup.rpc.formats import hex_data
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import BlockId, Optional, anything, block_id, data, hash32
from rollup.rpc.queries import Queries


class Debug:
    """Encodings and preimages."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._chain = backend.chain
        self._queries = Queries(backend)

    @rpc("debug_getRawHeader", block_id)
    def get_raw_header(self, block_id: BlockId) -> str:
        """The header's RLP."""
        return hex_data(self._block(block_id).header.encode())

    @takes_long
    @rpc("debug_getRawBlock", block_id)
    def get_raw_block(self, block_id: BlockId) -> str:
        """The block's RLP."""
        return hex_data(self._block(block_id).encode())

    @takes_long
    @rpc("debug_getRawReceipts", block_id)
    def get_raw_receipts(self, block_id: BlockId) -> list[str]:
        """The EIP-2718 encoding of each receipt."""
        block = self._block(block_id)
        return [hex_data(receipt.encode()) for receipt in in_turns(self._chain.receipts(block.hash) or [])]

    @rpc("debug_getRawTransaction", hash32)
    def get_raw_transaction(self, tx_hash: Hash) -> str:
        """The EIP-2718 encoding of a transaction; `0x` when it is unknown."""
        found = self._queries.find_transaction(tx_hash)
        if found is None:
            return "0x"
        block, index = found
        return hex_data(block.transactions[index].encode())

    @rpc("debug_dbGet", data)
    def db_get(self, key: bytes) -> str:
        """A trie node or code by its hash; code also behind the prefix `0x63` (geth's schema)."""
        states = self._chain.states
        value = None
        if len(key) == 33 and key[0] == 0x63:
            value = states.code(key[1:])
        elif len(key) == 32:
            value = states.node(key) or states.code(key)
        if value is None:
            raise RpcError("not found")
        return hex_data(value)

    @rpc("debug_codeByHash", hash32, Optional(anything))
    def code_by_hash(self, code_hash: Hash, block_id: Any) -> str | None:
        """The code with a hash, of any block; `null` if there is none. The block of reth's second parameter is not
        looked at.
        """
        del block_id
        code = self._chain.states.code(code_hash)
        return None if code is None else hex_data(code)

    @rpc("debug_chainConfig")
    def chain_config(self) -> Any:
        """The chain config of `genesis.json`."""
        return dict(self._backend.chain_config)

    @rpc("debug_getBadBlocks")
    def get_bad_blocks(self) -> list[Any]:
        """Always empty: bad blocks are not kept."""
        return []

    def _block(self, which: BlockId) -> Block:
        return self._backend.require_block(which)
