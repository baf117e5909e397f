"""What cheats answer with, and their limits."""

from dataclasses import dataclass
from typing import Final

MAX_BLOCKS: Final = 2_000  # of either layer, that one cheat makes
MAX_SNAPSHOTS: Final = 1_000


class CheatRefused(ValueError):
    """A cheat that cannot be applied to L1, L2 and the verifier alike; nothing has changed."""


@dataclass(slots=True, frozen=True)
class Effect:
    """What a cheat changed: blocks that each layer's head moved by, and seconds that the clock was moved by."""

    l1_blocks: int
    l2_blocks: int
    seconds: float
