"""Channels and frames that the channel bank drops (specs protocol/derivation.md, "Pruning", "Loading frames")."""

import pytest

from derivation import channel_bank
from derivation.channel_bank import ChannelBank
from derivation.errors import EndOfSource, NotEnoughData
from derivation.frames import Frame
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.forks import Fork, ForkSchedule
from tests.vectors.rollup_configs import rollup_config

A, B = b"\xaa" * 16, b"\xbb" * 16


class Frames:
    """Frames with the L1 block each is read in."""

    def __init__(self, *frames):
        self._frames = list(frames)
        self.origin = None

    def next_frame(self):
        if not self._frames:
            raise EndOfSource
        return self._frames.pop(0)

    def at(self, number):
        self.origin = L1BlockRef(bytes([number]) * 32, number, bytes(32), 1_000 + number)


def bank(frames):
    return ChannelBank(rollup_config(ForkSchedule.all_at(Fork.CANYON), channel_timeout=10), frames)


def test_a_frame_of_a_timed_out_channel_that_is_still_there_is_dropped():
    # spec: channel.timeout
    frames = Frames(Frame(A, 0, b"a", False), Frame(A, 1, b"b", True))
    stage = bank(frames)
    frames.at(1)
    with pytest.raises(NotEnoughData):
        stage.next_channel()
    frames.at(12)
    stage._ingest(frames.next_frame())  # before the bank is read again
    with pytest.raises(EndOfSource):
        stage.next_channel()


def test_the_oldest_channel_is_dropped_when_the_bank_is_full(monkeypatch):
    # spec: channel.prune
    monkeypatch.setattr(channel_bank, "max_bank_size", lambda config, time: 500)
    frames = Frames(
        Frame(A, 0, b"a" * 60, False), Frame(B, 0, b"b" * 60, False), Frame(B, 1, b"c", True), Frame(A, 1, b"d", True)
    )
    stage, found = bank(frames), []
    frames.at(1)
    for _ in range(8):
        try:
            found.append(stage.next_channel().data)
        except NotEnoughData:
            continue
        except EndOfSource:
            break
    assert found == [b"b" * 60 + b"c"]
