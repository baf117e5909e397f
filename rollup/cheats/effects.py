"""The answers of cheats, and their limits."""

from dataclasses import dataclass
from typing import Final

MAX_BLOCKS: Final = 2_000  # of either layer, that one cheat makes
MAX_SNAPSHOTS: Final = 1_000


class CheatRefused(ValueError):
    """A cheat that cannot be applied to L1, L2 and the verifier alike; nothing has changed."""


@dataclass(slots=True, frozen=True)
class Effect:
    """The effect of a cheat: the blocks by which each layer's head moved, and the seconds by which the clock moved."""

    l1_blocks: int
    l2_blocks: int
    seconds: float
