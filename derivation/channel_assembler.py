"""Stage 4 from Holocene: one channel at a time, frames in order (holocene/derivation.md, "Channel Bank")."""

from derivation.channels import Channel, ChannelData, max_rlp_bytes
from derivation.drops import Rule
from derivation.errors import NotEnoughData
from derivation.frame_queue import FrameQueue
from derivation.journal import Journal
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig


class ChannelAssembler:
    """The channel being put together, if any."""

    def __init__(self, config: RollupConfig, previous: FrameQueue, journal: Journal | None = None) -> None:
        self._config = config
        self._previous = previous
        self._journal = journal or Journal()
        self._channel: Channel | None = None

    @property
    def origin(self) -> L1BlockRef | None:
        """The pipeline's L1 origin."""
        return self._previous.origin

    @property
    def open_channel(self) -> bytes | None:
        """The id of the channel being put together."""
        return self._channel.channel_id if self._channel is not None else None

    def reset(self) -> None:
        """Forgets the channel."""
        self._channel = None

    def flush(self) -> None:
        """Drops the channel: a batch before it was bad."""
        self._drop(Rule.CHANNEL_FLUSHED)

    def next_channel(self) -> ChannelData:
        """A finished channel; raises NotEnoughData, EndOfSource."""
        # spec: holocene.channel-size, holocene.one-channel, holocene.channel-timeout
        origin = self.origin
        if origin is not None and self._channel is not None and self._channel.is_timed_out(self._config, origin):
            self._drop(Rule.CHANNEL_TIMED_OUT)
        frame = self._previous.next_frame()
        if origin is None:
            raise NotEnoughData
        if frame.number == 0:
            self._drop(Rule.CHANNEL_REPLACED)
            self._channel = Channel(frame.channel_id, origin, in_order=True)
        channel = self._channel
        if channel is None:
            self._journal.drop_frame(frame.place, Rule.FRAME_NO_CHANNEL)
            raise NotEnoughData
        if not channel.add(frame, origin, self._journal.drop_frame):
            raise NotEnoughData
        if channel.size > max_rlp_bytes(self._config, origin.timestamp):
            self._drop(Rule.CHANNEL_TOO_LARGE)
            raise NotEnoughData
        if not channel.is_ready:
            raise NotEnoughData
        self._channel = None
        return channel.data()

    def _drop(self, rule: Rule) -> None:
        if self._channel is not None:
            self._channel.drop(rule, self._journal.drop_frame)
        self._channel = None
