"""L1's time, with one slot per block time from genesis on, and a beacon chain's randomness for each slot."""

from dataclasses import dataclass

from rollup.protocol.primitives import Hash, keccak256


class SlotError(ValueError):
    """A time that is not the start of a slot, or not after the parent's."""


@dataclass(slots=True, frozen=True)
class SlotGrid:
    """Slot k starts at genesis_time + k * seconds_per_slot; seconds since the epoch."""

    genesis_time: int
    seconds_per_slot: int

    def __post_init__(self) -> None:
        if self.seconds_per_slot < 1:
            raise ValueError(f"L1 block time must be at least 1 second, got {self.seconds_per_slot}")

    def slot_at(self, timestamp: int) -> int:
        """The slot that contains a time. Raises SlotError before genesis."""
        if timestamp < self.genesis_time:
            raise SlotError(f"time {timestamp} is before L1 genesis at {self.genesis_time}")
        return (timestamp - self.genesis_time) // self.seconds_per_slot

    def time_of(self, slot: int) -> int:
        """The start of a slot."""
        return self.genesis_time + slot * self.seconds_per_slot

    def next_time(self, timestamp: int) -> int:
        """The start of the first slot after a time."""
        return self.time_of(self.slot_at(timestamp) + 1)

    def first_time_from(self, timestamp: int) -> int:
        """The start of the first slot that does not begin before a time."""
        return self.time_of(-(-(max(timestamp, self.genesis_time) - self.genesis_time) // self.seconds_per_slot))

    def check(self, timestamp: int, parent_timestamp: int) -> int:
        """Returns a block's time if it may follow its parent's. Raises SlotError."""
        if (timestamp - self.genesis_time) % self.seconds_per_slot or timestamp < self.genesis_time:
            raise SlotError(
                f"timestamp {timestamp} is no L1 slot: they start every {self.seconds_per_slot} s "
                f"from {self.genesis_time} on"
            )
        if timestamp <= parent_timestamp:
            raise SlotError(f"timestamp {timestamp} is not after the parent's {parent_timestamp}")
        return timestamp


@dataclass(slots=True, frozen=True)
class BeaconSeed:
    """A replacement for the validators' randomness. The same seed gives the same chain. branch counts the reorgs, so a
    block that is built again at the same height is a different block.
    """

    seed: int
    branch: int = 0

    def prev_randao(self, number: int) -> Hash:
        """prevRandao of a block; 32 bytes."""
        return self._draw("prev_randao", number)

    def beacon_root(self, number: int) -> Hash:
        """The root of the beacon block before a block (EIP-4788); 32 bytes, never zero."""
        return self._draw("parent_beacon_block_root", number)

    def _draw(self, purpose: str, number: int) -> Hash:
        drawn = f"openrollup l1 {purpose} seed {self.seed} branch {self.branch} block {number}"
        return keccak256(drawn.encode())
