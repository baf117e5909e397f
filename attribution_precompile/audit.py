"""Conservation, recomputed from storage: what the account owes, in 2^-64 wei, so that nothing is lost by rounding."""

from collections.abc import Callable, Iterable

from attribution_precompile.layout import COUNTS, ESCROW, credit_slot, datanet_slot, job_slot, member_slot
from attribution_precompile.words import unpack_counts, unpack_escrow, unpack_member, unpack_pool


def owed_scaled(storage: Callable[[int], int], accounts: Iterable[int]) -> int:
    """The sum of credits, pools (pending and remainder) and escrow in 2^-64 wei. Give every account that may have
    any.
    """
    accounts = set(accounts)
    datanets, _, jobs = unpack_counts(storage(COUNTS))
    owed = sum(storage(credit_slot(account)) for account in accounts) << 64
    for datanet_id in range(1, datanets + 1):
        acc, remainder = unpack_pool(storage(datanet_slot(datanet_id)))
        owed += remainder
        for account in accounts:
            paid_acc, units = unpack_member(storage(member_slot(datanet_id, account)))
            owed += units * (acc - paid_acc)
    for job_id in range(1, jobs + 1):
        escrow, _, _ = unpack_escrow(storage(job_slot(job_id) + ESCROW))
        owed += escrow << 64
    return owed
