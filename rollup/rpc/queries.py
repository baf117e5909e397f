"""Typed questions to one layer's chain and pool, on which several namespaces build their JSON answers."""

from dataclasses import replace

from rollup.execution.block_context import l1_excess_blob_gas
from rollup.execution.config import L1Config
from rollup.execution.state.account import ABSENT, Account
from rollup.execution.state.reader import StateReader
from rollup.protocol.block import Block
from rollup.protocol.primitives import EMPTY_REQUESTS_HASH, EMPTY_TRIE_ROOT, Address, Hash
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import Transaction
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.fees import Fees
from rollup.rpc.params import BlockId


class Queries:
    """Blocks, transactions, receipts and accounts of one layer. `fees` has its prices."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self.backend = backend
        self.chain = backend.chain
        self.fees = Fees(backend)

    # ------------------------------------------------------------ accounts
    def state(self, which: BlockId) -> StateReader:
        """The state after a block; raises RpcError for an unknown block and for a state that is no longer kept."""
        return self.backend.state(self.backend.require_block(which))

    def account(self, who: Address, which: BlockId) -> Account:
        """An account after a block. An account that does not exist is empty. Raises RpcError as `state` does."""
        return self.state(which).account(who) or ABSENT

    def nonce(self, who: Address, which: BlockId) -> int:
        """The account's nonce after a block; pending counts the pool's transactions too."""
        if which == "pending" and self.backend.pool is not None:
            return self.backend.pool.nonce(who)
        return self.account(who, which).nonce

    # ------------------------------------------------------------ blocks
    def shown_block(self, which: BlockId) -> Block | None:
        """A block as it is shown. L1's pending block is the one after the head, before it takes any transaction."""
        config, head = self.backend.config, self.chain.head
        if which != "pending" or not isinstance(config, L1Config):
            return self.backend.block(which)
        header = replace(
            head.header,
            parent_hash=head.hash,
            number=head.number + 1,
            timestamp=head.timestamp + 1,
            base_fee_per_gas=self.fees.next_base_fee(),
            gas_used=0,
            transactions_root=EMPTY_TRIE_ROOT,
            receipts_root=EMPTY_TRIE_ROOT,
            logs_bloom=bytes(256),
            requests_hash=None if head.header.requests_hash is None else EMPTY_REQUESTS_HASH,
        )
        if header.excess_blob_gas is not None:
            excess = l1_excess_blob_gas(config, head.header, header.timestamp)
            header = replace(header, blob_gas_used=0, excess_blob_gas=excess)
        return Block(header)

    def receipts(self, block: Block) -> list[Receipt]:
        """A block's receipts; empty where they are not stored."""
        return self.chain.receipts(block.hash) or []

    # ------------------------------------------------------------ transactions
    def find_transaction(self, tx_hash: Hash) -> tuple[Block, int] | None:
        """The canonical block of a transaction, and its place in it."""
        location = self.chain.find_transaction(tx_hash)
        block = None if location is None else self.chain.block(location.block_hash)
        return None if location is None or block is None else (block, location.index)

    def pooled(self, tx_hash: Hash) -> Transaction | None:
        """A transaction that waits in the pool."""
        return self.backend.pool.get(tx_hash) if self.backend.pool is not None else None
