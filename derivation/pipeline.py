"""The stages in a row, and which of two does the work before and after Holocene."""

from derivation.attributes_queue import AttributesQueue, DerivedAttributes
from derivation.batch_checks import SafeChain
from derivation.batch_queue import BatchQueue
from derivation.batch_stage import BatchStage
from derivation.batches import SingularBatch
from derivation.channel_assembler import ChannelAssembler
from derivation.channel_bank import ChannelBank
from derivation.channel_reader import ChannelReader
from derivation.channels import ChannelData
from derivation.drops import Rule
from derivation.epochs import Epochs
from derivation.errors import EndOfSource, Reset
from derivation.frame_queue import FrameQueue
from derivation.journal import Journal
from derivation.l1_retrieval import L1Retrieval
from derivation.l1_traversal import L1Traversal
from derivation.sources import BlobSource, L1Source
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig, SystemConfig


class ChannelProvider:
    """Channel bank before Holocene, channel assembler from then on; the origin's time decides."""

    def __init__(self, config: RollupConfig, frames: FrameQueue, journal: Journal | None = None) -> None:
        self._config = config
        self._frames = frames
        self._bank = ChannelBank(config, frames, journal)
        self._assembler = ChannelAssembler(config, frames, journal)

    @property
    def origin(self) -> L1BlockRef | None:
        """The pipeline's L1 origin."""
        return self._frames.origin

    @property
    def _current(self) -> ChannelBank | ChannelAssembler:
        # spec: holocene.activation-drops
        origin = self.origin
        is_holocene = origin is not None and self._config.is_holocene(origin.timestamp)
        if not is_holocene:
            return self._bank
        # Channels that are not complete are dropped at the activation (holocene/derivation.md, "Activation").
        self._bank.drop(Rule.ACTIVATION)
        return self._assembler

    def next_channel(self) -> ChannelData:
        """The next complete channel; raises NotEnoughData, EndOfSource."""
        return self._current.next_channel()

    def flush(self) -> None:
        """Drops the channel that is being assembled, from Holocene on."""
        self._current.flush()

    def reset(self) -> None:
        """Forgets all channels."""
        self._bank.reset()
        self._assembler.reset()


class BatchProvider:
    """Batch queue before Holocene, batch stage from then on; both use the same epochs."""

    def __init__(
        self, config: RollupConfig, reader: ChannelReader, chain: SafeChain, journal: Journal | None = None
    ) -> None:
        self._config = config
        self._reader = reader
        self.epochs = Epochs(config)
        self._queue = BatchQueue(config, reader, chain, self.epochs, journal)
        self._stage = BatchStage(config, reader, chain, self.epochs, journal)
        self._was_holocene = False

    @property
    def _current(self) -> BatchQueue | BatchStage:
        # spec: holocene.activation-drops
        origin = self._reader.origin
        is_holocene = origin is not None and self._config.is_holocene(origin.timestamp)
        if is_holocene and not self._was_holocene:
            # Batches kept for later are dropped at the activation (holocene/derivation.md, "Activation").
            self._queue.drop(Rule.ACTIVATION)
        self._was_holocene = is_holocene
        return self._stage if is_holocene else self._queue

    def next_batch(self, parent: L2BlockRef) -> tuple[SingularBatch, bool]:
        """The block after the parent, and whether it ends its batch; raises NotEnoughData, EndOfSource, Reset."""
        return self._current.next_batch(parent)

    def flush(self) -> None:
        """Drops the rest of the current batch's channel."""
        self._current.flush()

    def reset(self, base: L1BlockRef) -> None:
        """Forgets all batches and begins at an L1 block."""
        self._queue.reset()
        self._stage.reset()
        self._was_holocene = False
        self.epochs.reset(base)


class Pipeline:
    """L1 blocks in, payload attributes out."""

    def __init__(
        self,
        config: RollupConfig,
        l1: L1Source,
        blobs: BlobSource,
        chain: SafeChain,
        journal: Journal | None = None,
    ) -> None:
        journal = journal or Journal()
        self._l1_traversal = L1Traversal(config, l1, journal)
        self._l1_retrieval = L1Retrieval(config, self._l1_traversal, l1, blobs, journal)
        self._frame_queue = FrameQueue(config, self._l1_retrieval, journal)
        self._channels = ChannelProvider(config, self._frame_queue, journal)
        self._channel_reader = ChannelReader(config, self._channels, journal)
        self._batches = BatchProvider(config, self._channel_reader, chain, journal)
        self._attributes_queue = AttributesQueue(config, self._batches, l1)

    @property
    def origin(self) -> L1BlockRef | None:
        """The L1 block being read."""
        return self._l1_traversal.origin

    def reset(self, origin: L1BlockRef, system_config: SystemConfig) -> None:
        """Starts over at an L1 block, with the system config as of it."""
        self._l1_traversal.reset(origin, system_config)
        self._l1_retrieval.reset()
        self._frame_queue.reset()
        self._channels.reset()
        self._channel_reader.reset()
        self._batches.reset(origin)
        self._attributes_queue.reset()

    def flush(self) -> None:
        """Drops the channel of the last batch: its payload was invalid (holocene/derivation.md)."""
        # spec: holocene.deposits-only-drops-rest
        self._batches.flush()
        self._attributes_queue.reset()

    def next_attributes(self, parent: L2BlockRef, system_config: SystemConfig) -> DerivedAttributes:
        """Attributes of the block after parent.

        Raises NotEnoughData (call again), EndOfSource (advance), Temporary, Reset, Critical.
        """
        origin = self.origin
        if origin is None:
            raise Reset("the pipeline has not been started")
        return self._attributes_queue.next_attributes(parent, system_config, origin)

    def advance(self) -> None:
        """Reads on to the next L1 block; raises NotFound while there is none, Temporary, Reset."""
        self._l1_traversal.advance()


__all__ = ["EndOfSource", "Pipeline"]
