"""Reports data that derivation dropped, with a limit: anyone who can post data decides its amount."""

from derivation.drops import Drop
from derivation.journal import Fact
from rollup.clock import Clock
from rollup.events import DataDropped, EventLog

MAX_PER_PERIOD = 5
PERIOD = 60.0  # seconds


class DropReports:
    """Listens to a derivation's journal and publishes at most MAX_PER_PERIOD drops in each PERIOD of the node's clock.

    An event tells how many drops before it were left out.
    """

    def __init__(self, events: EventLog, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._period_ends = 0.0
        self._reported = 0
        self._left_out = 0

    def __call__(self, fact: Fact) -> None:
        """Takes in one fact."""
        if not isinstance(fact, Drop):
            return
        now = self._clock.now()
        if not self._period_ends - PERIOD <= now < self._period_ends:
            self._period_ends, self._reported = now + PERIOD, 0
        if self._reported >= MAX_PER_PERIOD:
            self._left_out += 1
            return
        rule = fact.rule
        reason = f"{rule.text}: {fact.detail}" if fact.detail else rule.text
        self._events.publish(
            DataDropped(fact.l1_block.number, _what(fact), fact.size, rule.code, reason, rule.section, self._left_out)
        )
        self._reported, self._left_out = self._reported + 1, 0


def _what(drop: Drop) -> str:
    if drop.batch is not None:
        return f"batch {drop.batch.index} of channel 0x{drop.batch.channel_id.hex()}"
    if drop.channel_id is not None:
        channel = f"channel 0x{drop.channel_id.hex()}"
        return channel if drop.frame is None else f"frame {drop.frame} of {channel}"
    if drop.place is not None:
        return f"data of transaction 0x{drop.place.transaction.hex()}"
    return "data"
