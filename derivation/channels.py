"""A channel as its frames come in (specs protocol/derivation.md, "Channel Format")."""

from derivation.frames import Frame
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig

# What a frame counts for beside its data, so that empty ones are not free (op-node: frameOverhead).
_FRAME_OVERHEAD = 200
_MAX_RLP_BYTES, _MAX_RLP_BYTES_FJORD = 10_000_000, 100_000_000
_MAX_BANK_SIZE, _MAX_BANK_SIZE_FJORD = 100_000_000, 1_000_000_000


class Channel:
    """The frames of one channel; open_block is the L1 block of the first, which its timeout counts from.

    in_order: Holocene's rule that each frame follows the one before (holocene/derivation.md, "Frame Queue").
    """

    __slots__ = ("_frames", "_in_order", "_last", "channel_id", "highest_block", "open_block", "size")

    def __init__(self, channel_id: bytes, open_block: L1BlockRef, *, in_order: bool = False) -> None:
        self.channel_id = channel_id
        self._in_order = in_order
        self.open_block = open_block
        self.highest_block = open_block
        self.size = 0
        self._frames: dict[int, bytes] = {}
        self._last: int | None = None

    def add(self, frame: Frame, l1_block: L1BlockRef) -> bool:
        """Takes a frame in; False when it is another channel's, or repeats or contradicts what is there."""
        # spec: channel.duplicate-frame, channel.duplicate-close, channel.close-cuts
        if frame.channel_id != self.channel_id or (self._in_order and frame.number != len(self._frames)):
            return False
        if frame.is_last and self._last is not None:
            return False
        if frame.number in self._frames or (self._last is not None and frame.number >= self._last):
            return False
        if frame.is_last:
            self._last = frame.number
            for number in [number for number in self._frames if number > frame.number]:
                self.size -= len(self._frames.pop(number)) + _FRAME_OVERHEAD
        self._frames[frame.number] = frame.data
        self.size += len(frame.data) + _FRAME_OVERHEAD
        if l1_block.number > self.highest_block.number:
            self.highest_block = l1_block
        return True

    @property
    def is_ready(self) -> bool:
        """All frames up to the last are there."""
        return self._last is not None and len(self._frames) == self._last + 1

    def data(self) -> bytes:
        """The channel's bytes, frames in order."""
        return b"".join(self._frames[number] for number in sorted(self._frames))

    def is_timed_out(self, config: RollupConfig, origin: L1BlockRef) -> bool:
        """The L1 origin is beyond the channel's timeout."""
        # spec: channel.timeout
        return self.open_block.number + config.channel_timeout_at(origin.timestamp) < origin.number


def max_rlp_bytes(config: RollupConfig, l1_time: int) -> int:
    """How much a channel may decompress to, bytes (fjord/derivation.md)."""
    # spec: channel.max-rlp-bytes, fjord.channel-limits
    return _MAX_RLP_BYTES_FJORD if config.is_fjord(l1_time) else _MAX_RLP_BYTES


def max_bank_size(config: RollupConfig, l1_time: int) -> int:
    """How much the channel bank holds, bytes (fjord/derivation.md)."""
    # spec: channel.prune, fjord.channel-limits
    return _MAX_BANK_SIZE_FJORD if config.is_fjord(l1_time) else _MAX_BANK_SIZE
