"""The rows that change with events, one class per table. Amounts in wei; `acc` and remainders in 2^-64 wei."""

from dataclasses import dataclass

from rollup.protocol.primitives import ZERO_ADDRESS, Address, Hash

NO_HASH = bytes(32)


@dataclass(slots=True)
class PlatformRow:
    """The platform's admin, its treasury, and its share in basis points."""

    admin: Address = ZERO_ADDRESS
    treasury: Address = ZERO_ADDRESS
    bps: int = 0


@dataclass(slots=True)
class DatanetRow:
    """A DataNet and its pool. `paid` is the total income of the pool, `settled` the part moved to members' credit."""

    curator: Address = ZERO_ADDRESS
    metadata: Hash = NO_HASH
    units: int = 0
    members: int = 0
    contributions: int = 0
    acc: int = 0
    remainder: int = 0
    paid: int = 0
    settled: int = 0


@dataclass(slots=True)
class MemberRow:
    """A contributor of a DataNet. `settled` went from the pool to its credit; `direct` was paid by influence, not
    through the pool.
    """

    units: int = 0
    paid_acc: int = 0
    settled: int = 0
    direct: int = 0
    contributions: int = 0


@dataclass(slots=True)
class ModelRow:
    """A model: the data of its registration, its owner, its counters. `weights` are 12 bytes each."""

    owner: Address = ZERO_ADDRESS
    base: int = 0
    metadata: Hash = NO_HASH
    owner_bps: int = 0
    lineage_bps: int = 0
    data_bps: int = 0
    weights: bytes = b""
    inferences: int = 0
    revenue: int = 0
    last_time: int = 0


@dataclass(slots=True)
class AccountRow:
    """An account's money: its current credit, its sources, and `claimed`, which was paid out."""

    credit: int = 0
    claimed: int = 0
    direct: int = 0  # as platform, owner, or member by influence
    settled: int = 0  # harvested from pools
    refunded: int = 0  # escrow that came back


@dataclass(slots=True)
class EarningRow:
    """The earnings of an account from a model's inferences in one role, without pools."""

    amount: int = 0
    credits: int = 0


@dataclass(slots=True)
class FlowRow:
    """The payments of a model's inferences into a DataNet's pool. `acc` is the amount per unit since the beginning."""

    acc: int = 0
    remainder: int = 0
    amount: int = 0
    payments: int = 0


@dataclass(slots=True)
class JobRow:
    """A job: state 1 is open, 2 settled, 3 cancelled."""

    model: int = 0
    payer: Address = ZERO_ADDRESS
    escrow: int = 0
    deadline: int = 0
    request: Hash = NO_HASH
    state: int = 1
    inference: int = 0
    fee: int = 0
    refund: int = 0
