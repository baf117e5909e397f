"""Where all OPEN is, month by month, in wei: a balance sheet whose sides are equal to the wei (V13)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rollup.economics.errors import EconomicsError
from rollup.economics.shape import Shape
from rollup.economics.split import split


@dataclass(slots=True, frozen=True)
class Sheet:
    """Wei: minted so far = held by users + fee vaults + credits and pools not claimed + escrow + withdrawn to L1."""

    minted: int = 0
    held: int = 0
    vaults: int = 0
    pools: int = 0
    escrow: int = 0
    withdrawn: int = 0

    @property
    def difference(self) -> int:
        """Minted less everything that there is [wei]: 0 in a right book."""
        return self.minted - self.held - self.vaults - self.pools - self.escrow - self.withdrawn


@dataclass(slots=True, frozen=True)
class Flow:
    """A month's flows in wei: minted to holders, inferences and the fee of each, gas, escrow opened and settled. Basis
    points of what is claimable are claimed, and of what is held withdrawn."""

    minted: int
    inferences: int
    fee: int
    gas: int
    escrow_opened: int = 0
    escrow_settled: int = 0
    claimed_bps: int = 5_000
    withdrawn_bps: int = 0


def after(sheet: Sheet, flow: Flow, shape: Shape) -> Sheet:
    """The sheet a month later. EconomicsError for flows that nobody could pay."""
    parts = split(flow.fee, shape).times(flow.inferences)
    held = sheet.held + flow.minted - parts.fee - flow.gas - flow.escrow_opened
    escrow = sheet.escrow + flow.escrow_opened - flow.escrow_settled
    if held < 0 or escrow < 0:
        raise EconomicsError("a month's fees, gas and escrow are more than there is")
    pools = sheet.pools + parts.platform + parts.owner + parts.lineage + parts.data + flow.escrow_settled
    claimed = pools * flow.claimed_bps // 10_000
    withdrawn = (held + claimed) * flow.withdrawn_bps // 10_000
    return replace(
        sheet,
        minted=sheet.minted + flow.minted,
        held=held + claimed - withdrawn,
        vaults=sheet.vaults + flow.gas,
        pools=pools - claimed,
        escrow=escrow,
        withdrawn=sheet.withdrawn + withdrawn,
    )


def sheets(flows: Sequence[Flow], shape: Shape, first: Sheet | None = None) -> list[Sheet]:
    """The sheets after each month.

    >>> month = Flow(minted=10**21, inferences=1_000, fee=10**16, gas=10**15)
    >>> [sheet.difference for sheet in sheets([month, month], Shape())]
    [0, 0]
    """
    found, sheet = [], first or Sheet()
    for flow in flows:
        sheet = after(sheet, flow, shape)
        found.append(sheet)
    return found
