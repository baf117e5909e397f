"""Real or noise: exact identities first (who paid whom), labels second (rules with a version, for each pair of payer
and model). A label is a suspicion, never a proof; docs/economics-simulations.md names what it cannot see.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

VERSION: Final = 2
RULES: Final = ("R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9")
CLASSES: Final = ("self-paid", "linked", "suspected", "unattributed batch", "independent")
_HUB_ACCOUNTS: Final = 50
_CYCLE: Final = 5  # payers and owners in a circle of R3, at most
_DAY, _HOUR = 86_400, 3_600  # seconds


@dataclass(slots=True, frozen=True)
class Paid:
    """One inference record: accounts in hex, fee and gas in wei, time in unix seconds. `credits` are wei by account,
    pools by units at that block."""

    model: int
    payer: str
    fee: int
    gas: int
    time: int
    request: str
    response: str
    tokens: tuple[int, int]
    count: int
    credits: Mapping[str, int]


@dataclass(slots=True, frozen=True)
class Transfer:
    """Plain money between accounts, or a claim of one model's money to itself."""

    sender: str
    recipient: str
    amount: int
    time: int


@dataclass(slots=True, frozen=True)
class World:
    """The input of the rules. `roles` are the accounts with an interest in a model, `owners` its owner,
    `attributors` who may send its batches, `claims` when accounts were paid out, `hubs` who funds everybody."""

    paid: Sequence[Paid]
    roles: Mapping[int, frozenset[str]]
    owners: Mapping[int, str]
    attributors: Mapping[int, str]
    transfers: Sequence[Transfer] = ()
    claims: Mapping[str, Sequence[int]] = field(default_factory=dict)
    hubs: frozenset[str] = frozenset()


@dataclass(slots=True, frozen=True)
class Pair:
    """A payer at a model: volume and gas [wei], the part that came back, the rules that hold, its class."""

    model: int
    payer: str
    inferences: int
    volume: int
    gas: int
    returned: int
    rules: tuple[str, ...]
    label: str

    @property
    def return_fraction(self) -> float:
        """rho: what came back to the payer's cluster of what it paid."""
        return self.returned / self.volume if self.volume else 0.0

    @property
    def cost_to_fake(self) -> float:
        """The cost of a unit of this volume for its payer: 1 - rho + g / F."""
        return 1 - self.return_fraction + self.gas / self.volume if self.volume else 0.0


def clusters(world: World) -> dict[str, str]:
    """Each account's cluster: joined by the first transfer that funded it, and by transfers both ways; hubs join
    nobody. An account that funds more than 50 others is a hub, unless it has a role at a model."""
    funded = Counter(item.sender for item in world.transfers)
    interested = frozenset[str]().union(*world.roles.values())
    hubs = world.hubs | ({account for account, count in funded.items() if count > _HUB_ACCOUNTS} - interested)
    parent: dict[str, str] = {}

    def find(account: str) -> str:
        parent.setdefault(account, account)
        while parent[account] != account:
            parent[account] = parent[parent[account]]
            account = parent[account]
        return account

    seen: set[str] = set()
    pairs = {(item.sender, item.recipient) for item in world.transfers}
    for item in sorted(world.transfers, key=lambda transfer: transfer.time):
        is_first = item.recipient not in seen
        seen.add(item.recipient)
        both_ways = (item.recipient, item.sender) in pairs
        if item.sender not in hubs and item.recipient not in hubs and (is_first or both_ways):
            parent[find(item.sender)] = find(item.recipient)
    accounts = {item.payer for item in world.paid}.union(*world.roles.values(), *(item.credits for item in world.paid))
    return {account: find(account) for account in sorted(accounts)}


def label(world: World) -> list[Pair]:
    """Every pair of payer and model with its rules and its class, by volume.

    >>> item = Paid(1, "0xa", 10**16, 10**14, 0, "0x1", "0x2", (1, 1), 1, {"0xa": 10**16})
    >>> (pair,) = label(World([item], {1: frozenset({"0xa"})}, {1: "0xa"}, {}))
    >>> pair.label
    'self-paid'
    """
    cluster = clusters(world)
    grouped: dict[tuple[int, str], list[Paid]] = defaultdict(list)
    for item in world.paid:
        grouped[item.model, item.payer].append(item)
    payers: dict[int, set[str]] = defaultdict(set)
    for model, payer in grouped:
        payers[model].add(payer)
    volumes = Counter[tuple[str, str]]()
    totals = Counter[str]()
    for item in world.paid:
        volumes[item.payer, world.owners.get(item.model, "")] += item.fee
        totals[item.payer] += item.fee
    spends = _spends(volumes, totals)
    cohorts = _cohorts(world, grouped)
    found = []
    for (model, payer), items in sorted(grouped.items()):
        rules = [
            name
            for name, holds in (
                ("R1", payer in world.roles.get(model, frozenset())),
                ("R2", _is_linked(world, cluster, model, payer)),
                ("R3", _is_reciprocal(spends, world.owners.get(model, ""), payer)),
                ("R4", _repeats(items)),
                ("R5", _is_uniform(items)),
                ("R6", _is_regular(items)),
                ("R7", (model, payer) in cohorts),
                ("R8", _is_heavy(items, len(payers[model]))),
                ("R9", _is_recycled(world, items, payer)),
            )
            if holds
        ]
        found.append(_pair(world, cluster, model, payer, items, rules))
    return sorted(found, key=lambda pair: (-pair.volume, pair.model, pair.payer))


def _pair(
    world: World, cluster: Mapping[str, str], model: int, payer: str, items: Sequence[Paid], rules: list[str]
) -> Pair:
    home = cluster.get(payer)
    returned = sum(amount for item in items for account, amount in item.credits.items() if cluster.get(account) == home)
    is_batch = payer == world.attributors.get(model) and any(item.count > 1 for item in items)
    return Pair(
        model,
        payer,
        sum(item.count for item in items),
        sum(item.fee for item in items),
        sum(item.gas for item in items),
        returned,
        tuple(rules),
        _class(rules, is_batch),
    )


def _class(rules: Sequence[str], is_batch: bool) -> str:
    if is_batch and "R2" not in rules[1:]:
        return "unattributed batch" if set(rules) <= {"R1", "R2", "R8"} else "suspected"
    if "R1" in rules:
        return "self-paid"
    if "R2" in rules:
        return "linked"
    return "suspected" if len(rules) >= 2 else "independent"


def _is_linked(world: World, cluster: Mapping[str, str], model: int, payer: str) -> bool:
    roles = world.roles.get(model, frozenset())
    return payer not in roles and cluster.get(payer) in {cluster.get(account) for account in roles}


def _spends(volumes: Mapping[tuple[str, str], int], totals: Mapping[str, int]) -> Mapping[str, Sequence[str]]:
    """The owners, by payer, at whose models the payer spends at least 30 % of its money: three at most."""
    found: dict[str, list[str]] = defaultdict(list)
    for (payer, owner), volume in sorted(volumes.items()):
        if owner and owner != payer and volume and 10 * volume >= 3 * totals[payer]:
            found[payer].append(owner)
    return found


def _is_reciprocal(spends: Mapping[str, Sequence[str]], owner: str, payer: str) -> bool:
    """The owner's money comes back to the payer: in at most four payments, each at least 30 % of what that payer
    spends, to owners of models."""
    reached = {owner} - {payer, ""}
    for _ in range(_CYCLE - 1):
        reached = {back for account in reached for back in spends.get(account, ())}
        if payer in reached:
            return True
    return False


def _repeats(items: Sequence[Paid]) -> bool:
    """Whether more than 90 % of at least 20 inferences have one request, or have one response. Missing hashes do not
    count.
    """
    for values in ([item.request for item in items], [item.response for item in items]):
        known = [value for value in values if value.strip("0x")]
        if len(known) >= 20 and Counter(known).most_common(1)[0][1] > 0.9 * len(known):
            return True
    return False


def _is_uniform(items: Sequence[Paid]) -> bool:
    return len(items) >= 20 and len({(item.fee, item.tokens) for item in items}) == 1


def _is_regular(items: Sequence[Paid]) -> bool:
    """Whether at least 30 gaps have a coefficient of variation below 0.1; independent users have about 1."""
    gaps = np.diff(np.sort([item.time for item in items])).astype(np.float64)
    return bool(gaps.size >= 30 and gaps.mean() > 0 and gaps.std() / gaps.mean() < 0.1)


def _is_heavy(items: Sequence[Paid], payers: int) -> bool:
    count = sum(item.count for item in items)
    return (count >= 1_000 and payers <= 2) or count >= 20_000


def _is_recycled(world: World, items: Sequence[Paid], payer: str) -> bool:
    """The payer was paid out within a day before it paid."""
    return any(0 <= item.time - claim <= _DAY for claim in world.claims.get(payer, ()) for item in items)


def _cohorts(world: World, grouped: Mapping[tuple[int, str], Sequence[Paid]]) -> set[tuple[int, str]]:
    """Groups of five payers or more of one model with one funder, who began in one hour and paid equally often."""
    funder: dict[str, str] = {}
    for item in sorted(world.transfers, key=lambda transfer: transfer.time):
        funder.setdefault(item.recipient, item.sender)
    groups: dict[tuple[int, str, int, int], list[str]] = defaultdict(list)
    for (model, payer), items in grouped.items():
        if payer in funder:
            start = min(item.time for item in items) // _HOUR
            groups[model, funder[payer], start, sum(item.count for item in items)].append(payer)
    return {(key[0], payer) for key, payers in groups.items() if len(payers) >= 5 for payer in payers}


def independent_volume(pairs: Sequence[Pair]) -> int:
    """V_ind [wei]: what did not come back to those who paid."""
    return sum(pair.volume - pair.returned for pair in pairs)
