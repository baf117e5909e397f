"""The blobs of L1's pooled transactions: stored before a transaction, deleted with the last one that needs them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.l1.archive import L1Archive
from rollup.l1.sidecar import BlobSidecar, SidecarError, is_blob_transaction, unwrap
from rollup.pool.errors import PoolError
from rollup.pool.mempool import Mempool
from rollup.protocol.primitives import Hash
from rollup.protocol.transaction import Transaction, TransactionError, decode_transaction


class PoolBlobs:
    """Keeps the archive's loose blobs, those of no block, to the ones that the pool's transactions need."""

    def __init__(self, pool: Mempool, archive: L1Archive) -> None:
        """Follows the pool, and deletes blobs that were left by a kill."""
        self._pool = pool
        self._archive = archive
        self._users: Counter[Hash] = Counter()  # by versioned hash, the number of pooled transactions that use it
        content = pool.content()
        for transactions in (*content.pending.values(), *content.queued.values()):
            for transaction in transactions:
                self._users.update(transaction.blob_versioned_hashes)
        self.drop_unused()
        pool.subscribe(self._on_coming)
        pool.subscribe_leaving(self._on_leaving)

    def send(self, transaction: Transaction, sidecar: BlobSidecar) -> Hash:
        """Takes a blob transaction into the pool and its blobs into the archive; raises PoolError."""
        new_blobs = self._archive.add(sidecar)  # before the rest: a listener of the pool may mine at once
        try:
            return self._pool.add_transaction(transaction)
        except PoolError:
            self._archive.remove_loose(new_blobs)
            raise

    def decode(self, raw: bytes) -> Transaction:
        """A transaction from its bytes, whose blobs come with it or are in the archive.

        Raises TransactionError or SidecarError.
        """
        if not is_blob_transaction(raw):
            return decode_transaction(raw)
        try:
            transaction = decode_transaction(raw)
        except TransactionError:
            transaction, sidecar = unwrap(raw)
            self._archive.add(sidecar)
        if not self._archive.has_all(transaction.blob_versioned_hashes):
            raise SidecarError("missing blobs: L1 has never seen them")
        return transaction

    def pending(self, base_fee: int) -> Iterator[Transaction]:
        """The pool's transactions for a block. Those whose blobs are missing are removed from the pool."""
        for transaction in self._pool.pending(base_fee):
            if self._archive.has_all(transaction.blob_versioned_hashes):
                yield transaction
            else:
                self._pool.reject(transaction, InvalidTransaction(Refusal.NO_SIDECAR))

    def drop_unused(self) -> None:
        """Deletes the loose blobs that no pooled transaction needs."""
        self._archive.remove_loose(item for item in self._archive.loose() if self._users[item] <= 0)

    def _on_coming(self, transactions: Sequence[Transaction]) -> None:
        for transaction in transactions:
            self._users.update(transaction.blob_versioned_hashes)

    def _on_leaving(self, transaction: Transaction) -> None:
        hashes = transaction.blob_versioned_hashes
        for item in hashes:
            self._users[item] -= 1
        unused = [item for item in hashes if self._users[item] <= 0]
        for item in unused:
            self._users.pop(item, None)
        self._archive.remove_loose(unused)
