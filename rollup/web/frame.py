"""The frame of the pages as HTML, with the heads of the moment.

The shell has it, so a browser draws the heads before it has the script. The script draws the same frame over it, by
`app/app.js` and `app/parts/strip.js`; a test compares what both write.
"""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

_LINKS: Final = (
    ("", "Explorer"),
    ("studio", "Studio"),
    ("earnings", "Earnings"),
    ("usage", "Usage"),
    ("economics", "Economics"),
    ("control", "Control"),
)
_SEARCH: Final = (
    '<form role="search" class="search"><input name="query" type="search" '
    'aria-label="Search for a block, transaction, address, model or DataNet" placeholder="Search" '
    'title="A block’s number, a hash, an address, model 1 or datanet 1" autocomplete="off" spellcheck="false">'
    '<span class="search-miss" role="status"></span></form>'
)
_UNITS: Final = (
    (90, 1, "s"),
    (5_400, 60, "min"),
    (172_800, 3_600, "h"),
)  # below this many seconds: seconds per unit, the unit's name
_DAY: Final = 86_400


def frame(status: Mapping[str, Any] | None) -> str:
    """The HTML of the frame, without a page in it.

    status: `chains` and `isActive` of openrollup_status; None where the script has to ask for them.
    """
    links = "".join(f'<a href="#/{path}">{name}</a>' for path, name in _LINKS)
    strip = '<span class="quiet">Asking for the heads…</span>' if status is None else _heads(status)
    return (
        '<a class="skip" href="#main">To the content</a>'
        '<header class="top"><div class="bar"><a class="brand" href="#/">openrollup</a>'
        f'<nav aria-label="Pages">{links}</nav>{_SEARCH}</div><div class="strip">{strip}</div></header>'
        '<main id="main" tabindex="-1"></main>'
        '<div class="toasts" role="status" aria-live="polite"></div>'
    )


def _heads(status: Mapping[str, Any]) -> str:
    """The content of the strip."""
    l1, l2, verifier = (status["chains"][name] for name in ("l1", "l2", "verifier"))
    is_on = status["isActive"].get("sequencer")
    is_verified = status["isVerifierEqual"] is not None
    verdict = f'<span class="verdict{_verdict(l2["safe"], verifier["safe"])}</span>' if is_verified else ""
    switch = (
        f'<span class="figure"><span class="label">sequencer</span> {"on" if is_on else "<strong>off</strong>"}</span>'
    )
    return "".join(
        [
            f'<div class="layer"><span class="tag">L1</span>{_figure("head", "l1", l1["unsafe"])}',
            f"{_figure('safe', 'l1', l1['safe'])}{_figure('final', 'l1', l1['finalized'])}</div>",
            f'<div class="layer"><span class="tag">L2</span>{_figure("unsafe", "l2", l2["unsafe"])}',
            f"{_figure('safe', 'l2', l2['safe'], _lag(l2))}{_figure('final', 'l2', l2['finalized'])}</div>",
            f'<div class="layer grow">{verdict}',
            "</div>" if is_on is None else f"{switch}</div>",
            '<button type="button" class="pause" title="Live updates of this page" aria-pressed="false">Pause</button>',
        ]
    )


def _figure(label: str, layer: str, head: Mapping[str, Any], note: str = "") -> str:
    """A head, with its name before it."""
    number = head["number"]
    after = f'<span class="quiet"> {note}</span>' if note else ""
    return (
        f'<span class="figure"><span class="label">{label}</span> '
        f'<a href="#/{layer}/block/{number}">#{number:,}</a>{after}</span>'
    )


def _lag(heads: Mapping[str, Any]) -> str:
    """How far the safe head is behind the head."""
    head, safe = heads["unsafe"], heads["safe"]
    blocks = head["number"] - safe["number"]
    return f"{blocks} behind, {_span(head['timestamp'] - safe['timestamp'])}" if blocks > 0 else "at the head"


def _span(seconds: int) -> str:
    """A duration in the unit that suits it, rounded half up."""
    seconds = max(0, seconds)
    size, unit = next(((size, unit) for limit, size, unit in _UNITS if seconds < limit), (_DAY, "d"))
    return f"{(2 * seconds + size) // (2 * size)} {unit}"


def _verdict(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """The verifier's word, behind the class of its element: the script asks where the safe heads are not the same."""
    label = '<span class="label">verifier</span>'
    if ours["hash"] != theirs["hash"]:
        return f'">{label} has not answered yet'
    name = escape(ours["hash"])
    return (
        f' is-equal" title="{name}">{label} <span class="mark" aria-hidden="true">✓</span> '
        f'equal at #{ours["number"]:,} <span class="mono quiet">{name[:6]}…{name[-2:]}</span>'
    )
