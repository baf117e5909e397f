"""Frames: pieces of a channel in a batcher transaction (specs protocol/derivation.md, "Frame Format")."""

from dataclasses import dataclass

DERIVATION_VERSION = b"\0"
FRAME_OVERHEAD = 16 + 2 + 4 + 1  # bytes besides the data
MAX_FRAME_LENGTH = 1_000_000


class FrameError(ValueError):
    """Bytes that are no frames; the whole batcher transaction is dropped."""


@dataclass(slots=True, frozen=True)
class Frame:
    """One piece: the channel's id (16 bytes), its place in it, its data, whether it is the last."""

    channel_id: bytes
    number: int
    data: bytes
    is_last: bool

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


def decode_frame(data: bytes, start: int = 0) -> tuple[Frame, int]:
    """The frame at an offset, and the offset after it; raises FrameError."""
    # spec: frame.is-last, frame.format, frame.max-length
    if len(data) - start < FRAME_OVERHEAD:
        raise FrameError("truncated frame")
    length = int.from_bytes(data[start + 18 : start + 22], "big")
    if length > MAX_FRAME_LENGTH:
        raise FrameError(f"a frame of {length} bytes")
    end = start + 22 + length
    if end + 1 > len(data):
        raise FrameError("truncated frame")
    if data[end] > 1:
        raise FrameError(f"is_last is {data[end]}")
    number = int.from_bytes(data[start + 16 : start + 18], "big")
    return Frame(data[start : start + 16], number, data[start + 22 : end], data[end] == 1), end + 1


def decode_frames(data: bytes) -> list[Frame]:
    """All frames of a batcher transaction's data, version byte included; raises FrameError."""
    # spec: frame.version, frame.all-parse
    if data[:1] != DERIVATION_VERSION:
        raise FrameError("empty data" if not data else f"unknown derivation version {data[0]}")
    frames, position = [], 1
    while position < len(data):
        frame, position = decode_frame(data, position)
        frames.append(frame)
    if not frames:
        raise FrameError("no frames")
    return frames
