"""Where a derived chain begins to differ from the one that the batches on L1 were made from.

Batches do not contain block hashes, apart from their parent's. So a difference shows when the next batch names another
parent than the block derived here, or when a batch's block cannot be executed here.
"""

from derivation.drops import Drop, Rule
from derivation.journal import BlockDerived, Fact
from derivation.places import BatchPlace

_OTHER_PARENT = frozenset((Rule.PARENT, Rule.SPAN_PARENT))
_NOT_EXECUTED = frozenset((Rule.PAYLOAD, Rule.PAYLOAD_DEPOSITS_ONLY))


class Differences:
    """Listens to a derivation's journal. A difference is forgotten when later batches are derived again."""

    def __init__(self, safe_number: int) -> None:
        """safe_number: the height of the safe head, from which derivation continues."""
        self._newest = self._batch_begins = safe_number
        self._batch: BatchPlace | None = None
        self._found: tuple[int, int] | None = None

    def __call__(self, fact: Fact) -> None:
        """Takes in one fact."""
        if isinstance(fact, BlockDerived):
            self._derived(fact.l2.number, fact.batch)
        elif isinstance(fact, Drop) and self._found is None:
            if fact.rule in _OTHER_PARENT:
                self._found = self._batch_begins, self._newest
            elif fact.rule in _NOT_EXECUTED:
                refused = self._newest + 1  # or a block before it in the same batch, whose state is another
                self._found = (self._batch_begins if fact.batch == self._batch else refused), refused

    @property
    def text(self) -> str | None:
        """The first block that differs, in a sentence; None where none is known to."""
        if self._found is None:
            return None
        first, last = self._found
        which = f"L2 block {first}" if first == last else f"one of the L2 blocks {first} to {last}"
        return (
            f"{which} is the first that differs from the sequencer's chain: batches on L1 build on another block. "
            "If state was patched there, give --patches"
        )

    def _derived(self, number: int, batch: BatchPlace | None) -> None:
        self._newest = number
        if batch is None:
            return
        if batch != self._batch:
            self._batch, self._batch_begins = batch, number
        if self._found is not None and number > self._found[1]:
            self._found = None
