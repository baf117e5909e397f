"""Harvests: the one change of money that logs nothing.

A transaction that calls harvest, claim or claimFor says in its calldata which DataNets. Of a claim made by a contract
the event says how much, and the DataNets are those whose pending amounts sum to it. A harvest made by a contract is
seen in storage only (rollup/index/earnings.py).
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
    """Whose earnings in which DataNets are moved to the account's credit."""

    account: Address
    datanets: tuple[int, ...]


def harvest_of(transaction: Transaction) -> Harvest | None:
    """What a transaction that succeeded harvested by its calldata; None when it called no such method."""
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
        return None  # calldata no node took: before the activation, for one
    return None


def _harvest(data: bytes, offset: int, account: Address) -> Harvest:
    return Harvest(account, tuple(decode_uint64_array(data, offset)))


def explain_claim(harvested: int, pending: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The DataNets, of (id, whole wei pending), whose amounts sum to what a claim harvested.

    The whole membership first, then the fewest; () when none does or there are too many to try.
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
