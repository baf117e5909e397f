"""Errors by consequence: try again, read on, start over, give up."""


class Temporary(Exception):
    """A source did not answer; the same call may succeed later."""


class NotFound(Temporary):
    """The requested data does not exist, or not yet."""


class Reset(Exception):
    """L1 has changed since data was derived from it; derivation starts over from a safe point."""


class Critical(Exception):
    """Derivation cannot continue; the message gives the reason."""


class StatesGone(Critical):
    """L1 demands a reorganisation whose states are no longer kept; at the next start derivation begins further back."""


class NotEnoughData(Exception):
    """A stage took something in but has nothing to give yet; pull again."""


class EndOfSource(Exception):
    """All data of the current L1 block has been read; the next L1 block is needed."""
