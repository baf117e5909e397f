"""The pools of DataNets, computed from events and exactly equal to storage (docs/attribution.md).

This code is independent of attribution_precompile.ledger, so `open_audit` compares two ledgers of the same money. `acc`
and remainders are in 2^-64 wei. A settlement returns the fraction of a wei it cannot pay to the remainder.
"""

from rollup.index.rows import DatanetRow, FlowRow, MemberRow

_REMAINDER_BITS = 96
_FRACTION = (1 << 64) - 1


def pay(pool: DatanetRow, flow: FlowRow, amount: int) -> None:
    """Adds wei to a pool with units. `flow` is the pool's income from one model."""
    scaled = amount << 64
    gained, pool.remainder = divmod(scaled + pool.remainder, pool.units)
    pool.acc += gained
    pool.paid += amount
    gained, flow.remainder = divmod(scaled + flow.remainder, pool.units)
    flow.acc += gained
    flow.amount += amount
    flow.payments += 1


def pending_scaled(pool: DatanetRow, member: MemberRow) -> int:
    """The debt to a member, in 2^-64 wei."""
    return member.units * (pool.acc - member.paid_acc)


def settle(pool: DatanetRow, member: MemberRow) -> tuple[int, int]:
    """Pays a member up to now. Returns the whole wei and the fraction for `give_back`."""
    scaled = pending_scaled(pool, member)
    member.paid_acc = pool.acc
    member.settled += scaled >> 64
    pool.settled += scaled >> 64
    return scaled >> 64, scaled & _FRACTION


def give_back(pool: DatanetRow, fraction: int) -> None:
    """Returns the fractions of a call's settlements to the pool. A remainder beyond 96 bits is divided at once."""
    pool.remainder += fraction
    if fraction and pool.remainder >> _REMAINDER_BITS:
        gained, pool.remainder = divmod(pool.remainder, pool.units)
        pool.acc += gained


def harvest(pool: DatanetRow, member: MemberRow) -> int:
    """Takes a member's whole wei out of the pool. Below one wei nothing changes."""
    if not member.units or not pending_scaled(pool, member) >> 64:
        return 0
    amount, fraction = settle(pool, member)
    give_back(pool, fraction)
    return amount
