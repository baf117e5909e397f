"""A journal of derivation: what was read from L1 and what became of it, as values to which others subscribe.

The stages report here. A fact carries the L1 block that was being read, so that a fact of an orphaned L1 block is
recognised by its hash. After a reset or a restart L1 is read again from some blocks back: what was dropped there was
reported the first time, and the second reading may drop more, since it begins in the middle of channels and every
batch is of the past. Such drops are not reported.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from derivation.drops import Drop, Rule
from derivation.places import BatchPlace, DataPlace, FramePlace
from rollup.protocol.blockref import BlockId, L1BlockRef

BatchKind = Literal["singular", "span"]


@dataclass(slots=True, frozen=True)
class DataRead:
    """A piece of batcher data: its bytes on L1 (a blob's without its padding), its frames if it is well formed."""

    place: DataPlace
    size: int
    frames: tuple[FramePlace, ...]


@dataclass(slots=True, frozen=True)
class ChannelRead:
    """A complete channel: its L1 block, its frames in order, its bytes on L1 and decompressed, the algorithm.

    algorithm is None when the channel is not compressed in a known way.
    """

    channel_id: bytes
    l1_block: BlockId
    frames: tuple[FramePlace, ...]
    compressed: int
    raw: int
    algorithm: str | None


@dataclass(slots=True, frozen=True)
class BatchRead:
    """A decoded batch: its L2 blocks' first and last time in seconds, how many, and their transactions."""

    place: BatchPlace
    kind: BatchKind
    first_time: int
    last_time: int
    blocks: int
    transactions: int


@dataclass(slots=True, frozen=True)
class BlockDerived:
    """An L2 block derived from a batch. batch is None for a block that derivation made without one."""

    l2: BlockId
    l1_block: BlockId
    batch: BatchPlace | None


Fact = DataRead | ChannelRead | BatchRead | BlockDerived | Drop
Listener = Callable[[Fact], None]

# Every batch before the safe head is of the past when L1 is read again: no reason to report it.
_PASSED = frozenset((Rule.PAST, Rule.SPAN_PAST))


class Journal:
    """Gives the facts of one derivation to its listeners."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._reading = BlockId(bytes(32), 0)
        self._settled = -1
        self.is_known: Callable[[Drop], bool] = lambda drop: False  # whether it was reported by an earlier reading

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls the listener with every fact from now on, in order; returns a function that ends the subscription."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def begin(self, settled: int) -> None:
        """Derivation begins again; the safe head was derived from the L1 block of this number."""
        self._settled = settled

    def open_block(self, block: L1BlockRef) -> None:
        """An L1 block is read from now on."""
        self._reading = block.id

    @property
    def settled(self) -> int:
        """The number of the L1 block up to which L1 was read before this beginning; -1 for none."""
        return self._settled

    @property
    def reading(self) -> BlockId:
        """The L1 block that is being read."""
        return self._reading

    def report(self, fact: Fact) -> None:
        """Gives a fact to the listeners."""
        for listener in self._listeners:
            listener(fact)

    def drop(
        self,
        rule: Rule,
        size: int,
        *,
        place: DataPlace | None = None,
        frame: int | None = None,
        channel_id: bytes | None = None,
        batch: BatchPlace | None = None,
        detail: str = "",
    ) -> None:
        """Reports data as dropped, unless it was reported when its L1 block was read the first time."""
        number = self._reading.number
        if number < self._settled or (number == self._settled and rule in _PASSED):
            return
        drop = Drop(rule, self._reading, size, place, frame, channel_id, batch, detail)
        if not self.is_known(drop):
            self.report(drop)

    def drop_frame(self, frame: FramePlace, rule: Rule) -> None:
        """Reports a frame as dropped."""
        self.drop(rule, frame.size, place=frame.data, frame=frame.number, channel_id=frame.channel_id)

    def drop_batch(self, batch: BatchPlace | None, rule: Rule, detail: str = "") -> None:
        """Reports a batch as dropped."""
        self.drop(rule, batch.size if batch is not None else 0, batch=batch, detail=detail)
