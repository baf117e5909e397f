"""The earnings of an account: by role and model, by DataNet, and paid out.

Totals come from the state: an account's credit and its pending amounts in pools are read from storage at the head.
Their origin comes from the index. A harvest made by a contract is visible in storage only: the member's `paidAcc` is
then ahead of the index's, and the difference was harvested.
"""

from dataclasses import dataclass, field

from attribution_precompile import layout, words
from rollup.cooperative import in_turns
from rollup.index.index import Index, account_key
from rollup.index.rows import MemberRow
from rollup.index.working import number
from rollup.protocol.primitives import Address


@dataclass(slots=True)
class DatanetEarnings:
    """Earnings from one DataNet in wei: `direct` by influence and not through the pool, `settled` from the pool,
    `pending` still in it.
    """

    datanet: int
    units: int
    direct: int
    settled: int
    pending: int


@dataclass(slots=True)
class ModelEarnings:
    """Earnings from one model's inferences in wei, by role. `pool` is the part of its payments into pools, rounded
    down.
    """

    model: int
    roles: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Earnings:
    """`credited` is everything that inferences have added to the credit. `credit` is the current credit, including
    refunds.
    """

    credited: int
    refunded: int
    claimed: int
    credit: int
    pending: int
    datanets: list[DatanetEarnings]
    models: list[ModelEarnings]


def earnings_of(index: Index, account: Address) -> Earnings:
    """The earnings of an account as of the head."""
    row = index.rows.accounts.get(account)
    claimed, refunded = (row.claimed, row.refunded) if row is not None else (0, 0)
    credit = index.storage(layout.credit_slot(account_key(account)))
    datanets = [
        datanet_earnings(index, key[0], account, member)
        for key, member in index.rows.members.where("account = ? ORDER BY datanet", account)
    ]
    return Earnings(
        credited=credit + claimed - refunded,
        refunded=refunded,
        claimed=claimed,
        credit=credit,
        pending=sum(item.pending for item in datanets),
        datanets=datanets,
        models=_by_model(index, account),
    )


def datanet_earnings(index: Index, datanet: int, account: Address, member: MemberRow) -> DatanetEarnings:
    """The earnings of one membership as of the head."""
    paid_acc, units = words.unpack_member(index.storage(layout.member_slot(datanet, account_key(account))))
    acc, _ = words.unpack_pool(index.storage(layout.datanet_slot(datanet)))
    unseen = units * (paid_acc - member.paid_acc) >> 64 if paid_acc > member.paid_acc else 0
    return DatanetEarnings(
        datanet, units, member.direct, member.settled + unseen, units * (acc - paid_acc) >> 64 if units else 0
    )


def _by_model(index: Index, account: Address) -> list[ModelEarnings]:
    found: dict[int, ModelEarnings] = {}
    for (_, model, role), row in index.rows.earnings.where("account = ?", account):
        found.setdefault(model, ModelEarnings(model)).roles[role] = row.amount
    for model, scaled in sorted(_from_pools(index, account).items()):
        if scaled >> 64:
            found.setdefault(model, ModelEarnings(model)).roles["pool"] = scaled >> 64
    return [found[model] for model in sorted(found)]


def _from_pools(index: Index, account: Address) -> dict[int, int]:
    """Earnings from pools by model, in 2^-64 wei: for each period of constant units, units times the earnings of one
    unit.
    """
    earned: dict[int, int] = {}
    for datanet, start, end, units in in_turns(_stretches(index, account)):
        for (_, model), flow in index.rows.flows.where("datanet = ?", datanet):
            last = flow.acc if end is None else _acc_at(index, datanet, model, end)
            gained = units * (last - _acc_at(index, datanet, model, start))
            if gained:
                earned[model] = earned.get(model, 0) + gained
    return earned


def _stretches(index: Index, account: Address) -> list[tuple[int, int, int | None, int]]:
    """Periods (DataNet, from, to, units) between positions with constant units. `to` is None for the current period."""
    rows = index.database.execute(
        "SELECT datanet, position, units FROM membership WHERE account = ? ORDER BY datanet, position", (account,)
    ).fetchall()
    found = []
    for place, (datanet, position, units) in enumerate(in_turns(rows)):
        following = rows[place + 1] if place + 1 < len(rows) else None
        end = following[1] if following is not None and following[0] == datanet else None
        if number(units):
            found.append((datanet, position, end, number(units)))
    return found


def _acc_at(index: Index, datanet: int, model: int, position: int) -> int:
    """The earnings of one unit of a DataNet from a model before a position, in 2^-64 wei."""
    found = index.database.execute(
        "SELECT acc FROM credit WHERE role = 'pool' AND datanet = ? AND source = ? AND position < ? "
        "ORDER BY position DESC LIMIT 1",
        (datanet, model, position),
    ).fetchone()
    return number(found[0]) if found is not None else 0
