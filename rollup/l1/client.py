"""The mock L1 as an L1 node for batcher and proposer (rollup.l1.l1_client.L1Client)."""

from rollup.execution.block_context import l1_base_fee, l1_blob_base_fee_after
from rollup.execution.calls import CallError, CallRequest, call
from rollup.l1.l1_client import AlreadyPooled, L1Receipt, TransactionRefused
from rollup.l1.miner import MockL1
from rollup.l1.sidecar import BlobSidecar, SidecarError, check_hashes
from rollup.l1.source import l1_block_ref
from rollup.pool.errors import AlreadyKnown, PoolError
from rollup.protocol.blob_schedule import blob_base_fee_under
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.fees import GAS_PER_BLOB
from rollup.protocol.forks import L1_FORKS
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import Transaction

_SUGGESTED_TIP = 10**9  # wei; what geth suggests on an idle chain


class LocalL1Client:
    """Calls in process: nothing here is ever Temporary."""

    def __init__(self, l1: MockL1) -> None:
        self._l1 = l1

    def head(self) -> L1BlockRef:
        """The latest block."""
        return l1_block_ref(self._l1.chain.head)

    def nonce(self, address: Address) -> int:
        """The account's nonce at the latest block."""
        chain = self._l1.chain
        account = chain.state_at(chain.head.hash).account(address)
        return account.nonce if account is not None else 0

    def pending_nonce(self, address: Address) -> int:
        """The account's next nonce, counting what waits in the pool."""
        return self._l1.pool.nonce(address)

    def base_fee(self) -> int:
        """The base fee of the next block, in wei."""
        return l1_base_fee(self._l1.chain.head.header)

    def blob_base_fee(self) -> int | None:
        """The blob base fee of the next block, in wei; None where it takes no blobs."""
        l1 = self._l1
        if L1_FORKS[l1.config.fork_at(l1.next_block_time)].blobs is None:
            return None
        return l1_blob_base_fee_after(l1.config, l1.chain.head.header, l1.next_block_time)

    def suggested_tip(self) -> int:
        """A priority fee that gets included, in wei."""
        return _SUGGESTED_TIP

    def send_raw_transaction(self, raw: bytes) -> Hash:
        """Hands in EIP-2718 bytes, a blob transaction in its network form; raises TransactionRefused."""
        try:
            return self._l1.send_raw_transaction(raw)
        except AlreadyKnown as error:
            raise AlreadyPooled(error.message) from error
        except PoolError as error:
            raise TransactionRefused(error.message) from error

    def send_blob_transaction(self, transaction: Transaction, sidecar: BlobSidecar) -> Hash:
        """Hands in a blob transaction with blobs that this process has committed to; raises TransactionRefused."""
        try:
            check_hashes(transaction, sidecar)
            return self._l1.send_with_sidecar(transaction, sidecar)
        except AlreadyKnown as error:
            raise AlreadyPooled(error.message) from error
        except (PoolError, SidecarError) as error:
            raise TransactionRefused(str(error)) from error

    def receipt(self, tx_hash: Hash) -> L1Receipt | None:
        """The receipt while the transaction is in the canonical chain."""
        chain = self._l1.chain
        location = chain.find_transaction(tx_hash)
        if location is None:
            return None
        block, receipts = chain.block(location.block_hash), chain.receipts(location.block_hash)
        if block is None or receipts is None:
            return None
        transaction, receipt = block.transactions[location.index], receipts[location.index]
        blobs = len(transaction.blob_versioned_hashes)
        fork = self._l1.config.fork_at(block.timestamp)
        return L1Receipt(
            transaction_hash=tx_hash,
            block_hash=block.hash,
            block_number=block.number,
            status=receipt.status,
            gas_used=receipt.gas_used,
            effective_gas_price=transaction.effective_gas_price(block.header.base_fee_per_gas or 0),
            blob_gas_used=blobs * GAS_PER_BLOB,
            blob_gas_price=blob_base_fee_under(fork, block.header.excess_blob_gas or 0) if blobs else 0,
        )

    def call(self, to: Address, data: bytes) -> bytes:
        """eth_call at the latest block; raises TransactionRefused when it reverts."""
        l1, head = self._l1, self._l1.chain.head
        try:
            result = call(
                l1.context_on(head, l1.next_block_time),
                l1.chain.state_at(head.hash),
                CallRequest(to=to, data=data),
                l1.block_hashes_from(head),
            )
            result.raise_if_failed()
        except CallError as error:
            raise TransactionRefused(str(error)) from error
        return result.output
