"""eth_: blocks, headers and receipts, by number, by tag and by hash."""

from typing import Any

from rollup.execution.config import L1Config
from rollup.protocol.block import Block
from rollup.protocol.primitives import Hash
from rollup.rpc.formats import block_json, header_json, hex_data, hex_quantity, receipts_json
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import BlockId, Optional, block_id, boolean, hash32, quantity64
from rollup.rpc.queries import Queries


class EthBlocks:
    """Blocks of the chain, and orphaned ones by hash."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._backend = queries.backend
        self._chain = queries.chain

    @rpc("eth_chainId")
    def chain_id(self) -> str:
        """The chain id: 900 on L1, 901 on L2, by default."""
        return hex_quantity(self._backend.config.chain_id)

    @rpc("eth_syncing")
    def syncing(self) -> bool:
        """Always `false`: this node is always in sync."""
        return False

    @rpc("eth_blockNumber")
    def block_number(self) -> str:
        """The head's number."""
        return hex_quantity(self._chain.head.number)

    @rpc("eth_coinbase")
    def coinbase(self) -> str:
        """The fee recipient of the latest block."""
        return hex_data(self._chain.head.header.coinbase)

    @takes_long
    @rpc("eth_getBlockByNumber", block_id, Optional(boolean, False))
    def get_block_by_number(self, block_id: BlockId, full: bool) -> dict[str, Any] | None:
        """A block, or `null` if it is unknown; `full`: transactions as objects."""
        answer = self._block_json(self._queries.shown_block(block_id), full)
        return self._without_identity(answer) if block_id == "pending" else answer

    @takes_long
    @rpc("eth_getBlockByHash", hash32, Optional(boolean, False))
    def get_block_by_hash(self, block_hash: Hash, full: bool) -> dict[str, Any] | None:
        """A block, also an orphaned one; `null` if it is unknown."""
        return self._block_json(self._chain.block(block_hash), full)

    @rpc("eth_getHeaderByNumber", block_id)
    def get_header_by_number(self, block_id: BlockId) -> dict[str, Any] | None:
        """A header."""
        block = self._queries.shown_block(block_id)
        answer = None if block is None else header_json(block.header, block.hash)
        return self._without_identity(answer) if block_id == "pending" else answer

    @rpc("eth_getHeaderByHash", hash32)
    def get_header_by_hash(self, block_hash: Hash) -> dict[str, Any] | None:
        """A header, also of an orphaned block."""
        block = self._chain.block(block_hash)
        return None if block is None else header_json(block.header, block.hash)

    @takes_long
    @rpc("eth_getBlockReceipts", block_id)
    def get_block_receipts(self, block_id: BlockId) -> list[dict[str, Any]] | None:
        """All receipts of a block."""
        block = self._queries.shown_block(block_id)
        return None if block is None else receipts_json(self._backend.config, block, self._queries.receipts(block))

    @rpc("eth_getBlockTransactionCountByNumber", block_id)
    def get_block_transaction_count_by_number(self, block_id: BlockId) -> str | None:
        """The number of transactions in a block."""
        block = self._queries.shown_block(block_id)
        return None if block is None else hex_quantity(len(block.transactions))

    @rpc("eth_getBlockTransactionCountByHash", hash32)
    def get_block_transaction_count_by_hash(self, block_hash: Hash) -> str | None:
        """The number of transactions in a block."""
        block = self._chain.block(block_hash)
        return None if block is None else hex_quantity(len(block.transactions))

    @rpc("eth_getUncleCountByBlockNumber", block_id)
    def get_uncle_count_by_block_number(self, block_id: BlockId) -> str | None:
        """Zero for a known block: there are no uncles since the merge. `null` for an unknown one."""
        return None if self._backend.block(block_id) is None else "0x0"

    @rpc("eth_getUncleCountByBlockHash", hash32)
    def get_uncle_count_by_block_hash(self, block_hash: Hash) -> str | None:
        """Zero for a known block: there are no uncles since the merge. `null` for an unknown one."""
        return None if self._chain.block(block_hash) is None else "0x0"

    @rpc("eth_getUncleByBlockNumberAndIndex", block_id, quantity64)
    def get_uncle_by_block_number_and_index(self, block_id: BlockId, index: int) -> None:
        """Always `null`: there are no uncles since the merge."""
        del block_id, index

    @rpc("eth_getUncleByBlockHashAndIndex", hash32, quantity64)
    def get_uncle_by_block_hash_and_index(self, block_hash: Hash, index: int) -> None:
        """Always `null`: there are no uncles since the merge."""
        del block_hash, index

    # ------------------------------------------------------------ inside
    def _block_json(self, block: Block | None, full: bool) -> dict[str, Any] | None:
        return None if block is None else block_json(block, self._queries.receipts(block) if full else [], full=full)

    def _without_identity(self, answer: dict[str, Any] | None) -> dict[str, Any] | None:
        """A pending block as JSON, without the fields that its layer leaves open (op-geth internal/ethapi/api.go)."""
        if answer is None or not isinstance(self._backend.config, L1Config):
            return answer
        return answer | {"hash": None, "nonce": None, "miner": None}
