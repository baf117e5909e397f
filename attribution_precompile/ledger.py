"""The money: credits, pools, and how an amount goes down a model's lineage (attribution.md section 4).

A pool is a DataNet's: `acc` is what one unit has earned since the beginning, in 2^-64 wei; `remainder`, in 2^-64 wei
too, is what did not divide. A member is owed `units * (acc - paidAcc) >> 64`. The fraction of a wei that a settlement
cannot pay goes back into `remainder`: so at all times, exactly,

    sum of units * (acc - paidAcc) over the members, plus remainder = 2^64 * (paid in - settled)
"""

from typing import Final

from . import gas
from .errors import AMOUNT_OVERFLOW, INVALID_SPLIT, INVALID_WEIGHTS, LINEAGE_TOO_DEEP
from .host import Host
from .layout import (
    BASE_MODEL_SHIFT,
    CREDITS,
    DATANETS,
    FIRST_WEIGHT_SHIFT,
    LINEAGE_BPS_SHIFT,
    MASK_8,
    MASK_16,
    MASK_32,
    MASK_64,
    MASK_96,
    MASK_160,
    MEMBERS,
    MEMBERSHIP,
    MODELS,
    MORE_WEIGHTS,
    PRICE,
    REMAINDER_SHIFT,
    SECOND_WEIGHT_SHIFT,
    SPLIT,
    UNITS_SHIFT,
    WEIGHT_COUNT_SHIFT,
    mapping_slot,
)

MAX_ANCESTORS: Final = 4
MAX_WEIGHTS: Final = 32
ALL_BPS: Final = 10_000
FRACTION: Final = (1 << 64) - 1


def credit(host: Host, account: int, amount: int) -> None:
    """Adds `amount` wei to what the account can claim. Nothing is read or written for 0."""
    if not amount:
        return
    host.charge(gas.MAPPING)
    slot = mapping_slot(account, CREDITS)
    total = host.sload(slot) + amount
    if total >> 256:
        raise AMOUNT_OVERFLOW()
    host.sstore(slot, total)


def pay_pool(host: Host, datanet_id: int, amount: int, owner: int) -> None:
    """Shares `amount` wei among the DataNet's members by units; without units it is the model owner's."""
    if not amount:
        return
    host.charge(gas.MAPPING)
    pool = mapping_slot(datanet_id, DATANETS)
    units = host.sload(pool + MEMBERSHIP) & MASK_96
    if not units:
        credit(host, owner, amount)
        return
    word = host.sload(pool)
    acc, remainder = divmod((amount << 64) + (word >> REMAINDER_SHIFT), units)
    acc += word & MASK_160
    if acc >> 160:
        raise AMOUNT_OVERFLOW()
    host.sstore(pool, remainder << REMAINDER_SHIFT | acc)


def pending_scaled(acc: int, member: int) -> int:
    """What a member (its storage word) is owed by a pool at `acc`, in 2^-64 wei."""
    paid = member & MASK_160
    if paid > acc:
        raise AMOUNT_OVERFLOW()
    return (member >> UNITS_SHIFT) * (acc - paid)


def return_fraction(host: Host, pool: int, acc: int, remainder: int, fraction: int) -> None:
    """Puts the 2^-64 wei that settlements could not pay back into the pool. Nothing is written for 0.

    Should 96 bits not hold the remainder, it is divided among the units at once, as the next payment would have.
    """
    if not fraction:
        return
    remainder += fraction
    if remainder >> 96:
        units = host.sload(pool + MEMBERSHIP) & MASK_96
        if not units:
            raise AMOUNT_OVERFLOW()
        acc += remainder // units
        remainder %= units
        if acc >> 160:
            raise AMOUNT_OVERFLOW()
    host.sstore(pool, remainder << REMAINDER_SHIFT | acc)


def harvest_member(host: Host, datanet_id: int, account: int) -> int:
    """Takes the whole wei the account has earned in the DataNet out of its pool. Without any, nothing is written."""
    host.charge(2 * gas.MAPPING)
    slot = mapping_slot(account, mapping_slot(datanet_id, MEMBERS))
    member = host.sload(slot)
    if not member >> UNITS_SHIFT:
        return 0
    host.charge(gas.MAPPING)
    pool = mapping_slot(datanet_id, DATANETS)
    word = host.sload(pool)
    acc = word & MASK_160
    scaled = pending_scaled(acc, member)
    if not scaled >> 64:
        return 0
    host.sstore(slot, member >> UNITS_SHIFT << UNITS_SHIFT | acc)
    return_fraction(host, pool, acc, word >> REMAINDER_SHIFT, scaled & FRACTION)
    return scaled >> 64


def load_weights(host: Host, model: int, split: int) -> list[int]:
    """A model's default weights, `datanetId << 32 | weight` each, by rising datanetId; `split` is its SPLIT word."""
    count = split >> WEIGHT_COUNT_SHIFT & MASK_8
    if not 0 < count <= MAX_WEIGHTS:
        raise INVALID_WEIGHTS()
    weights = [split >> FIRST_WEIGHT_SHIFT & MASK_96]
    if count > 1:
        weights.append(split >> SECOND_WEIGHT_SHIFT & MASK_96)
        for index in range(2, count, 2):
            word = host.sload(model + MORE_WEIGHTS + (index - 2 >> 1))
            weights.append(word & MASK_96)
            if index + 1 < count:
                weights.append(word >> 96 & MASK_96)
    return weights


def pay_weights(host: Host, weights: list[int], amount: int, owner: int) -> None:
    """`amount` wei, at least 1, to the DataNets' pools by default weight; the last one takes what rounding leaves."""
    if len(weights) == 1:
        if not weights[0] & MASK_32:
            raise INVALID_WEIGHTS()
        pay_pool(host, weights[0] >> 32, amount, owner)
        return
    total = sum([weight & MASK_32 for weight in weights])
    if not total:
        raise INVALID_WEIGHTS()
    left = amount
    for weight in weights[:-1]:
        share = amount * (weight & MASK_32) // total
        left -= share
        pay_pool(host, weight >> 32, share, owner)
    pay_pool(host, weights[-1] >> 32, left, owner)


def check_influence(host: Host, influence: bytes, weights: list[int]) -> tuple[list[int], int]:
    """An influence vector's words and the sum of their weights; InvalidWeights if it breaks a rule of section 4."""
    words = [int.from_bytes(influence[i : i + 32], "big") for i in range(0, len(influence), 32)]
    total = 0
    previous = -1
    index = 0
    last = len(weights) - 1
    for word in words:
        datanet_id = word >> 192
        contributor = word & MASK_160
        key = datanet_id << 160 | contributor
        weight = word >> 160 & MASK_32
        if key <= previous or not weight:
            raise INVALID_WEIGHTS()
        previous = key
        total += weight
        while index < last and weights[index] >> 32 < datanet_id:
            index += 1
        if weights[index] >> 32 != datanet_id:
            raise INVALID_WEIGHTS()
        if contributor:
            host.charge(2 * gas.MAPPING)
            member = host.sload(mapping_slot(contributor, mapping_slot(datanet_id, MEMBERS)))
            if not member >> UNITS_SHIFT:
                raise INVALID_WEIGHTS()
    return words, total


def pay_influence(host: Host, influence: bytes, weights: list[int], amount: int, owner: int) -> None:
    """`amount` wei by an inference's own influence vector: to pools, or to members directly."""
    words, total = check_influence(host, influence, weights)
    left = amount
    final = len(words) - 1
    for position, word in enumerate(words):
        if position == final:
            share = left
        else:
            share = amount * (word >> 160 & MASK_32) // total
            left -= share
        contributor = word & MASK_160
        if contributor:
            credit(host, contributor, share)
        else:
            pay_pool(host, word >> 192, share, owner)


def distribute(host: Host, model: int, owner: int, price: int, split: int, net: int, influence: bytes) -> None:
    """Splits `net` wei of a model (its slot, its owner, its PRICE and SPLIT words) and of its ancestors.

    `influence`, if there is any, replaces the model's default weights, never its ancestors'.
    """
    lineage = _pay_level(host, model, owner, split, net, influence)
    ancestors = 0
    while lineage:
        if ancestors == MAX_ANCESTORS:
            raise LINEAGE_TOO_DEEP(MAX_ANCESTORS + 1, MAX_ANCESTORS)
        ancestors += 1
        host.charge(gas.MAPPING)
        model = mapping_slot(price >> BASE_MODEL_SHIFT & MASK_64, MODELS)
        owner = host.sload(model) & MASK_160
        split = host.sload(model + SPLIT)
        net = lineage
        lineage = _pay_level(host, model, owner, split, net, b"")
        if lineage:
            price = host.sload(model + PRICE)


def _pay_level(host: Host, model: int, owner: int, split: int, net: int, influence: bytes) -> int:
    """Pays the owner's and the data's share of one model; returns the share of its base model."""
    owner_cut = net * (split & MASK_16) // ALL_BPS
    lineage_cut = net * (split >> LINEAGE_BPS_SHIFT & MASK_16) // ALL_BPS
    data_cut = net - owner_cut - lineage_cut
    if data_cut < 0:
        raise INVALID_SPLIT()
    credit(host, owner, owner_cut)
    if influence:
        pay_influence(host, influence, load_weights(host, model, split), data_cut, owner)
    elif data_cut:
        pay_weights(host, load_weights(host, model, split), data_cut, owner)
    return lineage_cut
