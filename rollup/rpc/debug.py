"""debug_: raw encodings, the state's nodes, for provers and explorers."""

from typing import Any

from rollup.cooperative import in_turns
from rollup.protocol.block import Block
from rollup.protocol.primitives import Hash
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import RpcError
from rollup.rpc.formats import hex_data
from rollup.rpc.methods import takes_long
from rollup.rpc.params import BlockId, block_id, data, hash32, params


class Debug:
    """Encodings and preimages."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._chain = backend.chain

    @params(block_id)
    def debug_getRawHeader(self, which: BlockId) -> str:  # noqa: N802
        """The header's RLP."""
        return hex_data(self._block(which).header.encode())

    @takes_long
    @params(block_id)
    def debug_getRawBlock(self, which: BlockId) -> str:  # noqa: N802
        """The block's RLP."""
        return hex_data(self._block(which).encode())

    @takes_long
    @params(block_id)
    def debug_getRawReceipts(self, which: BlockId) -> list[str]:  # noqa: N802
        """Each receipt's EIP-2718 encoding."""
        block = self._block(which)
        return [hex_data(receipt.encode()) for receipt in in_turns(self._chain.receipts(block.hash) or [])]

    @params(hash32)
    def debug_getRawTransaction(self, tx_hash: Hash) -> str:  # noqa: N802
        """The transaction's EIP-2718 encoding; 0x when unknown."""
        location = self._chain.find_transaction(tx_hash)
        block = None if location is None else self._chain.block(location.block_hash)
        if location is None or block is None:
            return "0x"
        return hex_data(block.transactions[location.index].encode())

    @params(data)
    def debug_dbGet(self, key: bytes) -> str:  # noqa: N802
        """A trie node or code by its hash; code also behind the prefix 0x63 (geth's schema)."""
        states = self._chain.states
        value = None
        if len(key) == 33 and key[0] == 0x63:
            value = states.code(key[1:])
        elif len(key) == 32:
            value = states.node(key) or states.code(key)
        if value is None:
            raise RpcError("not found")
        return hex_data(value)

    @params()
    def debug_chainConfig(self) -> Any:  # noqa: N802
        """The chain config of genesis.json."""
        return dict(self._backend.chain_config)

    @params()
    def debug_getBadBlocks(self) -> list[Any]:  # noqa: N802
        """Always empty: bad blocks are not kept."""
        return []

    def _block(self, which: BlockId) -> Block:
        return self._backend.require_block(which)
