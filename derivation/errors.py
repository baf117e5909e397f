"""Errors by consequence: try again, read on, start over, give up."""


class Temporary(Exception):
    """A source did not answer; the same call may succeed later."""


class NotFound(Temporary):
    """What was asked for is not there, or not yet."""


class Reset(Exception):
    """L1 is no longer what was derived from; derivation starts over from a safe point."""


class Critical(Exception):
    """Derivation cannot go on; the message says why."""


class StatesGone(Critical):
    """L1 needs a reorganisation whose states are no longer kept; a start goes back further and derives again."""


class NotEnoughData(Exception):
    """A stage took something in but has nothing to give yet; pull again."""


class EndOfSource(Exception):
    """All data of the current L1 block has been read; the next L1 block is needed."""
