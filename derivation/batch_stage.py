"""Stage 6 from Holocene: batches in strict order, spans block by block (holocene/derivation.md, "Batch Queue")."""

from derivation.batch_checks import SafeChain, Validity, Verdict, check_singular_batch, check_span_batch_holocene
from derivation.batches import BatchError, SingularBatch
from derivation.channel_reader import ChannelReader
from derivation.drops import Rule
from derivation.epochs import Epochs
from derivation.errors import Critical, EndOfSource, NotEnoughData
from derivation.journal import Journal
from derivation.places import BatchPlace
from derivation.span_blocks import SpanCursor
from rollup.protocol.blockref import L2BlockRef
from rollup.protocol.config import RollupConfig


class BatchStage:
    """The blocks left of the span at hand."""

    def __init__(
        self,
        config: RollupConfig,
        previous: ChannelReader,
        chain: SafeChain,
        epochs: Epochs,
        journal: Journal | None = None,
    ) -> None:
        self._journal = journal or Journal()
        self._config = config
        self._previous = previous
        self._chain = chain
        self._epochs = epochs
        self._span = SpanCursor()

    def reset(self) -> None:
        """Forgets the span."""
        self._span = SpanCursor()

    def flush(self) -> None:
        """Drops the span and the rest of its channel, because a batch of it was invalid."""
        # spec: holocene.span-forward-invalid, holocene.span-drops-channel
        self._span = SpanCursor()
        self._previous.flush()

    def next_batch(self, parent: L2BlockRef) -> tuple[SingularBatch, bool]:
        """The block after the parent, and whether it ends its batch; raises NotEnoughData, EndOfSource, Reset."""
        # spec: holocene.strict-order, holocene.span-forward-invalid, holocene.span-past
        epochs = self._epochs
        epochs.update(self._previous.origin, parent)
        origin = epochs.origin
        if origin is None or epochs.is_behind(parent) or parent.l1_origin.number == origin.number:
            # Channels that end in the parent's own origin hold only past batches.
            self._journal.drop_batch(self._previous.next_batch().place, Rule.PAST)
            raise NotEnoughData
        epochs.check(parent)
        if len(epochs.blocks) < 2:
            raise Critical("derivation is ahead of the parent's epoch but knows no later L1 block")
        try:
            batch = self._candidate(parent)
        except EndOfSource:
            return epochs.empty_batch(parent, out_of_data=True), True
        verdict = check_singular_batch(self._config, epochs.blocks, parent, batch, origin)
        validity = verdict.validity
        self._report(verdict, batch.place)
        if validity is Validity.ACCEPT:
            # From Holocene a block is safe on its own: what follows in its span cannot take it back.
            return batch, True
        if validity is Validity.DROP:
            self.flush()
        elif validity is Validity.FUTURE:
            raise Critical("a future batch cannot be kept from Holocene on")
        raise NotEnoughData

    def _candidate(self, parent: L2BlockRef) -> SingularBatch:
        # spec: holocene.span-past, holocene.span-old-origin
        following = self._span.next_after(parent, self._config.block_time)
        if following is not None:
            return following
        batch = self._previous.next_batch()
        if isinstance(batch, SingularBatch):
            return batch
        origin = self._epochs.origin
        if origin is None:
            raise NotEnoughData
        verdict = check_span_batch_holocene(self._config, self._epochs.blocks, parent, batch, origin, self._chain)
        self._report(verdict, batch.place)
        if verdict.validity is Validity.DROP:
            self.flush()
        if verdict.validity is not Validity.ACCEPT:
            raise NotEnoughData
        try:
            self._span = SpanCursor(batch.singular_batches(self._epochs.blocks, parent))
        except BatchError as error:
            self._journal.drop_batch(batch.place, error.rule, str(error))
            self.flush()
            raise NotEnoughData from error
        first = self._span.next_after(parent, self._config.block_time)
        if first is None:
            raise Critical("a span batch was accepted that does not hold the next block")
        return first

    def _report(self, verdict: Verdict, place: BatchPlace | None) -> None:
        if verdict.rule is not None:
            self._journal.drop_batch(place, verdict.rule, verdict.detail)
