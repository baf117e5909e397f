"""The OP Stack's forks and L1's, their facts as one table row each, and their activation times.

The module is data only. Code that needs a rule calls the config (`config.is_holocene(time)`) or reads the row of the
active fork.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from operator import attrgetter
from typing import Final, NamedTuple, TypeVar

_F = TypeVar("_F", bound=IntEnum)


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


class L1Fork(IntEnum):
    """L1's forks from the merge on, by age, under the execution layer's names."""

    PARIS = 0
    SHANGHAI = 1
    CANCUN = 2
    PRAGUE = 3
    OSAKA = 4
    BPO1 = 5  # blob parameters only (EIP-7892)
    BPO2 = 6


class BlobSchedule(NamedTuple):
    """Target and maximum number of blobs per block, and how fast their base fee changes (EIP-7840)."""

    target: int
    max: int
    update_fraction: int


@dataclass(slots=True, frozen=True)
class L1ForkRow:
    """The facts of an L1 fork, except its virtual machine. None means that there is no such limit.

    blobs: the schedule, None before blobs. max_transaction_gas: gas per transaction (EIP-7825). max_transaction_blobs:
    blobs per transaction (EIP-7594). max_block_size: bytes of an encoded block (EIP-7934). has_blob_fee_floor:
    execution gas sets a floor under the blob base fee (EIP-7918).
    """

    blobs: BlobSchedule | None = None
    max_transaction_gas: int | None = None
    max_transaction_blobs: int | None = None
    max_block_size: int | None = None
    has_blob_fee_floor: bool = False


_OSAKA_LIMITS: Final = {
    "max_transaction_gas": 2**24,
    "max_transaction_blobs": 6,
    "max_block_size": 10 * 2**20 - 2 * 2**20,
}


def _osaka(blobs: BlobSchedule) -> L1ForkRow:
    return L1ForkRow(blobs, **_OSAKA_LIMITS, has_blob_fee_floor=True)


_PRAGUE_BLOBS: Final = BlobSchedule(6, 9, 5_007_716)  # EIP-7691
L1_FORKS: Final[Mapping[L1Fork, L1ForkRow]] = {
    L1Fork.PARIS: L1ForkRow(),
    L1Fork.SHANGHAI: L1ForkRow(),
    L1Fork.CANCUN: L1ForkRow(BlobSchedule(3, 6, 3_338_477)),  # EIP-4844
    L1Fork.PRAGUE: L1ForkRow(_PRAGUE_BLOBS),
    L1Fork.OSAKA: _osaka(_PRAGUE_BLOBS),
    L1Fork.BPO1: _osaka(BlobSchedule(10, 15, 8_346_193)),
    L1Fork.BPO2: _osaka(BlobSchedule(14, 21, 11_684_671)),
}


@dataclass(slots=True, frozen=True)
class ForkRow:
    """The facts of an OP Stack fork. Other rules are looked up by the fork's name.

    evm: the L1 fork whose virtual machine it runs. has_upgrade_transactions: its first block carries deposits that
    upgrade contracts. has_upgrade_gas: they have gas in addition to the block's limit. first_block_is_empty: its first
    block may hold deposits only, as a rule of consensus (jovian/derivation.md, "Activation Block Rules").
    """

    evm: L1Fork
    has_upgrade_transactions: bool = False
    has_upgrade_gas: bool = False
    first_block_is_empty: bool = False


FORKS: Final[Mapping[Fork, ForkRow]] = {
    Fork.BEDROCK: ForkRow(L1Fork.PARIS),
    Fork.REGOLITH: ForkRow(L1Fork.PARIS),
    Fork.CANYON: ForkRow(L1Fork.SHANGHAI),
    Fork.DELTA: ForkRow(L1Fork.SHANGHAI),
    Fork.ECOTONE: ForkRow(L1Fork.CANCUN, has_upgrade_transactions=True),
    Fork.FJORD: ForkRow(L1Fork.CANCUN, has_upgrade_transactions=True),
    Fork.GRANITE: ForkRow(L1Fork.CANCUN),
    Fork.HOLOCENE: ForkRow(L1Fork.CANCUN),
    Fork.ISTHMUS: ForkRow(L1Fork.PRAGUE, has_upgrade_transactions=True),
    Fork.JOVIAN: ForkRow(L1Fork.PRAGUE, has_upgrade_transactions=True, first_block_is_empty=True),
    Fork.KARST: ForkRow(L1Fork.OSAKA, has_upgrade_transactions=True, has_upgrade_gas=True, first_block_is_empty=True),
}


def l1_fork_of(fork: Fork) -> L1Fork:
    """The L1 fork whose EVM an OP fork uses (canyon/, ecotone/, isthmus/ and karst/overview.md)."""
    return FORKS[fork].evm


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
        return self._times()[fork]

    def _times(self) -> tuple[int | None, ...]:
        """The activation times of all forks, by age."""
        return (0, *_SCHEDULED_TIMES(self))

    def is_active(self, fork: Fork, timestamp: int) -> bool:
        """True from the fork's activation on."""
        time = self.time_of(fork)
        return time is not None and timestamp >= time

    def at(self, timestamp: int) -> Fork:
        """The newest fork active at this time."""
        for fork, time in zip(_NEWEST_FIRST, reversed(self._times()), strict=True):
            if time is not None and timestamp >= time:
                return fork
        return Fork.BEDROCK

    def activates(self, fork: Fork, timestamp: int, parent_timestamp: int) -> bool:
        """True for the fork's first block: active now, not at the parent (specs: "activation block")."""
        return self.is_active(fork, timestamp) and not self.is_active(fork, parent_timestamp)

    def activated(self, timestamp: int, parent_timestamp: int) -> list[Fork]:
        """The forks whose first block has this time, by age."""
        times = zip(_OLDEST_FIRST, self._times(), strict=True)
        return [fork for fork, time in times if time is not None and parent_timestamp < time <= timestamp]

    def first_block_is_empty(self, timestamp: int, parent_timestamp: int) -> bool:
        """True if a fork activates whose first block may hold deposits only."""
        # spec: jovian.first-block-empty
        return any(FORKS[fork].first_block_is_empty for fork in self.activated(timestamp, parent_timestamp))

    @classmethod
    def all_at(cls, fork: Fork, time: int = 0) -> "ForkSchedule":
        """Every fork up to this one at one time."""
        return cls(**{f.name: time for f in fields(cls) if Fork[f.name.upper()] <= fork})

    @classmethod
    def parse(cls, text: str, genesis_time: int) -> "ForkSchedule":
        """The schedule in a person's words: "jovian", "holocene,isthmus+20,jovian+60"; raises ValueError."""
        times: dict[str, int] = {}
        newest = Fork.BEDROCK
        for fork, after in parse_forks(text, Fork):
            time = genesis_time + after if after else 0
            times |= {item.name.lower(): time for item in Fork if newest < item <= fork}
            newest = fork
        return cls(**times)


# The schedule is asked several times for each block, so its times are read by one call in C.
_OLDEST_FIRST: Final = tuple(Fork)
_NEWEST_FIRST: Final = _OLDEST_FIRST[::-1]
_SCHEDULED_TIMES: Final = attrgetter(*(fork.name.lower() for fork in _OLDEST_FIRST[1:]))

_EXAMPLES: Final[Mapping[type[IntEnum], str]] = {Fork: "holocene,isthmus+20", L1Fork: "prague,osaka+20"}


def parse_forks(text: str, forks: type[_F]) -> list[tuple[_F, int]]:
    """Forks with their seconds after genesis, in a person's words: the newest at genesis, then later ones.

    "jovian", "holocene,isthmus+20,jovian+60"; a fork brings those before it that are not there yet. Raises ValueError.
    """
    schedule: list[tuple[_F, int]] = []
    for word in text.lower().split(","):
        name, plus, seconds = word.strip().partition("+")
        fork = forks.__members__.get(name.upper())
        if fork is None:
            raise ValueError(f"unknown fork {name!r}: one of {', '.join(item.name.lower() for item in forks)}")
        if bool(plus) != bool(schedule):
            form = "the first fork is genesis's, the others have +SECONDS after it"
            raise ValueError(f"{word.strip()!r}: {form}, as in {_EXAMPLES[forks]}")
        if plus and not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= 10):
            raise ValueError(f"{word.strip()!r}: whole seconds after genesis are expected")
        after = int(seconds or 0)
        if schedule and (fork <= schedule[-1][0] or after <= schedule[-1][1]):
            raise ValueError(f"{word.strip()!r}: a later fork at a later time is expected")
        schedule.append((fork, after))
    return schedule
