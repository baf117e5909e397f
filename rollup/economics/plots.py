"""Figures, by matplotlib (extra: plots). The same data gives the same bytes."""

import io
from typing import TYPE_CHECKING, Any, Final

from rollup.economics.breakeven import breakeven_fee
from rollup.economics.builder import Answer
from rollup.economics.errors import EconomicsError
from rollup.economics.units import open_float

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POINTS_PER_DECADE: Final = 8
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


def figure_bytes(figure: "Figure", suffix: str) -> bytes:
    """The figure as SVG or PNG; EconomicsError for another ending."""
    if suffix.lower() not in _FORMATS:
        raise EconomicsError(f"a figure's file ends in .svg or .png, not in {suffix!r}")
    from matplotlib import rc_context

    kind = _FORMATS[suffix.lower()]
    # A date, a version or a random id in the file would differ from run to run.
    metadata: dict[str, Any] = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    target = io.BytesIO()
    with rc_context({"svg.hashsalt": "openrollup", "svg.fonttype": "path"}):
        figure.savefig(target, format=kind, metadata=metadata, dpi=120)
    return target.getvalue()


def breakeven_map(answer: Answer) -> "Figure":
    """The least fee with which the model pays, by queries per month and route, and where the model stands."""
    figure, axes = new_figure(f"When does {answer.model.name} pay?", "queries per month", "fee per query [OPEN]")
    top = max(10**6, *(month.queries for month in answer.months))
    decades = len(str(top))
    volumes = sorted({round(10 ** (step / _POINTS_PER_DECADE)) for step in range(decades * _POINTS_PER_DECADE + 1)})
    for route in answer.routes:
        points = [(count, breakeven_fee(count, answer.model.shape, route, answer.costs)) for count in volumes]
        known = [(count, open_float(fee)) for count, fee in points if fee]
        axes.loglog([count for count, _ in known], [fee for _, fee in known], label=f"pays above, by {route.name}")
    asked = [month.queries for month in answer.months]
    axes.loglog(asked, [open_float(answer.model.fee)] * len(asked), "ko", label="asked")
    single = answer.routes[0]
    least = open_float(answer.fee_for_gas_share(single))
    axes.axhline(least, linestyle=":", color="grey", label=f"gas by {single.name} is 5 % of the outlay")
    axes.legend(fontsize=7)
    return figure
