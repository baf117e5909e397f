"""eth_: transactions of the chain and the pool, and receipts."""

from typing import Any

from rollup.protocol.block import Block
from rollup.protocol.primitives import Hash
from rollup.rpc.formats import hex_data, receipt_json, transaction_json
from rollup.rpc.methods import rpc
from rollup.rpc.params import BlockId, block_id, hash32, quantity64
from rollup.rpc.queries import Queries


class EthTransactions:
    """Transactions by hash and by their place in a block."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._backend = queries.backend
        self._chain = queries.chain

    @rpc("eth_getTransactionByHash", hash32)
    def get_transaction_by_hash(self, tx_hash: Hash) -> dict[str, Any] | None:
        """A transaction of the chain or of the pool."""
        found = self._queries.find_transaction(tx_hash)
        if found is not None:
            return self._transaction_json(*found)
        pooled = self._queries.pooled(tx_hash)
        return None if pooled is None else transaction_json(pooled)

    @rpc("eth_getTransactionByBlockNumberAndIndex", block_id, quantity64)
    def get_transaction_by_block_number_and_index(self, block_id: BlockId, index: int) -> dict[str, Any] | None:
        """A transaction by its index in a block."""
        return self._transaction_at(self._queries.shown_block(block_id), index)

    @rpc("eth_getTransactionByBlockHashAndIndex", hash32, quantity64)
    def get_transaction_by_block_hash_and_index(self, block_hash: Hash, index: int) -> dict[str, Any] | None:
        """A transaction by its index in a block."""
        return self._transaction_at(self._chain.block(block_hash), index)

    @rpc("eth_getRawTransactionByHash", hash32)
    def get_raw_transaction_by_hash(self, tx_hash: Hash) -> str | None:
        """The encoding of a transaction of the chain or of the pool."""
        found = self._queries.find_transaction(tx_hash)
        if found is not None:
            return hex_data(found[0].transactions[found[1]].encode())
        pooled = self._queries.pooled(tx_hash)
        return None if pooled is None else hex_data(pooled.encode())

    @rpc("eth_getRawTransactionByBlockNumberAndIndex", block_id, quantity64)
    def get_raw_transaction_by_block_number_and_index(self, block_id: BlockId, index: int) -> str | None:
        """The encoding of a transaction by its index in a block."""
        return _raw_at(self._queries.shown_block(block_id), index)

    @rpc("eth_getRawTransactionByBlockHashAndIndex", hash32, quantity64)
    def get_raw_transaction_by_block_hash_and_index(self, block_hash: Hash, index: int) -> str | None:
        """The encoding of a transaction by its index in a block."""
        return _raw_at(self._chain.block(block_hash), index)

    @rpc("eth_getTransactionReceipt", hash32)
    def get_transaction_receipt(self, tx_hash: Hash) -> dict[str, Any] | None:
        """A receipt. On L2 with the OP fields of the block's fork, such as `l1Fee`, `daFootprintGasScalar` and
        `depositNonce`.
        """
        found = self._queries.find_transaction(tx_hash)
        if found is None:
            return None
        block, index = found
        return receipt_json(self._backend.config, block, index, self._queries.receipts(block)[index])

    # ------------------------------------------------------------ inside
    def _transaction_at(self, block: Block | None, index: int) -> dict[str, Any] | None:
        if block is None or index >= len(block.transactions):
            return None
        return self._transaction_json(block, index)

    def _transaction_json(self, block: Block, index: int) -> dict[str, Any]:
        receipts = self._queries.receipts(block)
        receipt = receipts[index] if index < len(receipts) else None
        return transaction_json(block.transactions[index], block, index, receipt)


def _raw_at(block: Block | None, index: int) -> str | None:
    if block is None or index >= len(block.transactions):
        return None
    return hex_data(block.transactions[index].encode())
