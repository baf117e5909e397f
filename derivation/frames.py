"""Frames: pieces of a channel in a batcher transaction (specs protocol/derivation.md, "Frame Format")."""

from dataclasses import dataclass, field

from derivation.drops import Rule
from derivation.places import DataPlace, FramePlace

DERIVATION_VERSION = b"\0"
FRAME_OVERHEAD = 16 + 2 + 4 + 1  # bytes besides the data
MAX_FRAME_LENGTH = 1_000_000


class FrameError(ValueError):
    """Bytes that are not frames; the whole batcher transaction is dropped by the rule."""

    def __init__(self, rule: Rule, detail: str = "") -> None:
        super().__init__(detail or rule.text)
        self.rule = rule
        self.detail = detail


@dataclass(slots=True, frozen=True)
class Frame:
    """One piece: the channel's id (16 bytes), its place in it, its data, whether it is the last.

    source: where it stands on L1, as far as it is known; not a part of its value.
    """

    channel_id: bytes
    number: int
    data: bytes
    is_last: bool
    source: DataPlace | None = field(default=None, compare=False)

    @property
    def place(self) -> FramePlace:
        """The frame without its data."""
        return FramePlace(self.source, self.channel_id, self.number, len(self.data), self.is_last)

    def encode(self) -> bytes:
        """The frame's bytes."""
        # spec: frame.format
        return (
            self.channel_id
            + self.number.to_bytes(2, "big")
            + len(self.data).to_bytes(4, "big")
            + self.data
            + bytes((self.is_last,))
        )


def decode_frame(data: bytes, start: int = 0, source: DataPlace | None = None) -> tuple[Frame, int]:
    """The frame at an offset, and the offset after it; raises FrameError."""
    # spec: frame.is-last, frame.format, frame.max-length
    if len(data) - start < FRAME_OVERHEAD:
        raise FrameError(Rule.FRAME_TRUNCATED, f"{len(data) - start} bytes are left")
    length = int.from_bytes(data[start + 18 : start + 22], "big")
    if length > MAX_FRAME_LENGTH:
        raise FrameError(Rule.FRAME_TOO_LONG, f"a frame of {length} bytes")
    end = start + 22 + length
    if end + 1 > len(data):
        raise FrameError(Rule.FRAME_TRUNCATED, f"a frame of {length} bytes, {len(data) - start - 23} are there")
    if data[end] > 1:
        raise FrameError(Rule.FRAME_IS_LAST, f"is_last is {data[end]}")
    number = int.from_bytes(data[start + 16 : start + 18], "big")
    return Frame(data[start : start + 16], number, data[start + 22 : end], data[end] == 1, source), end + 1


def decode_frames(data: bytes, source: DataPlace | None = None) -> list[Frame]:
    """All frames of a batcher transaction's data, version byte included; raises FrameError."""
    # spec: frame.version, frame.all-parse
    if data[:1] != DERIVATION_VERSION:
        if not data:
            raise FrameError(Rule.DATA_EMPTY)
        raise FrameError(Rule.DATA_VERSION, f"version {data[0]}")
    frames, position = [], 1
    while position < len(data):
        frame, position = decode_frame(data, position, source)
        frames.append(frame)
    if not frames:
        raise FrameError(Rule.NO_FRAMES)
    return frames
