"""Conservation over the whole state, recomputed from storage and compared with the index's own ledger.

Storage cannot be listed by account, so the index supplies the accounts: all that an event has ever named. Payments in
and out are summed from events. Amounts in wei, `_scaled` ones in 2^-64 wei.
"""

from dataclasses import dataclass, field

from attribution_precompile import ADDRESS_BYTES, layout, words
from rollup.cooperative import in_turns
from rollup.execution.state.reader import StateReader
from rollup.index.index import Index, account_key
from rollup.index.working import number

_MOST_NAMED = 20


@dataclass(slots=True)
class Audit:
    """The books at one block."""

    block: int
    balance: int = 0
    credits: int = 0
    escrow: int = 0
    pending_scaled: int = 0
    remainder_scaled: int = 0
    fees: int = 0
    requested: int = 0
    settled_jobs: int = 0
    claimed: int = 0
    accounts: int = 0
    memberships: int = 0
    datanets: int = 0
    models: int = 0
    jobs: int = 0
    differences: list[str] = field(default_factory=list)  # of the index's ledger from storage
    difference_count: int = 0

    @property
    def owed_scaled(self) -> int:
        """The debts of the account, in wei times 2^64: credits, escrow and pools."""
        return (self.credits + self.escrow << 64) + self.pending_scaled + self.remainder_scaled

    @property
    def received(self) -> int:
        """Fees and escrow received, by events. The fee of a settled job was received as escrow."""
        return self.fees - self.settled_jobs + self.requested

    @property
    def is_conserved(self) -> bool:
        """Whether receipts equal debts plus payouts exactly, and the account holds what it owes."""
        owed = self.owed_scaled
        return owed == self.received - self.claimed << 64 and self.balance << 64 >= owed


def audit(index: Index) -> Audit:
    """Reads every slot that holds money. The time is proportional to the number of accounts and memberships."""
    state = index.state()
    account = state.account(ADDRESS_BYTES)
    result = Audit(index.tip[0], account.balance if account is not None else 0)
    _flows(index, result)
    _credits(index, state, result)
    _pools(index, state, result)
    _jobs(index, state, result)
    datanets, result.models, jobs = words.unpack_counts(state.storage(ADDRESS_BYTES, layout.COUNTS))
    _compare(result, "DataNets", result.datanets, datanets)
    _compare(result, "jobs", result.jobs, jobs)
    known = index.database.execute("SELECT count(*) FROM model").fetchone()[0]
    _compare(result, "models", known, result.models)
    return result


def _compare(result: Audit, what: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        result.difference_count += 1
        if len(result.differences) < _MOST_NAMED:
            result.differences.append(f"{what}: {ours} by the events, {theirs} in storage")


def _flows(index: Index, result: Audit) -> None:
    result.fees = sum(row.revenue for _, row in index.rows.models.all())
    result.claimed = sum(number(amount) for (amount,) in in_turns(index.database.execute("SELECT amount FROM claim")))


def _credits(index: Index, state: StateReader, result: Audit) -> None:
    ours = {who: row.credit for (who,), row in index.rows.accounts.all()}
    members = in_turns(index.database.execute("SELECT DISTINCT account FROM member"))
    for who in in_turns(sorted(set(ours).union(who for (who,) in members))):
        stored = state.storage(ADDRESS_BYTES, layout.credit_slot(account_key(who)))
        result.credits += stored
        result.accounts += 1
        _compare(result, f"credit of 0x{who.hex()}", ours.get(who, 0), stored)


def _pools(index: Index, state: StateReader, result: Audit) -> None:
    accs: dict[int, int] = {}
    for (datanet,), pool in index.rows.datanets.all():
        acc, remainder = words.unpack_pool(state.storage(ADDRESS_BYTES, layout.datanet_slot(datanet)))
        accs[datanet] = acc
        result.remainder_scaled += remainder
        result.datanets += 1
        _compare(result, f"pool of DataNet {datanet}", (pool.acc, pool.remainder), (acc, remainder))
    for (datanet, who), member in index.rows.members.all():
        word = state.storage(ADDRESS_BYTES, layout.member_slot(datanet, account_key(who)))
        paid_acc, units = words.unpack_member(word)
        result.pending_scaled += units * (accs[datanet] - paid_acc)
        result.memberships += 1
        what = f"units and paidAcc of 0x{who.hex()} in DataNet {datanet}"
        _compare(result, what, (member.units, member.paid_acc), (units, paid_acc))


def _jobs(index: Index, state: StateReader, result: Audit) -> None:
    for (job_id,), job in index.rows.jobs.all():
        stored, _, _ = words.unpack_escrow(state.storage(ADDRESS_BYTES, layout.job_slot(job_id) + layout.ESCROW))
        result.escrow += stored
        result.requested += job.escrow
        result.settled_jobs += job.fee
        result.jobs += 1
        _compare(result, f"escrow of job {job_id}", job.escrow if job.state == 1 else 0, stored)
