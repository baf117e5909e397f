"""The recipients of an inference's fee: every credit along the lineage, in order (docs/attribution.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rollup.index.rows import ModelRow, PlatformRow
from rollup.protocol.primitives import Address

PLATFORM, OWNER, MEMBER, POOL, EMPTY_POOL = "platform", "owner", "member", "pool", "emptyPool"
_ALL_BPS = 10_000
_WEIGHT_SIZE = 12
_MASK_32, _MASK_160 = (1 << 32) - 1, (1 << 160) - 1


@dataclass(slots=True)
class Credit:
    """Wei to an account, or to a DataNet's pool. `model` is the model in the lineage whose share was divided.

    Roles: platform; owner; member (named by the influence vector); pool; emptyPool (a pool without units, whose share
    is the owner's).
    """

    model: int
    role: str
    account: Address | None
    datanet: int | None
    amount: int


@lru_cache(maxsize=4096)
def unpack_weights(packed: bytes) -> tuple[tuple[int, int, None], ...]:
    """Default weights as (DataNet, weight, no contributor), in order of DataNet."""
    return tuple(
        (int.from_bytes(packed[at : at + 8], "big"), int.from_bytes(packed[at + 8 : at + 12], "big"), None)
        for at in range(0, len(packed), _WEIGHT_SIZE)
    )


def credits_of(
    platform: PlatformRow,
    models: Callable[[int], ModelRow],
    has_units: Callable[[int], bool],
    model_id: int,
    fee: int,
    influence: bytes,
) -> list[Credit]:
    """The credits of one inference. Credits of 0 wei are left out, as on the chain."""
    cut = fee * platform.bps // _ALL_BPS
    found = [Credit(model_id, PLATFORM, platform.treasury, None, cut)]
    net = fee - cut
    while model_id:
        model = models(model_id)
        owner_cut = net * model.owner_bps // _ALL_BPS
        lineage_cut = net * model.lineage_bps // _ALL_BPS
        found.append(Credit(model_id, OWNER, model.owner, None, owner_cut))
        shares: Sequence[tuple[int, int, Address | None]]
        shares = _by_influence(influence) if influence else unpack_weights(model.weights)
        for datanet, account, share in _divide(net - owner_cut - lineage_cut, shares):
            if account is not None:
                found.append(Credit(model_id, MEMBER, account, datanet, share))
            elif not share or has_units(datanet):
                found.append(Credit(model_id, POOL, None, datanet, share))
            else:
                found.append(Credit(model_id, EMPTY_POOL, model.owner, datanet, share))
        influence = b""
        net, model_id = lineage_cut, model.base if lineage_cut else 0
    return [credit for credit in found if credit.amount]


def _by_influence(influence: bytes) -> list[tuple[int, int, Address | None]]:
    words = [int.from_bytes(influence[at : at + 32], "big") for at in range(0, len(influence), 32)]
    return [
        (word >> 192, word >> 160 & _MASK_32, (word & _MASK_160).to_bytes(20, "big") if word & _MASK_160 else None)
        for word in words
    ]


def _divide(amount: int, shares: Sequence[tuple[int, int, Address | None]]) -> list[tuple[int, Address | None, int]]:
    """Parts by weight, rounded down. The last one gets the rest."""
    if len(shares) == 1:
        return [(shares[0][0], shares[0][2], amount)]
    total = sum(weight for _, weight, _ in shares)
    parts, left = [], amount
    for datanet, weight, account in shares[:-1]:
        part = amount * weight // total
        left -= part
        parts.append((datanet, account, part))
    parts.append((shares[-1][0], shares[-1][2], left))
    return parts
