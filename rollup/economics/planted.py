"""Planted noise: a market in which an owner fakes a part of its model's volume, and what the rules find of it.

The result for the first three kinds is circular: such noise is what the rules look for. The last kind is an adversary
who reads the rules. All behaviour is an assumption.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rollup.economics.errors import EconomicsError
from rollup.economics.noise import Paid, Transfer, World, label
from rollup.economics.shape import Shape
from rollup.economics.split import split

KINDS: Final = ("own account", "funded wallets", "script through an exchange", "careful wallets through an exchange")
_HONEST, _FAKES = 40, 5  # payers
_FEE: Final = 125 * 10**14  # wei
_GAS: Final = 98 * 10**13  # wei, `infer` at op-parity
_MONTH: Final = 30 * 86_400
_MODEL: Final = 1
_OWNER, _EXCHANGE, _DATA, _TREASURY = "owner", "exchange", "contributors", "treasury"


@dataclass(slots=True, frozen=True)
class Found:
    """One kind of noise, means over the runs: the part of its volume that the rules name, the part of honest volume
    that they name too, and what a unit of faked volume cost."""

    kind: str
    found: float
    mistaken: float
    cost_to_fake: float


def found_by_kind(share: float = 0.3, runs: int = 20, seed: int = 1) -> list[Found]:
    """Each kind by itself as `share` (0 to 1) of a model's volume. EconomicsError for an impossible share.

    >>> [0 <= row.found <= 1 for row in found_by_kind(runs=1)]
    [True, True, True, True]
    """
    if not 0 < share < 1 or runs < 1:
        raise EconomicsError("a share of noise above 0 and below 1 and at least one run are expected")
    return [_found(kind, share, np.random.SeedSequence(seed).spawn(runs)) for kind in KINDS]


def _found(kind: str, share: float, seeds: Sequence[np.random.SeedSequence]) -> Found:
    rows = np.array([_measured(planted_world(kind, share, np.random.default_rng(seed))) for seed in seeds])
    found, mistaken, cost = rows.mean(axis=0)
    return Found(kind, float(found), float(mistaken), float(cost))


def _measured(world: World) -> tuple[float, float, float]:
    pairs = label(world)
    fakes = [pair for pair in pairs if not pair.payer.startswith("honest")]
    volume = sum(pair.volume for pair in fakes)
    honest = sum(pair.volume for pair in pairs) - volume
    named = sum(pair.volume for pair in fakes if pair.label != "independent")
    mistaken = sum(pair.volume for pair in pairs if pair.label != "independent") - named
    # The owner knows its wallets, also those that no rule can link: what comes back to it is its share.
    credits = _credits()
    cost = 1 - credits[_OWNER] / _FEE + sum(pair.gas for pair in fakes) / volume
    return named / volume, mistaken / honest, cost


def planted_world(kind: str, share: float, rng: np.random.Generator) -> World:
    """A month of one model: honest payers, who come at random and pay by length, and fakes of one kind."""
    paid = [item for number in range(_HONEST) for item in _honest(f"honest {number}", rng)]
    target = share / (1 - share) * sum(item.fee for item in paid)
    fakes = [_OWNER] if kind == KINDS[0] else [f"fake {number}" for number in range(_FAKES)]
    is_script = kind == KINDS[2]
    for number in range(round(target / _FEE)):
        payer = fakes[number % len(fakes)]
        time = number * 600 if is_script else int(rng.integers(_MONTH))
        paid.append(_paid(payer, time, None if is_script else rng))
    source = _OWNER if kind == KINDS[1] else _EXCHANGE
    everybody = [f"honest {number}" for number in range(_HONEST)]
    transfers = [Transfer(_EXCHANGE, payer, 10**18, 0) for payer in everybody]
    transfers += [Transfer(source, payer, 10**18, 0) for payer in fakes if payer != _OWNER]
    return World(
        paid,
        {_MODEL: frozenset({_OWNER, _DATA})},
        {_MODEL: _OWNER},
        {_MODEL: _OWNER},
        transfers,
        hubs=frozenset({_EXCHANGE}),
    )


def _honest(payer: str, rng: np.random.Generator) -> Iterator[Paid]:
    for _ in range(1 + int(rng.negative_binomial(0.5, 0.05))):
        yield _paid(payer, int(rng.integers(_MONTH)), rng)


def _paid(payer: str, time: int, rng: np.random.Generator | None) -> Paid:
    """One inference; of a random question with `rng`, always of the same question without."""
    tokens = (812, 640) if rng is None else (int(rng.integers(50, 2_000)), int(rng.integers(50, 2_000)))
    request = "0x01" if rng is None else f"0x{int(rng.integers(2**62)):x}"
    return Paid(_MODEL, payer, _FEE, _GAS, time, request, request, tokens, 1, _credits())


def _credits() -> dict[str, int]:
    shares = split(_FEE, Shape())
    return {_OWNER: shares.owner + shares.lineage, _DATA: shares.data, _TREASURY: shares.platform}
