"""The money: credits, pools, and the division of an amount along a model's lineage (docs/attribution.md).

Each DataNet has a pool. `acc` is what one unit has earned since the beginning, in 2^-64 wei. `remainder` is what could
not be divided, also in 2^-64 wei. A member is owed `units * (acc - paidAcc) >> 64`. The fraction of a wei that a
settlement cannot pay goes back into `remainder`. So this holds exactly, at any time:

    sum of units * (acc - paidAcc) over the members, plus remainder = 2^64 * (paid in - settled)
"""

from typing import Final

from .errors import AMOUNT_OVERFLOW, INVALID_SPLIT, INVALID_WEIGHTS, LINEAGE_TOO_DEEP
from .host import Host
from .layout import CREDITS, DATANETS, MEMBERS, MEMBERSHIP, MODELS, MORE_WEIGHTS, PRICE, SPLIT
from .words import (
    cached,
    pack_member,
    pack_pool,
    total_units,
    unpack_influence,
    unpack_member,
    unpack_owner,
    unpack_pool,
    unpack_price,
    unpack_shares,
    unpack_weight,
    unpack_weight_pair,
    unpack_weights,
)

MAX_ANCESTORS: Final = 4
MAX_WEIGHTS: Final = 32
ALL_BPS: Final = 10_000
FRACTION: Final = (1 << 64) - 1

# Default weights: pairs of a DataNet's id and its relative weight.
Weights = tuple[tuple[int, int], ...]


def credit(host: Host, account: int, amount: int) -> None:
    """Adds `amount` wei to the credit of an account. For 0 nothing is read or written."""
    if not amount:
        return
    slot = host.mapping(account, CREDITS)
    total = host.sload(slot) + amount
    if total >> 256:
        raise AMOUNT_OVERFLOW()
    host.sstore(slot, total)


def pay_pool(host: Host, datanet_id: int, amount: int, owner: int) -> None:
    """Divides `amount` wei among the DataNet's members by units. Without units it goes to the model's owner."""
    if not amount:
        return
    pool = host.mapping(datanet_id, DATANETS)
    units = total_units(host.sload(pool + MEMBERSHIP))
    if not units:
        credit(host, owner, amount)
        return
    acc, remainder = unpack_pool(host.sload(pool))
    earned, remainder = divmod((amount << 64) + remainder, units)
    acc += earned
    if acc >> 160:
        raise AMOUNT_OVERFLOW()
    host.sstore(pool, pack_pool(acc, remainder))


def pending_scaled(acc: int, paid_acc: int, units: int) -> int:
    """The debt of a pool at `acc` to a member with these units that was paid up to `paid_acc`, in 2^-64 wei."""
    if paid_acc > acc:
        raise AMOUNT_OVERFLOW()
    return units * (acc - paid_acc)


def return_fraction(host: Host, pool: int, acc: int, remainder: int, fraction: int) -> None:
    """Puts the 2^-64 wei that settlements could not pay back into the pool. Nothing is written for 0.

    If the remainder does not fit into 96 bits, it is divided among the units at once, as the next payment would do.
    """
    if not fraction:
        return
    remainder += fraction
    if remainder >> 96:
        units = total_units(host.sload(pool + MEMBERSHIP))
        if not units:
            raise AMOUNT_OVERFLOW()
        acc += remainder // units
        remainder %= units
        if acc >> 160:
            raise AMOUNT_OVERFLOW()
    host.sstore(pool, pack_pool(acc, remainder))


def harvest_member(host: Host, datanet_id: int, account: int) -> int:
    """Takes the whole wei that the account has earned in the DataNet out of its pool. Below one wei nothing is
    written.
    """
    slot = host.mapping(account, host.mapping(datanet_id, MEMBERS))
    paid_acc, units = unpack_member(host.sload(slot))
    if not units:
        return 0
    pool = host.mapping(datanet_id, DATANETS)
    acc, remainder = unpack_pool(host.sload(pool))
    scaled = pending_scaled(acc, paid_acc, units)
    if not scaled >> 64:
        return 0
    host.sstore(slot, pack_member(acc, units))
    return_fraction(host, pool, acc, remainder, scaled & FRACTION)
    return scaled >> 64


def load_weights(host: Host, model_slot: int, split: int) -> Weights:
    """A model's default weights in order of DataNet id. `split` is its SPLIT word."""
    count, weights = _first_weights(split)
    if count == len(weights):
        return weights
    packed: list[int] = []
    for index in range(count - 1 >> 1):
        packed += unpack_weight_pair(host.sload(model_slot + MORE_WEIGHTS + index))
    return (*weights, *[unpack_weight(weight) for weight in packed[: count - len(weights)]])


@cached
def _first_weights(split: int) -> tuple[int, Weights]:
    """The number of a model's default weights, and the first two of them, which are in its SPLIT word."""
    count, first, second = unpack_weights(split)
    if not 0 < count <= MAX_WEIGHTS:
        raise INVALID_WEIGHTS()
    return count, (unpack_weight(first), unpack_weight(second))[:count]


def pay_weights(host: Host, weights: Weights, amount: int, owner: int) -> None:
    """Divides `amount` wei, at least 1, among the DataNets by default weight. The last one gets what rounding
    leaves.
    """
    if len(weights) == 1:
        datanet_id, total = weights[0]
        if not total:
            raise INVALID_WEIGHTS()
        pay_pool(host, datanet_id, amount, owner)
        return
    total = sum([weight for _, weight in weights])
    if not total:
        raise INVALID_WEIGHTS()
    left = amount
    for datanet_id, weight in weights[:-1]:
        share = amount * weight // total
        left -= share
        pay_pool(host, datanet_id, share, owner)
    pay_pool(host, weights[-1][0], left, owner)


def check_influence(host: Host, influence: bytes, weights: Weights) -> tuple[list[tuple[int, int, int]], int]:
    """The entries of an influence vector and the sum of their weights.

    An entry is the DataNet's id, the weight and the contributor (0 for the pool). Raises InvalidWeights if the vector
    breaks a rule of docs/attribution.md.
    """
    entries = [unpack_influence(int.from_bytes(influence[i : i + 32], "big")) for i in range(0, len(influence), 32)]
    total = 0
    previous = -1
    index = 0
    last = len(weights) - 1
    for datanet_id, weight, contributor in entries:
        key = datanet_id << 160 | contributor
        if key <= previous or not weight:
            raise INVALID_WEIGHTS()
        previous = key
        total += weight
        while index < last and weights[index][0] < datanet_id:
            index += 1
        if weights[index][0] != datanet_id:
            raise INVALID_WEIGHTS()
        if contributor:
            _, units = unpack_member(host.sload(host.mapping(contributor, host.mapping(datanet_id, MEMBERS))))
            if not units:
                raise INVALID_WEIGHTS()
    return entries, total


def pay_influence(host: Host, influence: bytes, weights: Weights, amount: int, owner: int) -> None:
    """Divides `amount` wei by the influence vector of an inference, among pools and members."""
    entries, total = check_influence(host, influence, weights)
    left = amount
    final = len(entries) - 1
    for position, (datanet_id, weight, contributor) in enumerate(entries):
        if position == final:
            share = left
        else:
            share = amount * weight // total
            left -= share
        if contributor:
            credit(host, contributor, share)
        else:
            pay_pool(host, datanet_id, share, owner)


def distribute(host: Host, model_slot: int, owner: int, base_model_id: int, net: int, influence: bytes) -> None:
    """Divides `net` wei among a model's owner, its data, and its ancestors.

    A non-empty `influence` replaces the default weights of the model, but not those of its ancestors.
    """
    lineage = _pay_level(host, model_slot, owner, net, influence)
    ancestors = 0
    while lineage:
        if ancestors == MAX_ANCESTORS:
            raise LINEAGE_TOO_DEEP(MAX_ANCESTORS + 1, MAX_ANCESTORS)
        ancestors += 1
        model_slot = host.mapping(base_model_id, MODELS)
        owner, _ = unpack_owner(host.sload(model_slot))
        lineage = _pay_level(host, model_slot, owner, lineage, b"")
        if lineage:
            _, _, base_model_id = unpack_price(host.sload(model_slot + PRICE))


def _pay_level(host: Host, model_slot: int, owner: int, net: int, influence: bytes) -> int:
    """Pays the owner's and the data's share of one model. Returns the share of its base model in wei."""
    split = host.sload(model_slot + SPLIT)
    owner_bps, lineage_bps, _ = unpack_shares(split)
    owner_cut = net * owner_bps // ALL_BPS
    lineage_cut = net * lineage_bps // ALL_BPS
    data_cut = net - owner_cut - lineage_cut
    if data_cut < 0:
        raise INVALID_SPLIT()
    credit(host, owner, owner_cut)
    if influence:
        pay_influence(host, influence, load_weights(host, model_slot, split), data_cut, owner)
    elif data_cut:
        pay_weights(host, load_weights(host, model_slot, split), data_cut, owner)
    return lineage_cut
