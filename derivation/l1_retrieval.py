"""Stage 2: the data of an L1 block's batcher transactions, from calldata and from blobs.

specs protocol/derivation.md, "L1 Retrieval"; ecotone/derivation.md, "Ecotone: Blob Retrieval".
"""

from collections.abc import Callable
from dataclasses import dataclass

from derivation.drops import Rule
from derivation.errors import EndOfSource, NotFound, Reset, Temporary
from derivation.journal import DataRead, Journal
from derivation.l1_traversal import L1Traversal
from derivation.places import DataPlace
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
    """One piece in order: calldata, or the versioned hash of a blob to fetch; and the transaction it comes from.

    index: the transaction's place in its block. blob: the blob's place in its transaction, None for calldata.
    """

    calldata: bytes | None = None
    blob_hash: Hash | None = None
    transaction: Hash = bytes(32)
    index: int = 0
    blob: int | None = None


@dataclass(slots=True, frozen=True)
class BatcherPiece:
    """The data of one piece, and its place on L1 as far as that is known."""

    data: bytes
    place: DataPlace | None = None


OnTransactionDrop = Callable[[Transaction, int, Rule], None]


def _ignore_drop(transaction: Transaction, index: int, rule: Rule) -> None:
    """Reports nothing."""


class L1Retrieval:
    """Gives the current L1 block's batcher data, a transaction's calldata or a blob at a time."""

    def __init__(
        self,
        config: RollupConfig,
        previous: L1Traversal,
        l1: L1Source,
        blobs: BlobSource,
        journal: Journal | None = None,
    ) -> None:
        self._journal = journal or Journal()
        self._config = config
        self._previous = previous
        self._l1 = l1
        self._blobs = blobs
        self._pending: list[BatcherPiece] | None = None

    @property
    def origin(self) -> L1BlockRef | None:
        """The pipeline's L1 origin."""
        return self._previous.origin

    def reset(self) -> None:
        """Forgets pieces that were not returned yet."""
        self._pending = None

    def next_data(self) -> BatcherPiece:
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

    def _open(self, block: L1BlockRef) -> list[BatcherPiece]:
        # spec: retrieval.sender, blob.order, blob.invalid-ignored
        batcher = self._previous.system_config.batcher_address
        allow_blobs = self._config.is_ecotone(block.timestamp)
        transactions = self._l1.transactions(block.hash)
        dropped: list[tuple[Transaction, int, Rule]] = []
        found = batcher_data(
            self._config.batch_inbox_address,
            batcher,
            transactions,
            allow_blobs=allow_blobs,
            on_drop=lambda *drop: dropped.append(drop),
        )
        hashes = [item.blob_hash for item in found if item.blob_hash is not None]
        try:
            blobs = iter(self._blobs.blobs(block, hashes) if hashes else [])
        except NotFound as error:
            # A block whose blobs nobody has was reorganised away (op-node: BlobDataSource.open).
            raise Reset(f"blobs of L1 block {block.number} were not found: {error}") from error
        # From here on the block is read: nothing is reported twice.
        for transaction, index, rule in dropped:
            self._drop_transaction(block, transaction, index, rule)
        pieces = []
        for item in found:
            place = DataPlace(block.id, item.transaction, item.index, batcher, item.blob, item.blob_hash)
            if item.calldata is not None:
                pieces.append(BatcherPiece(item.calldata, place))
                continue
            blob = next(blobs)
            try:
                pieces.append(BatcherPiece(decode_blob(blob), place))
            except BlobError as error:
                # Hostile or foreign: dropped.
                self._journal.report(DataRead(place, len(blob), ()))
                self._journal.drop(Rule.BLOB_ENCODING, len(blob), place=place, detail=str(error))
        return pieces

    def _drop_transaction(self, block: L1BlockRef, transaction: Transaction, index: int, rule: Rule) -> None:
        try:
            sender = transaction.sender
        except TransactionError:
            sender = bytes(20)
        place = DataPlace(block.id, transaction.hash, index, sender)
        self._journal.report(DataRead(place, len(transaction.data), ()))
        self._journal.drop(rule, len(transaction.data), place=place, detail=f"sender 0x{sender.hex()}")


def batcher_data(
    inbox: Address,
    batcher: Address,
    transactions: list[Transaction],
    *,
    allow_blobs: bool,
    on_drop: OnTransactionDrop = _ignore_drop,
) -> list[BatcherData]:
    """The batcher's data in an L1 block, in order: to the inbox, from the batcher, of type 0 to 3, or a deposit.

    A deposit's sender is the one it names: this L1 is an OP chain itself then, and its own derivation vouches for it.
    Before Ecotone a blob transaction gives its calldata (specs protocol/derivation.md, "L1 Retrieval"). From Ecotone it
    gives its blobs, and its calldata is ignored (ecotone/derivation.md, "Ecotone: Blob Retrieval"). on_drop is called
    with each transaction to the inbox whose calldata is dropped, its index and the rule.
    """
    # spec: retrieval.inbox, retrieval.types, retrieval.sender, retrieval.order, blob.calldata-ignored
    found: list[BatcherData] = []
    for index, transaction in enumerate(transactions):
        if transaction.to != inbox:
            continue
        if transaction.tx_type not in _BATCHER_TYPES:
            on_drop(transaction, index, Rule.TRANSACTION_TYPE)
        elif not _is_from(transaction, batcher):
            on_drop(transaction, index, Rule.SENDER)
        elif transaction.tx_type != BLOB or not allow_blobs:
            found.append(BatcherData(transaction.data, None, transaction.hash, index))
        else:
            if transaction.data:
                on_drop(transaction, index, Rule.BLOB_CALLDATA)
            found += [
                BatcherData(None, item, transaction.hash, index, place)
                for place, item in enumerate(transaction.blob_versioned_hashes)
            ]
    return found


def _is_from(transaction: Transaction, batcher: Address) -> bool:
    try:
        return transaction.sender == batcher
    except TransactionError:
        return False
