"""Stage 3: frames in order; from Holocene only those that can still make a channel.

specs protocol/derivation.md, "Frame Queue"; holocene/derivation.md, "Frame Queue".
"""

from typing import Protocol

from derivation.channels import OnFrameDrop, ignore_drop
from derivation.drops import Rule
from derivation.errors import NotEnoughData
from derivation.frames import Frame, FrameError, decode_frames
from derivation.journal import DataRead, Journal
from derivation.l1_retrieval import BatcherPiece
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig


class DataSource(Protocol):
    """The stage before: L1 retrieval."""

    @property
    def origin(self) -> L1BlockRef | None: ...
    def next_data(self) -> BatcherPiece: ...


class FrameQueue:
    """Frames of the batcher's data, oldest first."""

    def __init__(self, config: RollupConfig, previous: DataSource, journal: Journal | None = None) -> None:
        self._config = config
        self._previous = previous
        self._journal = journal or Journal()
        self._frames: list[Frame] = []

    @property
    def origin(self) -> L1BlockRef | None:
        """The pipeline's L1 origin."""
        return self._previous.origin

    def reset(self) -> None:
        """Forgets all frames."""
        self._frames = []

    def next_frame(self) -> Frame:
        """The next frame; raises NotEnoughData, EndOfSource."""
        if not self._frames:
            self._load()
        if not self._frames:
            raise NotEnoughData
        return self._frames.pop(0)

    def _load(self) -> None:
        # spec: frame.all-parse
        piece = self._previous.next_data()
        try:
            frames = decode_frames(piece.data, piece.place)
        except FrameError as error:
            # The whole transaction is dropped.
            self._report(piece, [])
            self._journal.drop(error.rule, len(piece.data), place=piece.place, detail=error.detail)
            return
        self._report(piece, frames)
        self._frames += frames
        origin = self.origin
        if origin is not None and self._config.is_holocene(origin.timestamp):
            self._frames = prune_frames(self._frames, self._journal.drop_frame)

    def _report(self, piece: BatcherPiece, frames: list[Frame]) -> None:
        if piece.place is not None:
            places = tuple(frame.place for frame in frames)
            self._journal.report(DataRead(piece.place, len(piece.data), places))


def prune_frames(frames: list[Frame], on_drop: OnFrameDrop = ignore_drop) -> list[Frame]:
    """Drops frames that cannot follow the one before (holocene/derivation.md, "Frame Queue")."""
    # spec: holocene.frame-order, holocene.first-frame-replaces
    kept = list(frames)
    index = 0
    while index < len(kept) - 1:
        current, following = kept[index], kept[index + 1]
        if current.channel_id == following.channel_id:
            if not current.is_last and following.number == current.number + 1:
                index += 1
                continue
            on_drop(following.place, Rule.FRAME_AFTER_LAST if current.is_last else Rule.FRAME_ORDER)
            del kept[index + 1]
        elif following.number != 0:
            on_drop(following.place, Rule.FRAME_NOT_FIRST)
            del kept[index + 1]
        elif current.is_last:
            index += 1
        else:
            # A new channel begins: the unfinished one before it goes.
            start = index
            while start > 0 and kept[start - 1].channel_id == current.channel_id:
                start -= 1
            for frame in kept[start : index + 1]:
                on_drop(frame.place, Rule.CHANNEL_REPLACED)
            del kept[start : index + 1]
            index = max(start - 1, 0)
    return kept
