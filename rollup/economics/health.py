"""The health of a volume, whatever its labels: how many pay, on how many days, how unequally, who comes back."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rollup.economics.fees import gas_share
from rollup.economics.noise import Paid

_DAY: Final = 86_400  # seconds
_WEEK: Final = 7 * _DAY


@dataclass(slots=True, frozen=True)
class Health:
    """Counts of payers, and shares from 0 to 1.

    `half`: the fewest payers who paid half of the fees. `hhi`: the sum of the squared shares of payers (Herfindahl),
    1 when one pays all. `returning`: of the payers who began a week or more before the last payment, the share that
    paid again a week or more after their first; None without such payers. `gas`: gas as a share of fees and gas.
    """

    payers: int
    on_two_days: int
    half: int
    gini: float
    hhi: float
    returning: float | None
    gas: float


def health(paid: Sequence[Paid]) -> Health:
    """The health of the inference records.

    >>> from rollup.economics import Paid
    >>> health([Paid(1, "0xa", 10**16, 10**14, 0, "0x1", "0x2", (1, 1), 1, {})]).payers
    1
    """
    volumes = Counter[str]()
    times: dict[str, list[int]] = defaultdict(list)
    for item in paid:
        volumes[item.payer] += item.fee
        times[item.payer].append(item.time)
    amounts = sorted(volumes.values(), reverse=True)
    total = sum(amounts)
    return Health(
        len(amounts),
        sum(len({time // _DAY for time in seen}) > 1 for seen in times.values()),
        _half(amounts, total),
        gini(amounts),
        sum((amount / total) ** 2 for amount in amounts) if total else 0.0,
        _returning([(min(seen), max(seen)) for seen in times.values()]),
        gas_share(sum(item.gas for item in paid), total),
    )


def gini(amounts: Sequence[int]) -> float:
    """How unequal amounts are, from 0 to 1: 0 when all are equal, near 1 when one has all.

    >>> gini([5, 5, 5, 5]), gini([0, 0, 0, 8])
    (0.0, 0.75)
    """
    values = np.sort(np.array(amounts, dtype=np.float64))
    if not values.size or not values.sum():
        return 0.0
    ranks = np.arange(1, values.size + 1)
    return float((2 * ranks - values.size - 1) @ values / (values.size * values.sum()))


def _half(amounts: Sequence[int], total: int) -> int:
    """How many of the largest amounts make half of the total."""
    sum_so_far = 0
    for number, amount in enumerate(amounts, 1):
        sum_so_far += amount
        if 2 * sum_so_far >= total:
            return number
    return 0


def _returning(spans: Sequence[tuple[int, int]]) -> float | None:
    """The share that came back, of the payers by their first and last payment."""
    if not spans:
        return None
    end = max(last for _, last in spans)
    old = [(first, last) for first, last in spans if end - first >= _WEEK]
    return sum(last - first >= _WEEK for first, last in old) / len(old) if old else None
