"""Figures, by matplotlib (extra: plots). The same data gives the same bytes."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from rollup.economics.breakeven import breakeven_fee
from rollup.economics.builder import GAS_SHARE_BPS, Answer
from rollup.economics.claims import best_rule, cost_rate
from rollup.economics.critical import TakeOff, critical_models
from rollup.economics.demand import UNITS
from rollup.economics.errors import EconomicsError
from rollup.economics.experiment import quantiles
from rollup.economics.fees import gas_share
from rollup.economics.market import Market
from rollup.economics.planted import Found
from rollup.economics.prices import PRESETS
from rollup.economics.route import BATCH, Route, routes
from rollup.economics.sensitivity import Swing
from rollup.economics.supply import Absorption, Schedule, path
from rollup.economics.units import WEI, open_float

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POINTS_PER_DECADE: Final = 8
_CELLS: Final = 48  # of the heat map, each way
_FORMATS: Final = {".svg": "svg", ".png": "png"}


def new_figure(title: str, x: str, y: str) -> tuple["Figure", Any]:
    """A figure with one pair of axes; EconomicsError without matplotlib."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise EconomicsError("figures need matplotlib: pip install 'openrollup[plots]'") from error
    with rc_context({"font.size": 9}):
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(True, alpha=0.3)
    return figure, axes


def format_of(suffix: str) -> str:
    """svg or png, by a file's ending; EconomicsError for another ending."""
    if suffix.lower() not in _FORMATS:
        raise EconomicsError(f"a figure's file ends in .svg or .png, not in {suffix!r}")
    return _FORMATS[suffix.lower()]


def figure_bytes(figure: "Figure", suffix: str) -> bytes:
    """The figure as SVG or PNG; EconomicsError for another ending."""
    from matplotlib import rc_context

    kind = format_of(suffix)
    # A date, a version or a random id in the file would differ from run to run.
    metadata: dict[str, Any] = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    target = io.BytesIO()
    with rc_context({"svg.hashsalt": "openrollup", "svg.fonttype": "path"}):
        figure.savefig(target, format=kind, metadata=metadata, dpi=120)
    return target.getvalue()


def _name(column: str) -> str:
    return column.replace("_", " ")


def _with_unit(column: str) -> str:
    return f"{_name(column)} [{UNITS[column]}]"


def _edges(centers: Sequence[float]) -> NDArray[np.float64]:
    """The edges of cells around the centers of a logarithmic axis."""
    logs = np.log(np.array(centers, dtype=np.float64))
    middles = (logs[1:] + logs[:-1]) / 2
    first, last = (middles[0], middles[-1]) if middles.size else (logs[0] + 0.5, logs[0] + 0.5)
    return np.asarray(
        np.exp(np.concatenate([[2 * logs[0] - first], middles, [2 * logs[-1] - last if middles.size else last]]))
    )


def breakeven_map(answer: Answer) -> "Figure":
    """The least fee with which the model pays, by queries per month and route, and where the model stands."""
    figure, axes = new_figure(f"When does {answer.model.name} pay?", "queries per month", "fee per query [OPEN]")
    top = max(10**6, *(month.queries for month in answer.months))
    decades = len(str(top))
    volumes = sorted({round(10 ** (step / _POINTS_PER_DECADE)) for step in range(decades * _POINTS_PER_DECADE + 1)})
    alike: dict[int, list[Route]] = {}  # routes of which the owner pays the same have the same line
    for route in answer.routes:
        alike.setdefault(route.attributor.total * answer.routes[0].count // route.count, []).append(route)
    for group in alike.values():
        points = [(count, breakeven_fee(count, answer.model.shape, group[0], answer.costs)) for count in volumes]
        known = [(count, open_float(fee)) for count, fee in points if fee]
        names = ", ".join(route.name for route in group)
        axes.loglog([count for count, _ in known], [fee for _, fee in known], label=f"pays above, by {names}")
    asked = [month.queries for month in answer.months]
    axes.loglog(asked, [open_float(answer.model.fee)] * len(asked), "ko", label="asked")
    single = answer.routes[0]
    least = open_float(answer.fee_for_gas_share(single))
    axes.axhline(least, linestyle=":", color="grey", label=f"gas by {single.name} is 5 % of the outlay")
    axes.legend(fontsize=7)
    return figure


def net_map(answer: Answer) -> "Figure":
    """A map of the owner's net of a month by fee and by queries, each paid by `infer`. A line marks the break-even."""
    from matplotlib.colors import SymLogNorm

    found = answer.net_map(_CELLS)
    figure, axes = new_figure(
        f"What {answer.model.name} leaves its owner per month, by {found.route}",
        "queries per month",
        "fee per query [OPEN]",
    )
    asked = [month.queries for month in answer.months]
    fee = answer.model.fee
    volumes, fees = np.array(found.queries), np.array(found.fees, dtype=np.float64)
    net = np.array([[open_float(wei) for wei in row] for row in found.net])
    most = float(np.abs(net).max()) or 1.0
    norm = SymLogNorm(linthresh=most / 10**6, vmin=-most, vmax=most)
    prices = fees / WEI
    mesh = axes.pcolormesh(volumes, prices, net, norm=norm, cmap="RdBu", shading="nearest", rasterized=True)
    figure.colorbar(mesh, ax=axes, label="owner's net [OPEN per month]")
    if net.min() < 0 < net.max():
        axes.contour(volumes, prices, net, levels=[0.0], colors="black")
    axes.loglog(asked, [open_float(fee)] * len(asked), "ko", label="asked")
    axes.legend(fontsize=7)
    return figure


def take_off_map(market: Market, found: TakeOff) -> "Figure":
    """How often a market holds, by the users and models of its first month; the line is where users neither grow nor
    fall, the dot the fixed point."""
    figure, axes = new_figure(
        "From which start a market holds", "users in the first month", "models in the first month"
    )
    shares = 100 * np.array(found.held).T
    across, up = _edges(found.users), _edges(found.models)
    mesh = axes.pcolormesh(across, up, shares, cmap="RdBu", vmin=0, vmax=100, alpha=0.7)
    figure.colorbar(mesh, ax=axes, label="runs in which it holds [%]")
    axes.set_xscale("log")
    axes.set_yscale("log")
    line = [
        (users, critical_models(market, users))
        for users in np.geomspace(across[0], min(across[-1], market.max_users), 100)
    ]
    known = [(users, count) for users, count in line if count]
    if known:
        axes.plot(*zip(*known, strict=True), "k--", label="users neither grow nor fall")
    if found.fixed_point is not None:
        axes.plot(*found.fixed_point, "ko", label="critical mass")
    axes.set_xlim(across[0], across[-1])
    axes.set_ylim(up[0], up[-1])
    if known or found.fixed_point is not None:
        axes.legend(fontsize=7)
    return figure


def claim_ladder(incomes: Mapping[str, float], claim: float, holding: float) -> "Figure":
    """The part of each income [OPEN per month] that is lost, by the months between claims; the dots are the best.

    `claim` is the gas of one claim [OPEN], `holding` the cost of waiting per month.
    """
    figure, axes = new_figure("What claiming costs", "months between claims", "lost of the income [%]")
    intervals = np.geomspace(1 / 30, 120, 200)
    for name, income in incomes.items():
        lost = [100 * cost_rate(float(interval), claim, income, holding) / income for interval in intervals]
        (line,) = axes.loglog(intervals, lost, label=name)
        rule = best_rule(claim, income, holding)
        axes.loglog([rule.interval], [100 * rule.lost], "o", color=line.get_color())
    axes.legend(fontsize=7)
    return figure


def fan_chart(found: Mapping[str, Any], column: str) -> "Figure":
    """A column's quantiles over the runs, month by month."""
    title = f"{_name(column)}: median, 25 to 75 % and 5 to 95 % of the runs"
    figure, axes = new_figure(title, "month", _with_unit(column))
    low, quarter, middle, three_quarters, high = quantiles(found, column)
    months = np.arange(1, middle.size + 1)
    axes.fill_between(months, low, high, alpha=0.2, color="tab:blue")
    axes.fill_between(months, quarter, three_quarters, alpha=0.35, color="tab:blue")
    axes.plot(months, middle, color="tab:blue")
    return figure


def supply_chart(schedule: Schedule, absorption: Absorption, months: int = 60) -> "Figure":
    """A chart of the circulating supply, each month's unlock, and the growth of fees that would absorb the unlock."""
    figure, axes = new_figure("Supply and unlocks", "months since 8 September 2025", "circulating [million OPEN]")
    circulating = path(schedule, months)
    unlocks = np.diff(circulating)
    lines = axes.plot(np.arange(months + 1), circulating, label="circulating (left)")
    right = axes.twinx()  # a month's unlock would not be visible next to the circulating supply
    bars = right.bar(np.arange(1, months + 1), unlocks, color="tab:orange", alpha=0.6, label="unlocked in the month")
    needed = [absorption.needed_growth(float(unlock)) for unlock in unlocks]
    label = "fees per month must grow by this to hold it"
    lines += right.plot(np.arange(1, months + 1), needed, "k:", label=label)
    right.set_ylabel("per month [million OPEN]")
    right.set_ylim(0, 1.6 * float(unlocks.max()))
    axes.set_ylim(0)
    axes.legend(handles=[lines[0], bars, lines[1]], fontsize=7, loc="upper left")
    return figure


def lorenz_curve(amounts: Sequence[int], title: str = "How unequal payers are") -> "Figure":
    """The share of the volume that the smallest payers have together."""
    figure, axes = new_figure(title, "share of payers, smallest first", "share of the volume")
    values = np.sort(np.array(amounts, dtype=np.float64))
    shares = np.concatenate([[0.0], np.cumsum(values) / values.sum() if values.sum() else values])
    axes.plot(np.linspace(0, 1, shares.size), shares)
    axes.plot([0, 1], [0, 1], "k:", label="all equal")
    axes.legend(fontsize=7)
    return figure


def gas_shares(answer: Answer) -> "Figure":
    """The share of a payer's outlay that gas takes, by the fee, at three prices: by one inference and by a batch."""
    figure, axes = new_figure("What gas takes", "fee per query [OPEN]", "gas, of fee and gas together [%]")
    fees = np.geomspace(10**14, WEI, 100)
    for color, prices in zip(("tab:green", "tab:blue", "tab:red"), PRESETS.values(), strict=True):
        for route in routes(answer.profile, answer.model.shape.model.entries, prices):
            if route.name != "infer" and not route.name.startswith(BATCH):
                continue
            shares = [100 * gas_share(route.cost.total, route.count * int(fee)) for fee in fees]
            style = "-" if route.count == 1 else "--"
            axes.loglog(fees / WEI, shares, style, color=color, label=f"{route.name}, {prices.name}")
    axes.axhline(GAS_SHARE_BPS / 100, linestyle=":", color="grey", label=f"{GAS_SHARE_BPS / 100:g} %")
    axes.axvline(open_float(answer.model.fee), color="black", linewidth=0.8, label="asked")
    axes.legend(fontsize=7)
    return figure


def found_noise(rows: Sequence[Found]) -> "Figure":
    """A chart of each kind of planted noise: the part that the rules name, and the cost of a unit for its payer."""
    figure, axes = new_figure("What the rules find of planted noise", "%", "")
    places = np.arange(len(rows))[::-1]
    axes.barh(places + 0.27, [100 * row.found for row in rows], 0.25, color="tab:blue", label="named by the rules")
    axes.barh(places, [100 * row.mistaken for row in rows], 0.25, color="tab:red", label="honest volume named too")
    costs = [100 * row.cost_to_fake for row in rows]
    axes.barh(places - 0.27, costs, 0.25, color="tab:grey", label="cost to fake, of the volume")
    axes.set_yticks(places, [row.kind for row in rows])
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.3, -0.12), ncols=3)
    return figure


def tornado(base: float, swings: Sequence[Swing], column: str) -> "Figure":
    """How far each parameter alone moves a column, the widest on top."""
    figure, axes = new_figure(f"What moves {_name(column)}, one parameter at a time", _with_unit(column), "")
    for place, swing in enumerate(reversed(swings)):  # two bars each: both values may lie on one side
        for value, shift, color, label in ((swing.low, 0.2, "blue", "low"), (swing.high, -0.2, "orange", "high")):
            shown = f"at the {label} value" if place == 0 else None
            axes.barh(place + shift, value - base, 0.38, left=base, color=f"tab:{color}", label=shown)
    names = [f"{swing.name} ({swing.low_value:g} to {swing.high_value:g})" for swing in reversed(swings)]
    axes.set_yticks(range(len(names)), names)
    axes.axvline(base, color="black", linewidth=0.8, label="as the market is")
    axes.margins(x=0.05)
    axes.legend(fontsize=7)
    return figure


def earnings_bars(earned: Mapping[str, float], title: str = "Earnings by contributor") -> "Figure":
    """A bar chart of the accounts' earnings [OPEN], the largest on top."""
    figure, axes = new_figure(title, "OPEN", "")
    ordered = sorted(earned.items(), key=lambda item: (item[1], item[0]))
    axes.barh([name for name, _ in ordered], [amount for _, amount in ordered])
    return figure
