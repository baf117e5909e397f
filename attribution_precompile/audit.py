"""Conservation, recomputed from storage: what the account owes, in 2^-64 wei, so that nothing is lost in rounding."""

from collections.abc import Callable, Iterable

from attribution_precompile.layout import (
    COUNTS,
    JOB_COUNT_SHIFT,
    MASK_64,
    MASK_128,
    MASK_160,
    REMAINDER_SHIFT,
    UNITS_SHIFT,
    credit_slot,
    datanet_slot,
    job_slot,
    member_slot,
)


def owed_scaled(storage: Callable[[int], int], accounts: Iterable[int]) -> int:
    """Credits, pools (pending and remainder) and escrow, in 2^-64 wei; `accounts` is everyone who may have anything."""
    accounts = set(accounts)
    counts = storage(COUNTS)
    owed = sum(storage(credit_slot(account)) for account in accounts) << 64
    for datanet_id in range(1, (counts & MASK_64) + 1):
        pool = storage(datanet_slot(datanet_id))
        owed += pool >> REMAINDER_SHIFT
        for account in accounts:
            member = storage(member_slot(datanet_id, account))
            owed += (member >> UNITS_SHIFT) * ((pool & MASK_160) - (member & MASK_160)) if member else 0
    for job_id in range(1, (counts >> JOB_COUNT_SHIFT & MASK_64) + 1):
        owed += (storage(job_slot(job_id) + 1) & MASK_128) << 64
    return owed
