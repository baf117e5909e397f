"""The OP Stack's forks, in order, and when each is active.

Data only: whoever needs a rule asks the config, `config.is_holocene(time)`.
"""

from dataclasses import dataclass, fields
from enum import IntEnum


class Fork(IntEnum):
    """Forks by age; compare with < and >=."""

    BEDROCK = 0
    REGOLITH = 1
    CANYON = 2
    DELTA = 3  # derivation only: span batches
    ECOTONE = 4
    FJORD = 5
    GRANITE = 6
    HOLOCENE = 7
    ISTHMUS = 8
    JOVIAN = 9
    KARST = 10


NEWEST_STABLE = Fork.JOVIAN
# Their first block may hold deposits only (jovian/derivation.md, "Activation Block Rules").
_EMPTY_FIRST_BLOCK = (Fork.JOVIAN, Fork.KARST)


class L1Fork(IntEnum):
    """L1's forks from the merge on, by age, under the execution layer's names."""

    PARIS = 0
    SHANGHAI = 1
    CANCUN = 2
    PRAGUE = 3
    OSAKA = 4


def l1_fork_of(fork: Fork) -> L1Fork:
    """The L1 fork whose EVM an OP fork brings (canyon/, ecotone/, isthmus/ and karst/overview.md)."""
    if fork >= Fork.KARST:
        return L1Fork.OSAKA
    if fork >= Fork.ISTHMUS:
        return L1Fork.PRAGUE
    if fork >= Fork.ECOTONE:
        return L1Fork.CANCUN
    return L1Fork.SHANGHAI if fork >= Fork.CANYON else L1Fork.PARIS


@dataclass(slots=True, frozen=True)
class ForkSchedule:
    """Activation times in seconds; None = not scheduled. Bedrock is active from genesis."""

    regolith: int | None = None
    canyon: int | None = None
    delta: int | None = None
    ecotone: int | None = None
    fjord: int | None = None
    granite: int | None = None
    holocene: int | None = None
    isthmus: int | None = None
    jovian: int | None = None
    karst: int | None = None

    def time_of(self, fork: Fork) -> int | None:
        """The activation time in seconds, 0 for Bedrock, None when not scheduled."""
        if fork == Fork.BEDROCK:
            return 0
        time: int | None = getattr(self, fork.name.lower())
        return time

    def is_active(self, fork: Fork, timestamp: int) -> bool:
        """True from the fork's activation on."""
        time = self.time_of(fork)
        return time is not None and timestamp >= time

    def at(self, timestamp: int) -> Fork:
        """The newest fork active at this time."""
        newest = Fork.BEDROCK
        for fork in Fork:
            if self.is_active(fork, timestamp):
                newest = fork
        return newest

    def activates(self, fork: Fork, timestamp: int, parent_timestamp: int) -> bool:
        """True for the fork's first block: active now, not at the parent (specs: "activation block")."""
        return self.is_active(fork, timestamp) and not self.is_active(fork, parent_timestamp)

    def first_block_is_empty(self, timestamp: int, parent_timestamp: int) -> bool:
        """True where a fork activates whose first block may hold deposits only."""
        return any(self.activates(fork, timestamp, parent_timestamp) for fork in _EMPTY_FIRST_BLOCK)

    @classmethod
    def all_at(cls, fork: Fork, time: int = 0) -> "ForkSchedule":
        """Every fork up to this one at one time."""
        return cls(**{f.name: time for f in fields(cls) if Fork[f.name.upper()] <= fork})

    @classmethod
    def parse(cls, text: str, genesis_time: int) -> "ForkSchedule":
        """The schedule in a person's words: the newest fork at genesis, then later ones with their seconds after it.

        "jovian", "holocene,isthmus+20,jovian+60"; a fork brings those before it that are not there yet. Raises
        ValueError.
        """
        times: dict[str, int] = {}
        newest, last = Fork.BEDROCK, 0
        for index, word in enumerate(text.lower().split(",")):
            name, plus, seconds = word.strip().partition("+")
            fork = Fork.__members__.get(name.upper())
            if fork is None:
                raise ValueError(f"unknown fork {name!r}: one of {', '.join(item.name.lower() for item in Fork)}")
            if bool(plus) != bool(index):
                form = "the first fork is genesis's, the others have +SECONDS after it"
                raise ValueError(f"{word.strip()!r}: {form}, as in holocene,isthmus+20")
            if plus and not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= 10):
                raise ValueError(f"{word.strip()!r}: whole seconds after genesis are expected")
            after = int(seconds or 0)
            if index and (fork <= newest or after <= last):
                raise ValueError(f"{word.strip()!r}: a later fork at a later time is expected")
            time = genesis_time + after if index else 0
            times |= {item.name.lower(): time for item in Fork if newest < item <= fork}
            newest, last = fork, after
        return cls(**times)
