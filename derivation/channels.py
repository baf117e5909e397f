"""A channel as its frames come in (specs protocol/derivation.md, "Channel Format")."""

from collections.abc import Callable
from dataclasses import dataclass

from derivation.drops import Rule
from derivation.frames import Frame
from derivation.places import FramePlace
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig

# The size of a frame in addition to its data, so that empty ones are not free (op-node: frameOverhead).
_FRAME_OVERHEAD = 200
_MAX_RLP_BYTES, _MAX_RLP_BYTES_FJORD = 10_000_000, 100_000_000
_MAX_BANK_SIZE, _MAX_BANK_SIZE_FJORD = 100_000_000, 1_000_000_000

OnFrameDrop = Callable[[FramePlace, Rule], None]


def ignore_drop(frame: FramePlace, rule: Rule) -> None:
    """Reports nothing."""


@dataclass(slots=True, frozen=True)
class ChannelData:
    """A complete channel: its compressed bytes, and the places of the frames that they came in, in order."""

    data: bytes
    channel_id: bytes = bytes(16)
    frames: tuple[FramePlace, ...] = ()


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
        self._frames: dict[int, Frame] = {}
        self._last: int | None = None

    def add(self, frame: Frame, l1_block: L1BlockRef, on_drop: OnFrameDrop = ignore_drop) -> bool:
        """Adds a frame. Returns False if it belongs to another channel, or repeats or contradicts an earlier frame.

        on_drop is called with the frame if it is refused, and with each kept frame that a last frame cuts off.
        """
        # spec: channel.duplicate-frame, channel.duplicate-close, channel.close-cuts
        refusal = self._refusal(frame)
        if refusal is not None:
            on_drop(frame.place, refusal)
            return False
        if frame.is_last:
            self._last = frame.number
            for number in [number for number in self._frames if number > frame.number]:
                cut = self._frames.pop(number)
                self.size -= len(cut.data) + _FRAME_OVERHEAD
                on_drop(cut.place, Rule.FRAME_BEYOND_LAST)
        self._frames[frame.number] = frame
        self.size += len(frame.data) + _FRAME_OVERHEAD
        if l1_block.number > self.highest_block.number:
            self.highest_block = l1_block
        return True

    def _refusal(self, frame: Frame) -> Rule | None:
        if frame.channel_id != self.channel_id:
            return Rule.FRAME_NO_CHANNEL
        if self._in_order and frame.number != len(self._frames):
            return Rule.FRAME_ORDER
        if frame.is_last and self._last is not None:
            return Rule.FRAME_SECOND_LAST
        if frame.number in self._frames:
            return Rule.FRAME_REPEATED
        if self._last is not None and frame.number >= self._last:
            return Rule.FRAME_BEYOND_LAST
        return None

    @property
    def is_ready(self) -> bool:
        """Whether all frames up to the last one are there."""
        return self._last is not None and len(self._frames) == self._last + 1

    def data(self) -> ChannelData:
        """The channel's bytes, frames in order."""
        frames = [self._frames[number] for number in sorted(self._frames)]
        content = b"".join([frame.data for frame in frames])
        return ChannelData(content, self.channel_id, tuple(frame.place for frame in frames))

    def drop(self, rule: Rule, on_drop: OnFrameDrop) -> None:
        """Reports all its frames as dropped by a rule."""
        for frame in self._frames.values():
            on_drop(frame.place, rule)

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
