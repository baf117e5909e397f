"""Stage 6 before Holocene: batches in any order, sorted out (specs protocol/derivation.md, "Batch Queue")."""

from dataclasses import dataclass

from derivation.batch_checks import SafeChain, Validity, Verdict, check_singular_batch, check_span_batch
from derivation.batches import SingularBatch
from derivation.channel_reader import Batch, ChannelReader
from derivation.drops import Rule
from derivation.epochs import Epochs
from derivation.errors import Critical, EndOfSource, NotEnoughData
from derivation.journal import Journal
from derivation.span_blocks import SpanCursor
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig


@dataclass(slots=True, frozen=True)
class _Pending:
    batch: Batch
    inclusion: L1BlockRef


class BatchQueue:
    """Batches waiting for their turn."""

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
        self._pending: list[_Pending] = []
        self._span = SpanCursor()

    def reset(self) -> None:
        """Forgets all batches."""
        self._pending = []
        self._span = SpanCursor()

    def drop(self, rule: Rule) -> None:
        """Drops all batches by a rule."""
        for pending in self._pending:
            self._journal.drop_batch(pending.batch.place, rule)
        self.reset()

    def flush(self) -> None:
        """Nothing to do: only Holocene's rules flush."""

    def next_batch(self, parent: L2BlockRef) -> tuple[SingularBatch, bool]:
        """The block after the parent, and whether it ends its batch; raises NotEnoughData, EndOfSource, Reset."""
        following = self._span.next_after(parent, self._config.block_time)
        if following is not None:
            return following, not self._span
        epochs = self._epochs
        epochs.update(self._previous.origin, parent)
        is_behind = epochs.is_behind(parent)
        out_of_data = False
        try:
            batch = self._previous.next_batch()
        except EndOfSource:
            out_of_data = True
        else:
            if is_behind:
                self._journal.drop_batch(batch.place, Rule.PAST)
            else:
                self._add(batch, parent)
        if is_behind:
            raise EndOfSource if out_of_data else NotEnoughData
        try:
            return self._derive(parent, out_of_data)
        except EndOfSource:
            if out_of_data:
                raise
            raise NotEnoughData from None

    def _add(self, batch: Batch, parent: L2BlockRef) -> None:
        if self._epochs.origin is None:
            return
        pending = _Pending(batch, self._epochs.origin)
        verdict = self._check(pending, parent)
        if verdict.validity is Validity.DROP:
            self._drop(pending, verdict)
        else:
            self._pending.append(pending)

    def _derive(self, parent: L2BlockRef, out_of_data: bool) -> tuple[SingularBatch, bool]:
        # spec: batch.undecided, batch.future
        self._epochs.check(parent)
        kept: list[_Pending] = []
        for index, pending in enumerate(self._pending):
            verdict = self._check(pending, parent)
            validity = verdict.validity
            if validity is Validity.FUTURE:
                kept.append(pending)
            elif validity is Validity.UNDECIDED:
                self._pending = kept + self._pending[index:]
                raise EndOfSource
            elif validity is Validity.ACCEPT:
                self._pending = kept + self._pending[index + 1 :]
                return self._begin(pending.batch, parent)
            else:
                self._drop(pending, verdict)
        self._pending = kept
        return self._epochs.empty_batch(parent, out_of_data), True

    def _begin(self, batch: Batch, parent: L2BlockRef) -> tuple[SingularBatch, bool]:
        if isinstance(batch, SingularBatch):
            return batch, True
        self._span = SpanCursor(batch.singular_batches(self._epochs.blocks, parent))
        first = self._span.next_after(parent, self._config.block_time)
        if first is None:
            raise Critical("a span batch was accepted that does not hold the next block")
        return first, not self._span

    def _drop(self, pending: _Pending, verdict: Verdict) -> None:
        if verdict.rule is not None:
            self._journal.drop_batch(pending.batch.place, verdict.rule, verdict.detail)

    def _check(self, pending: _Pending, parent: L2BlockRef) -> Verdict:
        batch, blocks = pending.batch, self._epochs.blocks
        if isinstance(batch, SingularBatch):
            return check_singular_batch(self._config, blocks, parent, batch, pending.inclusion)
        return check_span_batch(self._config, blocks, parent, batch, pending.inclusion, self._chain)
