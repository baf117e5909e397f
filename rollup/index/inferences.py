"""Inferences: one with all its details, and lists by model, payer or contributor."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge

from rollup.cooperative import in_turns
from rollup.index.credits import POOL, Credit
from rollup.index.events import Inference
from rollup.index.index import Index
from rollup.index.schema import POSITION_BITS
from rollup.index.working import number
from rollup.protocol.primitives import Address, Hash

_NO_POSITION = 2**63 - 1
_INFERENCE = "position, tx, model, inference, payer, fee, time, credits, is_self_paid, body"


@dataclass(slots=True, frozen=True)
class InferenceRecord:
    """An inference and its position: `block` and `tx` are the block's number and the index of its transaction."""

    position: int
    tx: int
    event: Inference
    time: int
    credits: int
    is_self_paid: bool

    @property
    def block(self) -> int:
        """The block's number."""
        return self.position >> POSITION_BITS


@dataclass(slots=True, frozen=True)
class TransactionRecord:
    """The transaction of an inference; amounts in wei."""

    hash: Hash
    place: int
    sender: Address
    gas_used: int
    execution: int
    l1: int
    operator: int


@dataclass(slots=True, frozen=True)
class Share:
    """A member's part of a payment into a pool: wei, rounded down."""

    account: Address
    units: int
    amount: int


@dataclass(slots=True, frozen=True)
class Filter:
    """Selects inferences. None matches any."""

    model: int | None = None
    payer: Address | None = None
    contributor: Address | None = None


def by_id(index: Index, model_id: int, inference_id: int) -> InferenceRecord | None:
    """The record that contains an id. One record of inferBatch has many ids."""
    found = index.database.execute(
        f"SELECT {_INFERENCE} FROM inference WHERE model = ? AND inference >= ? ORDER BY inference LIMIT 1",
        (model_id, inference_id),
    ).fetchone()
    if found is None:
        return None
    record = _record(found)
    return record if record.event.inference - record.event.count < inference_id else None


def by_transaction(index: Index, tx_hash: Hash) -> list[InferenceRecord]:
    """Every inference of a transaction, in order."""
    location = index.chain.find_transaction(tx_hash)
    if location is None:
        return []
    start, end = location.block_number << POSITION_BITS, location.block_number + 1 << POSITION_BITS
    found = index.database.execute(
        "SELECT position FROM tx WHERE position > ? AND position < ? AND place = ?", (start, end, location.index)
    ).fetchone()
    if found is None:
        return []
    rows = index.database.execute(
        f"SELECT {_INFERENCE} FROM inference WHERE position > ? AND position < ? AND tx = ? ORDER BY position",
        (found[0], end, found[0]),
    )
    return [_record(row) for row in rows]


def transaction(index: Index, record: InferenceRecord) -> TransactionRecord:
    """The transaction of an inference."""
    found = index.database.execute(
        "SELECT hash, place, sender, gas_used, execution, l1, operator FROM tx WHERE position = ?", (record.tx,)
    ).fetchone()
    tx_hash, place, sender, gas_used, execution, l1, operator = found
    return TransactionRecord(tx_hash, place, sender, gas_used, number(execution), number(l1), number(operator))


def credits_made(index: Index, record: InferenceRecord) -> list[tuple[int, Credit]]:
    """The credits of an inference in order, each with its position."""
    rows = index.database.execute(
        "SELECT position, model, role, account, datanet, amount FROM credit WHERE position > ? AND position <= ? "
        "ORDER BY position",
        (record.position, record.position + record.credits),
    )
    return [
        (position, Credit(model, role, account, datanet, number(amount)))
        for position, model, role, account, datanet, amount in in_turns(rows)
    ]


def shares_of(index: Index, position: int, credit: Credit, limit: int) -> tuple[int, list[Share]]:
    """The pool's number of members at that time, and at most `limit` of the largest shares."""
    if credit.role != POOL:
        return 0, []
    rows = index.database.execute(
        "SELECT account, units, max(position) FROM membership WHERE datanet = ? AND position < ? GROUP BY account",
        (credit.datanet, position),
    )
    members = [(number(units), account) for account, units, _ in in_turns(rows) if number(units)]
    total = sum(units for units, _ in members)
    members.sort(key=lambda member: (-member[0], member[1]))
    return len(members), [Share(who, units, credit.amount * units // total) for units, who in members[:limit]]


def listed(index: Index, wanted: Filter, before: int | None, limit: int) -> list[InferenceRecord]:
    """Inferences before a position, the newest first."""
    position = _NO_POSITION if before is None else before
    found: list[InferenceRecord] = []
    for candidate in in_turns(_candidates(index, wanted, position)):
        record = _record(
            index.database.execute(f"SELECT {_INFERENCE} FROM inference WHERE position = ?", (candidate,)).fetchone()
        )
        if wanted.model is not None and record.event.model != wanted.model:
            continue
        if wanted.payer is not None and record.event.payer != wanted.payer:
            continue
        found.append(record)
        if len(found) == limit:
            break
    return found


def _candidates(index: Index, wanted: Filter, before: int) -> Iterator[int]:
    """Positions of inferences in falling order, by the most selective condition that has a database index."""
    if wanted.contributor is not None:
        yield from _of_contributor(index.database, wanted.contributor, before)
    elif wanted.payer is not None:
        yield from _positions(
            index.database,
            "SELECT position FROM inference WHERE payer = ? AND position < ? ORDER BY position DESC",
            wanted.payer,
            before,
        )
    elif wanted.model is not None:
        # Within a model ids rise with positions.
        yield from _positions(
            index.database,
            "SELECT position FROM inference WHERE model = ? AND inference <= (SELECT coalesce(max(inference), 0) FROM "
            "inference WHERE model = ? AND position < ?) ORDER BY inference DESC",
            wanted.model,
            wanted.model,
            before,
        )
    else:
        yield from _positions(
            index.database, "SELECT position FROM inference WHERE position < ? ORDER BY position DESC", before
        )


def _of_contributor(database: sqlite3.Connection, account: Address, before: int) -> Iterator[int]:
    """Inferences that named the account, and those that paid a pool while it had units there."""
    sources = [
        _positions(
            database,
            "SELECT inference FROM credit WHERE role = 'member' AND account = ? AND position < ? "
            "ORDER BY position DESC",
            account,
            before,
        )
    ]
    for datanet, start, end in periods(database, account):
        models = [row[0] for row in database.execute("SELECT model FROM flow WHERE datanet = ?", (datanet,))]
        sources += [
            _positions(
                database,
                "SELECT inference FROM credit WHERE role = 'pool' AND datanet = ? AND source = ? AND position > ? "
                "AND position < ? ORDER BY position DESC",
                datanet,
                model,
                start,
                min(end, before),
            )
            for model in models
        ]
    last = None
    for position in merge(*sources, reverse=True):
        if position != last and position < before:
            yield position
        last = position


def periods(database: sqlite3.Connection, account: Address) -> list[tuple[int, int, int]]:
    """Periods (DataNet, from, to) between positions in which an account had units."""
    found: list[tuple[int, int, int]] = []
    begun: dict[int, int] = {}
    rows = database.execute(
        "SELECT datanet, position, units FROM membership WHERE account = ? ORDER BY datanet, position", (account,)
    )
    for datanet, position, units in in_turns(rows):
        if number(units):
            begun.setdefault(datanet, position)
        elif datanet in begun:
            found.append((datanet, begun.pop(datanet), position))
    return found + [(datanet, position, _NO_POSITION) for datanet, position in begun.items()]


def _positions(database: sqlite3.Connection, query: str, *arguments: object) -> Iterator[int]:
    for (position,) in database.execute(query, arguments):
        yield position


def _record(found: tuple[int, int, int, int, bytes, bytes, int, int, int, bytes]) -> InferenceRecord:
    position, tx, model, inference, payer, fee, time, credits, is_self_paid, body = found
    return InferenceRecord(
        position, tx, Inference(model, inference, payer, number(fee), body), time, credits, bool(is_self_paid)
    )
