"""Batches: the content of a channel, one RLP string each (specs protocol/derivation.md, "Batch Format")."""

from dataclasses import dataclass, field

from derivation.drops import Rule
from derivation.places import BatchPlace
from rollup.protocol.blockref import BlockId
from rollup.protocol.primitives import Hash, RlpError, from_int_bytes, rlp_decode, rlp_encode, to_int_bytes

SINGULAR_BATCH, SPAN_BATCH = 0, 1


class BatchError(ValueError):
    """Bytes that are not a batch, and the rule by which they are dropped.

    Their channel ends: op-node's reader fails with them.
    """

    def __init__(self, detail: str, rule: Rule = Rule.BATCH_MALFORMED) -> None:
        super().__init__(detail)
        self.rule = rule


class SpanTransactionError(BatchError):
    """A span batch that was read whole, but whose columns make no transactions. It alone is dropped."""

    def __init__(self, detail: str, rule: Rule = Rule.SPAN_TRANSACTIONS) -> None:
        super().__init__(detail, rule)


@dataclass(slots=True)
class SingularBatch:
    """One L2 block: its parent, its epoch, its time in seconds, its transactions without deposits.

    place: where it was read, None for a batch that was not read; not a part of its value.
    """

    parent_hash: Hash
    epoch_number: int
    epoch_hash: Hash
    timestamp: int
    transactions: list[bytes] = field(default_factory=list)
    place: BatchPlace | None = field(default=None, compare=False)

    @property
    def epoch(self) -> BlockId:
        """The L1 origin."""
        return BlockId(self.epoch_hash, self.epoch_number)

    def encode(self) -> bytes:
        """The batch's RLP string in a channel."""
        body = rlp_encode(
            [
                self.parent_hash,
                to_int_bytes(self.epoch_number),
                self.epoch_hash,
                to_int_bytes(self.timestamp),
                self.transactions,
            ]
        )
        return rlp_encode(bytes((SINGULAR_BATCH,)) + body)


def decode_singular_batch(data: bytes) -> SingularBatch:
    """A batch's content after its type byte; raises BatchError.

    Bytes after the list are ignored (specs protocol/derivation.md, "Batch Format": a batch that decodes is not
    invalidated by extra content).
    """
    # spec: batch.version, batch.extra-content
    try:
        fields = rlp_decode(data[: _first_item_size(data)])
        if not isinstance(fields, list) or len(fields) != 5:
            raise BatchError("a singular batch is a list of five")
        parent_hash, epoch_number, epoch_hash, timestamp, transactions = fields
        if not isinstance(transactions, list) or not all(isinstance(raw, bytes) for raw in transactions):
            raise BatchError("a singular batch's transactions are byte strings")
        for value in (parent_hash, epoch_hash):
            if not isinstance(value, bytes) or len(value) != 32:
                raise BatchError("a hash in a singular batch is not 32 bytes long")
        for value in (epoch_number, timestamp):
            if not isinstance(value, bytes):
                raise BatchError("a singular batch's number is a list")
        return SingularBatch(
            parent_hash, from_int_bytes(epoch_number, 8), epoch_hash, from_int_bytes(timestamp, 8), transactions
        )
    except RlpError as error:
        raise BatchError(str(error)) from error


def _first_item_size(data: bytes) -> int:
    """Bytes of the RLP list that data begins with; of all data when it does not begin with one."""
    if not data or data[0] < 0xC0:
        return len(data)
    size = data[0] - 0xC0
    if size <= 55:
        return 1 + size
    head = 1 + size - 55
    return head + int.from_bytes(data[1:head], "big")
