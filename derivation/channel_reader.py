"""Stage 5: a channel's batches, one after the other (specs protocol/derivation.md, "Channel Reader")."""

from collections.abc import Iterator
from typing import Protocol

from derivation.batches import (
    SINGULAR_BATCH,
    SPAN_BATCH,
    BatchError,
    SingularBatch,
    SpanTransactionError,
    decode_singular_batch,
)
from derivation.channel_strings import channel_strings
from derivation.channels import max_rlp_bytes
from derivation.compression import CompressionError
from derivation.errors import NotEnoughData
from derivation.span_batches import SpanBatch, decode_span_batch
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig

Batch = SingularBatch | SpanBatch


class ChannelSource(Protocol):
    """The stage before: channel bank or assembler."""

    @property
    def origin(self) -> L1BlockRef | None: ...
    def next_channel(self) -> bytes: ...
    def flush(self) -> None: ...


class ChannelReader:
    """Reads one channel to its end, then asks for the next. Defective data ends its channel, never the pipeline."""

    def __init__(self, config: RollupConfig, previous: ChannelSource) -> None:
        self._config = config
        self._previous = previous
        self._strings: Iterator[bytes] | None = None

    @property
    def origin(self) -> L1BlockRef | None:
        """The pipeline's L1 origin."""
        return self._previous.origin

    def reset(self) -> None:
        """Forgets the channel."""
        self._strings = None

    def flush(self) -> None:
        """Drops what is left of the channel, and the one being assembled (holocene/derivation.md)."""
        # spec: holocene.span-drops-channel
        self._strings = None
        self._previous.flush()

    def next_batch(self) -> Batch:
        """The next batch; raises NotEnoughData, EndOfSource."""
        origin = self.origin
        if self._strings is None:
            channel = self._previous.next_channel()
            time = origin.timestamp if origin is not None else 0
            try:
                self._strings = channel_strings(channel, max_rlp_bytes(self._config, time), self._config.is_fjord(time))
            except CompressionError as error:
                raise NotEnoughData from error
        try:
            return self._read(origin.timestamp if origin is not None else 0)
        except SpanTransactionError as error:
            # The batch alone is bad, the next one of the channel is read.
            raise NotEnoughData from error
        except BatchError as error:
            self._strings = None
            raise NotEnoughData from error

    def _read(self, l1_time: int) -> Batch:
        # spec: batch.version
        content = next(self._strings or iter(()), None)
        if content is None:
            raise BatchError("the end of the channel, or a string that is not canonical RLP")
        if not content:
            raise BatchError("an empty batch")
        if content[0] == SINGULAR_BATCH:
            return decode_singular_batch(content[1:])
        if content[0] == SPAN_BATCH:
            span = decode_span_batch(self._config, content[1:])
            if not self._config.is_delta(l1_time):
                raise SpanTransactionError("a span batch before Delta")
            return span
        raise BatchError(f"unknown batch type {content[0]}")
