"""Stage 5: a channel's batches, one after the other (specs protocol/derivation.md, "Channel Reader")."""

from typing import Protocol

from derivation.batches import SINGULAR_BATCH, SPAN_BATCH, BatchError, SingularBatch, decode_singular_batch
from derivation.channels import max_rlp_bytes
from derivation.compression import CompressionError, decompress
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
        self._data: bytes | None = None
        self._position = 0

    @property
    def origin(self) -> L1BlockRef | None:
        """The pipeline's L1 origin."""
        return self._previous.origin

    def reset(self) -> None:
        """Forgets the channel."""
        self._data = None

    def flush(self) -> None:
        """Drops what is left of the channel, and the one being assembled (holocene/derivation.md)."""
        self._data = None
        self._previous.flush()

    def next_batch(self) -> Batch:
        """The next batch; raises NotEnoughData, EndOfSource."""
        origin = self.origin
        if self._data is None:
            channel = self._previous.next_channel()
            time = origin.timestamp if origin is not None else 0
            try:
                self._data = decompress(channel, max_rlp_bytes(self._config, time), self._config.is_fjord(time))
            except CompressionError as error:
                raise NotEnoughData from error
            self._position = 0
        try:
            return self._read(origin.timestamp if origin is not None else 0)
        except BatchError as error:
            self._data = None
            raise NotEnoughData from error

    def _read(self, l1_time: int) -> Batch:
        content = self._next_string()
        if not content:
            raise BatchError("an empty batch")
        if content[0] == SINGULAR_BATCH:
            return decode_singular_batch(content[1:])
        if content[0] == SPAN_BATCH and self._config.is_delta(l1_time):
            return decode_span_batch(self._config, content[1:])
        raise BatchError(f"unknown batch type {content[0]}")

    def _next_string(self) -> bytes:
        """The next RLP string of the channel; the end of the data, or anything else, is a BatchError."""
        data, start = self._data or b"", self._position
        if start >= len(data):
            raise BatchError("the end of the channel")
        first = data[start]
        if first < 0x80:
            head, size = 0, 1
        elif first <= 0xB7:
            head, size = 1, first - 0x80
        elif first <= 0xBF:
            head = 1 + first - 0xB7
            size = int.from_bytes(data[start + 1 : start + head], "big")
            if data[start + 1 : start + 2] == b"\0" or size <= 55:
                raise BatchError("a batch's length is not canonical RLP")
        else:
            raise BatchError("a batch is a string, not a list")
        end = start + head + size
        if end > len(data):
            raise BatchError("truncated batch")
        content = data[start + head : end]
        if head == 1 and size == 1 and content[0] < 0x80:
            raise BatchError("a single byte is its own RLP")
        self._position = end
        return content
