"""A chain's real use: its inferences by model and payer, their gas, and the market parameters they imply.

Needs a node with the namespace open_ (docs/open.md). Nothing is extrapolated: rates are those of the time between the
first and the last inference, scaled to a month of 30 days.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rollup.economics.errors import EconomicsError
from rollup.economics.units import MONTH_SECONDS, open_float
from rollup.l1.json_rpc import JsonRpcClient

_PAGE: Final = 1_000
_MIN_RANKS: Final = 3  # models with inferences, for an exponent


@dataclass(slots=True, frozen=True)
class Seen:
    """One inference record: times in unix seconds, fee and its transaction's cost in wei, gas in units.

    `count` is the number of inferences that the record stands for. Records may share a transaction.
    """

    model: int
    payer: str
    count: int
    fee: int
    gas: int
    cost: int
    time: int
    block: int
    transaction: str


@dataclass(slots=True, frozen=True)
class ModelUse:
    """The use of one model: inferences, records (transactions' parts), payers, fees [wei], gas per record [gas]."""

    model: int
    inferences: int
    records: int
    payers: int
    fees: int
    gas: tuple[int, int, int]  # least, median, most


@dataclass(slots=True, frozen=True)
class Observed:
    """The use of a chain between two blocks, models by inferences, the most first."""

    first_block: int
    last_block: int
    seconds: int
    models: tuple[ModelUse, ...]
    payers: int
    inferences: int
    fees: int
    costs: int  # the cost of the transactions in addition to the fees [wei], each once
    zipf: float | None

    @property
    def per_month(self) -> float:
        """Inferences per month of 30 days at the observed rate."""
        return self.inferences * MONTH_SECONDS / self.seconds

    def market(self) -> dict[str, float | int]:
        """The parameters of a Market that this use implies: fee and gas in OPEN per query, rates per month."""
        found: dict[str, float | int] = {
            "fee": open_float(self.fees // self.inferences),
            "gas": open_float(self.costs // self.inferences),
            "users": float(self.payers),
            "queries_per_user": self.per_month / self.payers,
            "models": len(self.models),
            "max_models": max(400, len(self.models)),
        }
        found["reference_price"] = float(found["fee"]) + float(found["gas"])
        found["max_users"] = max(20_000.0, 20.0 * self.payers)
        if self.zipf is not None:
            found["zipf"] = round(self.zipf, 4)
        return found


def observe(rpc: JsonRpcClient, first: int = 0, last: int | None = None) -> Observed:
    """The use in the blocks `first` to `last`, by default to the head.

    Raises EconomicsError when there are too few inferences to tell a rate, or the client's Temporary and RpcError.

    >>> made = chain.inferences(2, contributors=3), chain.l2.build(1), chain.inferences(2, contributors=3)
    >>> observe(chain.rpc).inferences >= 4
    True
    """
    seen = [item for item in _listed(rpc, first) if last is None or item.block <= last]
    return summary(seen)


def summary(seen: Sequence[Seen]) -> Observed:
    """The sums of the records; EconomicsError when they are all of one moment."""
    times = [item.time for item in seen]
    if not seen or min(times) == max(times):
        raise EconomicsError("no rate can be computed: at least two inferences at different times are needed")
    by_model: dict[int, list[Seen]] = defaultdict(list)
    for item in seen:
        by_model[item.model].append(item)
    models = sorted(
        (_use(model, items) for model, items in by_model.items()), key=lambda use: (-use.inferences, use.model)
    )
    return Observed(
        min(item.block for item in seen),
        max(item.block for item in seen),
        max(times) - min(times),
        tuple(models),
        len({item.payer for item in seen}),
        sum(item.count for item in seen),
        sum(item.fee for item in seen),
        sum({item.transaction: item.cost for item in seen}.values()),
        zipf_exponent([use.inferences for use in models]),
    )


def zipf_exponent(counts: Sequence[int]) -> float | None:
    """The exponent s of rank^-s with the greatest likelihood for the counts, largest first; None below three ranks."""
    if len(counts) < _MIN_RANKS:
        return None
    weights = np.array(sorted(counts, reverse=True), dtype=np.float64)
    logs = np.log(np.arange(1, weights.size + 1))
    mean = float((weights * logs).sum() / weights.sum())
    low, high = 0.0, 10.0  # the expected logarithm of the rank falls as s rises: bisection finds the maximum
    for _ in range(60):
        middle = (low + high) / 2
        shares = np.exp(-middle * logs)
        if float((shares * logs).sum() / shares.sum()) > mean:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _use(model: int, items: Sequence[Seen]) -> ModelUse:
    gas = sorted(item.gas for item in items)
    return ModelUse(
        model,
        sum(item.count for item in items),
        len(items),
        len(Counter(item.payer for item in items)),
        sum(item.fee for item in items),
        (gas[0], gas[len(gas) // 2], gas[-1]),
    )


def _listed(rpc: JsonRpcClient, first: int) -> Iterator[Seen]:
    """The records from the newest back to block `first`."""
    cursor: Any = None
    while True:
        answer = rpc.call("open_listInferences", {}, cursor, hex(_PAGE))
        for item in answer["inferences"]:
            if int(item["blockNumber"], 16) < first:
                return
            yield _seen(item)
        cursor = answer["cursor"]
        if cursor is None:
            return


def _seen(item: dict[str, Any]) -> Seen:
    return Seen(
        int(item["modelId"], 16),
        item["payer"],
        int(item["count"], 16),
        int(item["fee"], 16),
        int(item["gas"]["gasUsed"], 16),
        int(item["gas"]["total"], 16),
        int(item["timestamp"], 16),
        int(item["blockNumber"], 16),
        item["transactionHash"],
    )
