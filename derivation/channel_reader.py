"""Stage 5: a channel's batches, one after the other (specs protocol/derivation.md, "Channel Reader")."""

from typing import Protocol

from derivation.batches import (
    SINGULAR_BATCH,
    SPAN_BATCH,
    BatchError,
    SingularBatch,
    SpanTransactionError,
    decode_singular_batch,
)
from derivation.channel_strings import ChannelStrings, channel_strings
from derivation.channels import ChannelData, max_rlp_bytes
from derivation.compression import CompressionError
from derivation.drops import Rule
from derivation.errors import NotEnoughData
from derivation.journal import BatchRead, ChannelRead, Journal
from derivation.places import BatchPlace
from derivation.span_batches import SpanBatch, decode_span_batch
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig

Batch = SingularBatch | SpanBatch


class ChannelSource(Protocol):
    """The stage before: channel bank or assembler."""

    @property
    def origin(self) -> L1BlockRef | None: ...
    def next_channel(self) -> ChannelData: ...
    def flush(self) -> None: ...


class ChannelReader:
    """Reads one channel to its end, then asks for the next. Defective data ends its channel, never the pipeline."""

    def __init__(self, config: RollupConfig, previous: ChannelSource, journal: Journal | None = None) -> None:
        self._config = config
        self._previous = previous
        self._journal = journal or Journal()
        self._channel = ChannelData(b"")
        self._strings: ChannelStrings | None = None
        self._place: BatchPlace | None = None  # of the batch that was read last

    @property
    def origin(self) -> L1BlockRef | None:
        """The pipeline's L1 origin."""
        return self._previous.origin

    def reset(self) -> None:
        """Forgets the channel."""
        self._strings = None

    def flush(self) -> None:
        """Drops the rest of the channel, and the channel that is being assembled (holocene/derivation.md)."""
        # spec: holocene.span-drops-channel
        if self._strings is not None:
            left = self._strings.left
            if left != 0:
                self._journal.drop(Rule.CHANNEL_FLUSHED, left or 0, channel_id=self._channel.channel_id)
        self._strings = None
        self._previous.flush()

    def next_batch(self) -> Batch:
        """The next batch; raises NotEnoughData, EndOfSource."""
        origin = self.origin
        time = origin.timestamp if origin is not None else 0
        if self._strings is None:
            self._strings = self._open(self._previous.next_channel(), time)
        content = next(self._strings, None)
        if content is None:
            self._end(self._strings)
            raise NotEnoughData
        place = BatchPlace(self._channel.channel_id, self._journal.reading, self._next_index(), len(content))
        self._place = place
        try:
            batch = self._decode(content, time)
        except BatchError as error:
            # A span whose transactions are bad is dropped alone; anything else ends its channel.
            rest = 0 if isinstance(error, SpanTransactionError) else self._strings.left or 0
            self._journal.drop(error.rule, len(content) + rest, batch=place, detail=str(error))
            if not isinstance(error, SpanTransactionError):
                self._strings = None
            raise NotEnoughData from error
        batch.place = place
        self._report(batch, place)
        return batch

    def _open(self, channel: ChannelData, time: int) -> ChannelStrings:
        self._channel, self._place, found = channel, None, None
        try:
            found = channel_strings(channel.data, max_rlp_bytes(self._config, time), self._config.is_fjord(time))
        except CompressionError as error:
            self._report_channel(None)
            self._journal.drop(error.rule, len(channel.data), channel_id=channel.channel_id, detail=error.detail)
            raise NotEnoughData from error
        self._report_channel(found)
        return found

    def _end(self, strings: ChannelStrings) -> None:
        """Ends the channel, because the rest of it cannot be read."""
        self._strings, end = None, strings.end
        if end.rule is not None:
            self._journal.drop(end.rule, end.size, channel_id=self._channel.channel_id)

    def _next_index(self) -> int:
        return 0 if self._place is None else self._place.index + 1

    def _report_channel(self, strings: ChannelStrings | None) -> None:
        channel = self._channel
        self._journal.report(
            ChannelRead(
                channel.channel_id,
                self._journal.reading,
                channel.frames,
                len(channel.data),
                strings.raw_size if strings is not None else 0,
                strings.algorithm if strings is not None else None,
            )
        )

    def _report(self, batch: Batch, place: BatchPlace) -> None:
        if isinstance(batch, SingularBatch):
            time, count = batch.timestamp, len(batch.transactions)
            self._journal.report(BatchRead(place, "singular", time, time, 1, count))
            return
        last = batch.blocks[-1].timestamp
        self._journal.report(BatchRead(place, "span", batch.timestamp, last, len(batch.blocks), batch.transactions))

    def _decode(self, content: bytes, l1_time: int) -> Batch:
        # spec: batch.version
        if not content:
            raise BatchError("no bytes", Rule.BATCH_EMPTY)
        if content[0] == SINGULAR_BATCH:
            return decode_singular_batch(content[1:])
        if content[0] == SPAN_BATCH:
            try:
                span = decode_span_batch(self._config, content[1:])
            except SpanTransactionError:
                raise
            except BatchError as error:
                raise BatchError(str(error), Rule.SPAN_MALFORMED) from error
            if not self._config.is_delta(l1_time):
                raise SpanTransactionError("a span batch before Delta", Rule.SPAN_BEFORE_DELTA)
            return span
        raise BatchError(f"version {content[0]}", Rule.BATCH_VERSION)
