"""Stage 4 before Holocene: many channels at once, frames in any order (protocol/derivation.md, "Channel Bank")."""

from collections import OrderedDict

from derivation.channels import Channel, ChannelData, max_bank_size
from derivation.drops import Rule
from derivation.errors import EndOfSource, NotEnoughData
from derivation.frame_queue import FrameQueue
from derivation.frames import Frame
from derivation.journal import Journal
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig


class ChannelBank:
    """Channels in the order they were opened."""

    def __init__(self, config: RollupConfig, previous: FrameQueue, journal: Journal | None = None) -> None:
        self._config = config
        self._previous = previous
        self._journal = journal or Journal()
        self._channels: OrderedDict[bytes, Channel] = OrderedDict()

    @property
    def origin(self) -> L1BlockRef | None:
        """The pipeline's L1 origin."""
        return self._previous.origin

    def reset(self) -> None:
        """Forgets all channels."""
        self._channels.clear()

    def flush(self) -> None:
        """Nothing to do: only Holocene's rules flush."""

    def drop(self, rule: Rule) -> None:
        """Drops all channels by a rule."""
        for channel in self._channels.values():
            channel.drop(rule, self._journal.drop_frame)
        self._channels.clear()

    def next_channel(self) -> ChannelData:
        """A finished channel; raises NotEnoughData, EndOfSource."""
        try:
            return self._read()
        except EndOfSource:
            pass
        self._ingest(self._previous.next_frame())
        raise NotEnoughData

    def _ingest(self, frame: Frame) -> None:
        # spec: channel.timeout
        origin = self.origin
        if origin is None:
            return
        channel = self._channels.get(frame.channel_id)
        if channel is None:
            channel = self._channels[frame.channel_id] = Channel(frame.channel_id, origin)
        if channel.is_timed_out(self._config, origin):
            self._journal.drop_frame(frame.place, Rule.FRAME_TIMED_OUT)
            return
        channel.add(frame, origin, self._journal.drop_frame)
        self._prune(origin)

    def _prune(self, origin: L1BlockRef) -> None:
        # spec: channel.prune
        limit = max_bank_size(self._config, origin.timestamp)
        while sum(channel.size for channel in self._channels.values()) > limit:
            _, oldest = self._channels.popitem(last=False)
            oldest.drop(Rule.CHANNEL_BANK_FULL, self._journal.drop_frame)

    def _read(self) -> ChannelData:
        """The first channel if it is done; from Canyon any that is (canyon/overview.md)."""
        # spec: channel.first-in-first-out, canyon.channel-order
        origin = self.origin
        while origin is not None and self._channels:
            first = next(iter(self._channels.values()))
            if first.is_timed_out(self._config, origin):
                del self._channels[first.channel_id]
                first.drop(Rule.CHANNEL_TIMED_OUT, self._journal.drop_frame)
                continue
            if not self._config.is_canyon(origin.timestamp):
                return self._take(first)
            for channel in self._channels.values():
                if channel.is_ready and not channel.is_timed_out(self._config, origin):
                    return self._take(channel)
            break
        raise EndOfSource

    def _take(self, channel: Channel) -> ChannelData:
        if not channel.is_ready:
            raise EndOfSource
        del self._channels[channel.channel_id]
        return channel.data()
