"""The usage of a model over time, in steps."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rollup.cooperative import in_turns
from rollup.index.index import Index
from rollup.index.working import number
from rollup.protocol.primitives import Address

MAX_STEPS = 1_000


@dataclass(slots=True)
class UsageStep:
    """The use of a model from `start` up to, not including, `end` (unix seconds). Amounts in wei.

    Gas counts each transaction once. `self_paid` is the revenue, and `self_paid_inferences` the number, of inferences
    whose payer also received a part of the fee: as the treasury, as an owner in the lineage, by influence, or through
    units in a pool that was paid.
    """

    start: int
    end: int
    inferences: int = 0
    revenue: int = 0
    execution: int = 0
    l1: int = 0
    operator: int = 0
    self_paid: int = 0
    self_paid_inferences: int = 0
    payers: set[Address] = field(default_factory=set)

    @property
    def self_paid_bps(self) -> int:
        """The self-paid share of the revenue, in basis points."""
        return 10_000 * self.self_paid // self.revenue if self.revenue else 0


def usage_of(index: Index, model_id: int, start: int, end: int, step: int) -> list[UsageStep]:
    """All steps, including empty ones; at most MAX_STEPS. Raises ValueError for more, or for an invalid range."""
    if step < 1 or end <= start:
        raise ValueError("a step of at least one second, and an end after the start, are expected")
    if (end - start + step - 1) // step > MAX_STEPS:
        raise ValueError(f"at most {MAX_STEPS} steps: {(end - start + step - 1) // step} were asked for")
    steps = [UsageStep(at, min(at + step, end)) for at in range(start, end, step)]
    last_tx = None
    for tx, payer, fee, time, is_self_paid, count in _rows(index, model_id, start, end):
        bucket = steps[(time - start) // step]
        bucket.inferences += count
        bucket.revenue += fee
        bucket.payers.add(payer)
        if is_self_paid:
            bucket.self_paid += fee
            bucket.self_paid_inferences += count
        if tx != last_tx:
            last_tx = tx
            execution, l1, operator = index.database.execute(
                "SELECT execution, l1, operator FROM tx WHERE position = ?", (tx,)
            ).fetchone()
            bucket.execution += number(execution)
            bucket.l1 += number(l1)
            bucket.operator += number(operator)
    return steps


def _rows(index: Index, model_id: int, start: int, end: int) -> Iterator[tuple[int, bytes, int, int, bool, int]]:
    model = index.rows.models.get(model_id)
    last = model.inferences if model is not None else 0
    first = _first_at(index, model_id, last, start)
    rows = index.database.execute(
        "SELECT tx, payer, fee, time, is_self_paid, substr(body, 33, 32) FROM inference "
        "WHERE model = ? AND inference >= ? ORDER BY inference",
        (model_id, first),
    )
    for tx, payer, fee, time, is_self_paid, count in in_turns(rows):
        if time >= end:
            return
        yield tx, payer, number(fee), time, bool(is_self_paid), number(count)


def _first_at(index: Index, model_id: int, last: int, start: int) -> int:
    """The lowest id of a record at or after a time. Ids and times rise together."""

    def time_of(inference_id: int) -> int:
        found = index.database.execute(
            "SELECT time FROM inference WHERE model = ? AND inference >= ? ORDER BY inference LIMIT 1",
            (model_id, inference_id),
        ).fetchone()
        return int(found[0])

    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        if time_of(middle) < start:
            low = middle + 1
        else:
            high = middle
    return low
