"""Why derivation drops data: one rule per reason, with its section of the OP specifications, and the drop as a value.

Pages are named as in the specifications' directory `specs/protocol`. `tests/derivation/test_drops.py` holds each rule
to a page and a heading that exist, and to an input that is dropped by it.
"""

from dataclasses import dataclass
from enum import Enum

from derivation.places import BatchPlace, DataPlace
from rollup.protocol.blockref import BlockId

_BASE, _SPAN, _HOLOCENE = "derivation.md", "delta/span-batches.md", "holocene/derivation.md"
_SITE = "https://specs.optimism.io/protocol/"


class Rule(Enum):
    """A reason to drop data: its name, the page and the heading of the specification, and its text."""

    # L1 retrieval
    SENDER = ("sender", _BASE, "L1 Retrieval", "the sender is not the batcher that SystemConfig names")
    TRANSACTION_TYPE = ("transaction-type", _BASE, "L1 Retrieval", "this type of L1 transaction carries no batches")
    BLOB_CALLDATA = (
        "blob-calldata",
        "ecotone/derivation.md",
        "Ecotone: Blob Retrieval",
        "from Ecotone the calldata of a blob transaction is ignored",
    )
    BLOB_ENCODING = ("blob-encoding", "ecotone/derivation.md", "Blob Encoding", "the blob is not in OP's encoding")
    # Frames
    DATA_EMPTY = ("data-empty", _BASE, "Batcher Transaction Format", "there is no data, not even a version byte")
    DATA_VERSION = ("data-version", _BASE, "Batcher Transaction Format", "the version byte is not 0")
    NO_FRAMES = ("no-frames", _BASE, "Batcher Transaction Format", "no frame follows the version byte")
    FRAME_TRUNCATED = ("frame-truncated", _BASE, "Frame Format", "a frame ends after the data does")
    FRAME_TOO_LONG = ("frame-too-long", _BASE, "Frame Format", "a frame holds more than 1,000,000 bytes")
    FRAME_IS_LAST = ("frame-is-last", _BASE, "Frame Format", "is_last is neither 0 nor 1")
    FRAME_AFTER_LAST = ("frame-after-last", _HOLOCENE, "Frame Queue", "the frame follows its channel's last frame")
    FRAME_ORDER = ("frame-order", _HOLOCENE, "Frame Queue", "the frame does not follow the frame before it")
    FRAME_NOT_FIRST = (
        "frame-not-first",
        _HOLOCENE,
        "Frame Queue",
        "a frame of another channel must be that channel's first",
    )
    CHANNEL_REPLACED = (
        "channel-replaced",
        _HOLOCENE,
        "Frame Queue",
        "a new channel began before the last frame of this one",
    )
    # Channels
    FRAME_NO_CHANNEL = (
        "frame-no-channel",
        _HOLOCENE,
        "Reading & Frame Loading",
        "the frame's channel is not the one that is open",
    )
    FRAME_REPEATED = ("frame-repeated", _BASE, "Loading frames", "the channel has a frame with this number already")
    FRAME_SECOND_LAST = ("frame-second-last", _BASE, "Loading frames", "the channel has a last frame already")
    FRAME_BEYOND_LAST = ("frame-beyond-last", _BASE, "Loading frames", "the number is above that of the last frame")
    FRAME_TIMED_OUT = ("frame-timed-out", _BASE, "Loading frames", "the frame's channel has timed out")
    CHANNEL_TIMED_OUT = ("channel-timed-out", _BASE, "Timeouts", "the channel was not complete before its timeout")
    CHANNEL_BANK_FULL = ("channel-bank-full", _BASE, "Pruning", "the channel bank is full and this channel is oldest")
    CHANNEL_TOO_LARGE = ("channel-too-large", _HOLOCENE, "Pruning", "the channel's frames exceed the size limit")
    # Channel reading
    CHANNEL_EMPTY = ("channel-empty", _BASE, "Channel Format", "the channel holds no bytes")
    COMPRESSION_UNKNOWN = (
        "compression-unknown",
        _BASE,
        "Channel Format",
        "the channel begins like no known compression",
    )
    BROTLI_BEFORE_FJORD = (
        "brotli-before-fjord",
        "fjord/derivation.md",
        "Brotli Channel Compression",
        "brotli is not read before Fjord",
    )
    COMPRESSION_DEFECT = ("compression-defect", _BASE, "Channel Format", "the compressed data is broken or cut off")
    CHANNEL_LIMIT = (
        "channel-limit",
        _BASE,
        "Channel Format",
        "a string goes beyond MAX_RLP_BYTES_PER_CHANNEL of the decompressed channel",
    )
    RLP_MALFORMED = ("rlp-malformed", _BASE, "Channel Format", "what follows is not a canonical RLP string")
    BATCH_EMPTY = ("batch-empty", _BASE, "Batch Format", "the batch is empty")
    BATCH_VERSION = ("batch-version", _BASE, "Batch Format", "the batch version is unknown")
    BATCH_MALFORMED = ("batch-malformed", _BASE, "Batch Format", "the batch cannot be decoded")
    SPAN_MALFORMED = ("span-malformed", _SPAN, "Span batch format", "the span batch cannot be decoded")
    SPAN_TRANSACTIONS = (
        "span-transactions",
        _SPAN,
        "Span batch format",
        "the span's columns do not form valid transactions",
    )
    SPAN_BEFORE_DELTA = ("span-before-delta", _SPAN, "Batch Queue", "span batches begin with Delta")
    # Batches
    PAST = ("past", _BASE, "Batch Queue", "the batch is for blocks that are safe already")
    SPAN_PAST = ("span-past", _SPAN, "Batch Queue", "every block of the span is safe already")
    FUTURE = ("future", _HOLOCENE, "Batch Queue", "the batch is not for the next block")
    SPAN_FUTURE = ("span-future", _HOLOCENE, "Span Batches", "the span begins after the next block")
    PARENT = ("parent", _BASE, "Batch Queue", "the batch names another parent than the safe head")
    WINDOW = ("window", _BASE, "Batch Queue", "the batch came after its sequencing window")
    EPOCH_OLD = ("epoch-old", _BASE, "Batch Queue", "the L1 origin is older than the parent's")
    EPOCH_AHEAD = ("epoch-ahead", _BASE, "Batch Queue", "the L1 origin skips an L1 block")
    EPOCH_HASH = ("epoch-hash", _BASE, "Batch Queue", "the L1 origin has another hash")
    TIME_BEFORE_ORIGIN = ("time-before-origin", _BASE, "Batch Queue", "the block is older than its L1 origin")
    DRIFT_NOT_EMPTY = (
        "drift-not-empty",
        _BASE,
        "Batch Queue",
        "beyond the sequencer drift a block must be empty",
    )
    DRIFT_ORIGIN = (
        "drift-origin",
        _BASE,
        "Batch Queue",
        "beyond the sequencer drift a block must take the next L1 origin",
    )
    TRANSACTION_EMPTY = ("transaction-empty", _BASE, "Batch Queue", "a transaction is empty")
    TRANSACTION_DEPOSIT = ("transaction-deposit", _BASE, "Batch Queue", "a batch cannot contain a deposit")
    TRANSACTION_POST_EXEC = (
        "transaction-post-exec",
        _BASE,
        "Batch Queue",
        "no fork of this chain has post-exec transactions",
    )
    TRANSACTION_SET_CODE = (
        "transaction-set-code",
        "isthmus/derivation.md",
        "Activation",
        "set-code transactions begin with Isthmus",
    )
    FORK_BLOCK_NOT_EMPTY = (
        "fork-block-not-empty",
        "jovian/derivation.md",
        "Activation Block Rules",
        "the first block of this fork cannot contain transactions of users",
    )
    SPAN_ALIGNMENT = ("span-alignment", _SPAN, "Batch Queue", "the span's times do not fall on the block times")
    SPAN_BEFORE_GENESIS = ("span-before-genesis", _SPAN, "Batch Queue", "the span begins before the L2 genesis")
    SPAN_PARENT = ("span-parent", _SPAN, "Batch Queue", "parent_check is not the hash of the span's parent")
    SPAN_WINDOW = ("span-window", _SPAN, "Batch Queue", "the span came after its sequencing window")
    SPAN_EPOCH_AHEAD = ("span-epoch-ahead", _SPAN, "Batch Queue", "the first L1 origin skips an L1 block")
    SPAN_ORIGIN = ("span-origin", _SPAN, "Batch Queue", "l1_origin_check is not the hash of the last L1 origin")
    SPAN_EPOCH_OLD = ("span-epoch-old", _SPAN, "Batch Queue", "an L1 origin is older than the parent's")
    SPAN_EPOCH_UNKNOWN = ("span-epoch-unknown", _SPAN, "Batch Queue", "an L1 origin is not a known L1 block")
    SPAN_TIME_BEFORE_ORIGIN = (
        "span-time-before-origin",
        _SPAN,
        "Batch Queue",
        "a block of the span is older than its L1 origin",
    )
    SPAN_OVERLAP = (
        "span-overlap",
        _SPAN,
        "Batch Queue",
        "the span contradicts the safe chain where the two overlap",
    )
    SPAN_OUTDATED_ORIGIN = (
        "span-outdated-origin",
        _HOLOCENE,
        "Span Batches",
        "an L1 origin of the span is unknown or older than the safe head's",
    )
    # Blocks
    PAYLOAD = ("payload", _BASE, "L1-sync: payload attributes processing", "the block is invalid: the batch is dropped")
    PAYLOAD_DEPOSITS_ONLY = (
        "payload-deposits-only",
        _HOLOCENE,
        "Engine Queue",
        "the block is invalid: only its deposits are kept, and the rest of its span is dropped",
    )
    CHANNEL_FLUSHED = (
        "channel-flushed",
        _HOLOCENE,
        "Span Batches",
        "an invalid batch or block drops the rest of its channel",
    )
    ACTIVATION = ("activation", _HOLOCENE, "Activation", "what was kept is dropped when Holocene activates")

    def __init__(self, code: str, page: str, heading: str, text: str) -> None:
        self.code = code
        self.page = page
        self.heading = heading
        self.text = text

    @property
    def section(self) -> str:
        """The specification's page and section, for example `derivation.md, "Frame Format"`."""
        return f'{self.page}, "{self.heading}"'

    @property
    def url(self) -> str:
        """The section on the web."""
        words = "".join(char for char in self.heading.lower() if char.isalnum() or char in " -_")
        return f"{_SITE}{self.page.removesuffix('.md')}.html#{words.replace(' ', '-')}"


@dataclass(slots=True, frozen=True)
class Drop:
    """Data that derivation dropped.

    l1_block: the L1 block that was being read. size: the bytes dropped, as they stand on L1 for L1 data and frames,
    compressed for channels, decompressed for batches; 0 where the size is not known. place, frame, channel_id, batch:
    where the data stands, as far as it has a place. detail: the values that broke the rule; may be empty.
    """

    rule: Rule
    l1_block: BlockId
    size: int
    place: DataPlace | None = None
    frame: int | None = None
    channel_id: bytes | None = None
    batch: BatchPlace | None = None
    detail: str = ""
