"""Stage 2: the data of an L1 block's batcher transactions, from calldata and from blobs.

specs protocol/derivation.md, "L1 Retrieval"; ecotone/derivation.md, "Ecotone: Blob Retrieval".
"""

from dataclasses import dataclass

from derivation.errors import EndOfSource, NotFound, Reset, Temporary
from derivation.l1_traversal import L1Traversal
from derivation.sources import BlobSource, L1Source
from rollup.protocol.blobs import BlobError, decode_blob
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import (
    ACCESS_LIST,
    BLOB,
    DEPOSIT,
    DYNAMIC_FEE,
    LEGACY,
    Transaction,
    TransactionError,
)

# A list of what is allowed, not of what is not: a type that L1 gets later gives no data by itself.
_BATCHER_TYPES = frozenset((LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, DEPOSIT))


@dataclass(slots=True, frozen=True)
class BatcherData:
    """One piece in order: calldata, or the versioned hash of a blob to fetch."""

    calldata: bytes | None = None
    blob_hash: Hash | None = None


class L1Retrieval:
    """Gives the current L1 block's batcher data, a transaction's calldata or a blob at a time."""

    def __init__(self, config: RollupConfig, previous: L1Traversal, l1: L1Source, blobs: BlobSource) -> None:
        self._config = config
        self._previous = previous
        self._l1 = l1
        self._blobs = blobs
        self._pending: list[bytes] | None = None

    @property
    def origin(self) -> L1BlockRef | None:
        """The pipeline's L1 origin."""
        return self._previous.origin

    def reset(self) -> None:
        """Forgets what was not given yet."""
        self._pending = None

    def next_data(self) -> bytes:
        """The next piece; raises EndOfSource when the block has no more, Temporary when L1 does not answer."""
        if self._pending is None:
            block = self._previous.next_l1_block()
            try:
                self._pending = self._open(block)
            except (Temporary, Reset):
                self._previous.reset(block, self._previous.system_config)
                raise
        if not self._pending:
            self._pending = None
            raise EndOfSource
        return self._pending.pop(0)

    def _open(self, block: L1BlockRef) -> list[bytes]:
        # spec: retrieval.sender, blob.order, blob.invalid-ignored
        batcher = self._previous.system_config.batcher_address
        allow_blobs = self._config.is_ecotone(block.timestamp)
        found = batcher_data(
            self._config.batch_inbox_address, batcher, self._l1.transactions(block.hash), allow_blobs=allow_blobs
        )
        hashes = [item.blob_hash for item in found if item.blob_hash is not None]
        try:
            blobs = iter(self._blobs.blobs(block, hashes) if hashes else [])
        except NotFound as error:
            # A block whose blobs nobody has was reorganised away (op-node: BlobDataSource.open).
            raise Reset(f"blobs of L1 block {block.number} were not found: {error}") from error
        data = []
        for item in found:
            if item.calldata is not None:
                data.append(item.calldata)
                continue
            try:
                data.append(decode_blob(next(blobs)))
            except BlobError:
                continue  # hostile or foreign: dropped
        return data


def batcher_data(
    inbox: Address, batcher: Address, transactions: list[Transaction], *, allow_blobs: bool
) -> list[BatcherData]:
    """The batcher's data in an L1 block, in order: to the inbox, from the batcher, of type 0 to 3, or a deposit.

    A deposit's sender is the one it names: this L1 is an OP chain itself then, and its own derivation vouches for it.
    Before Ecotone a blob transaction gives its calldata (specs protocol/derivation.md, "L1 Retrieval"). From Ecotone it
    gives its blobs, and its calldata is ignored (ecotone/derivation.md, "Ecotone: Blob Retrieval").
    """
    # spec: retrieval.inbox, retrieval.types, retrieval.sender, retrieval.order, blob.calldata-ignored
    found: list[BatcherData] = []
    for transaction in transactions:
        if transaction.to != inbox or transaction.tx_type not in _BATCHER_TYPES:
            continue
        try:
            if transaction.sender != batcher:
                continue
        except TransactionError:
            continue
        if transaction.tx_type != BLOB or not allow_blobs:
            found.append(BatcherData(calldata=transaction.data))
        else:
            found += [BatcherData(blob_hash=item) for item in transaction.blob_versioned_hashes]
    return found
