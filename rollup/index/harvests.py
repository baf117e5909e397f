"""Harvests, the only change of money without an event.

A transaction that calls harvest, claim or claimFor names the DataNets in its calldata. If a contract makes a claim, the
event has the amount, and the DataNets are those whose pending amounts sum to it. If a contract makes a harvest, it is
visible in storage only (rollup/index/earnings.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from attribution_precompile import ADDRESS_BYTES, METHODS, Revert
from attribution_precompile.abi import decode_uint64_array, decode_words
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import Transaction

_SELECTORS = {method.name: method.selector for method in METHODS}
_MOST_SUBSETS = 4096


@dataclass(slots=True, frozen=True)
class Harvest:
    """An account whose earnings move to its credit, and the DataNets that they come from."""

    account: Address
    datanets: tuple[int, ...]


def harvest_of(transaction: Transaction) -> Harvest | None:
    """The harvest in a successful transaction's calldata, or None if it calls no such method."""
    data = transaction.data
    if transaction.to != ADDRESS_BYTES or len(data) < 4:
        return None
    selector = data[:4]
    try:
        if selector == _SELECTORS["harvest"]:
            offset, account = decode_words(data, (256, 160))
            return _harvest(data, offset, account.to_bytes(20, "big"))
        if selector == _SELECTORS["claim"]:
            return _harvest(data, decode_words(data, (256, 160))[0], transaction.sender)
        if selector == _SELECTORS["claimFor"]:
            account, offset = decode_words(data, (160, 256))
            return _harvest(data, offset, account.to_bytes(20, "big"))
    except Revert:
        return None  # calldata that no node accepted, for example before the activation
    return None


def _harvest(data: bytes, offset: int, account: Address) -> Harvest:
    return Harvest(account, tuple(decode_uint64_array(data, offset)))


def explain_claim(harvested: int, pending: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The DataNets, of (id, whole wei pending), whose amounts sum to the amount of a claim. The whole membership is
    tried first, then the smallest sets. () if no set matches or there are too many to try.
    """
    owed = [(datanet, amount) for datanet, amount in pending if amount]
    if not harvested or not owed:
        return ()
    if sum(amount for _, amount in owed) == harvested:
        return tuple(datanet for datanet, _ in owed)
    tried = 0
    for size in range(1, len(owed)):
        for chosen in combinations(owed, size):
            tried += 1
            if tried > _MOST_SUBSETS:
                return ()
            if sum(amount for _, amount in chosen) == harvested:
                return tuple(datanet for datanet, _ in chosen)
    return ()
