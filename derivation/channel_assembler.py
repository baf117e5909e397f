"""Stage 4 from Holocene: one channel at a time, frames in order (holocene/derivation.md, "Channel Bank")."""

from derivation.channels import Channel, max_rlp_bytes
from derivation.errors import NotEnoughData
from derivation.frame_queue import FrameQueue
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig


class ChannelAssembler:
    """The channel being put together, if any."""

    def __init__(self, config: RollupConfig, previous: FrameQueue) -> None:
        self._config = config
        self._previous = previous
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

    flush = reset

    def next_channel(self) -> bytes:
        """A finished channel's compressed bytes; raises NotEnoughData, EndOfSource."""
        # spec: holocene.channel-size, holocene.one-channel, holocene.channel-timeout
        origin = self.origin
        if origin is not None and self._channel is not None and self._channel.is_timed_out(self._config, origin):
            self._channel = None
        frame = self._previous.next_frame()
        if origin is None:
            raise NotEnoughData
        if frame.number == 0:
            self._channel = Channel(frame.channel_id, origin, in_order=True)
        channel = self._channel
        if channel is None or not channel.add(frame, origin):
            raise NotEnoughData
        if channel.size > max_rlp_bytes(self._config, origin.timestamp):
            self._channel = None
            raise NotEnoughData
        if not channel.is_ready:
            raise NotEnoughData
        self._channel = None
        return channel.data()
