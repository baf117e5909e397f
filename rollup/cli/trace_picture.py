"""A traced answer as a picture: each span in its contributor's colour, and a legend. Same input, same bytes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from attribution_precompile.influence import Span
from rollup.cli.safe_text import SafeConsole
from rollup.printable_text import printable

_SVG_WIDTH: Final = 96
# Distinguishable without red and green, and black text is readable on each of them.
_COLOURS: Final = ("#f0a35e", "#7db7e8", "#8fd19e", "#e8d36b", "#d6a3dc", "#e58f8f", "#7fd4cf", "#c4b59d")
# rich's own format, without its fonts from the network: a picture that asks nobody for anything.
_SVG_FORMAT: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: "Fira Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


@dataclass(slots=True, frozen=True)
class Author:
    """Whose spans: an address in hex, a name where one is known, the titles quoted, and the share of the weights."""

    address: str
    name: str
    titles: tuple[str, ...]
    tokens: int
    spans: int
    percent: float


def picture(
    output: str, spans: Sequence[Span], span_authors: Sequence[int], authors: Sequence[Author]
) -> RenderableType:
    """The answer and its legend; `span_authors` has each span's index among the authors."""
    data = output.encode()
    text = Text()
    position = 0
    for span, author in zip(spans, span_authors, strict=True):
        text.append(data[position : span.start].decode())
        text.append(data[span.start : span.end].decode(), f"#000000 on {_colour(author)}")
        # The number gives the same information without colours.
        text.append(f"[{author + 1}]", "bold")
        position = span.end
    text.append(data[position:].decode().rstrip())
    return Group(text, "", _legend(authors))


def _legend(authors: Sequence[Author]) -> RenderableType:
    if not authors:
        return Text("no span of this answer is in the texts", "italic")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    table.add_column("contributor")
    for name in ("spans", "tokens", "influence"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("from")
    for index, author in enumerate(authors):
        mark = Text(f" {index + 1} ", f"#000000 on {_colour(index)}")
        numbers = (str(author.spans), str(author.tokens), f"{author.percent:.2f} %")
        table.add_row(mark, Text(author.name or author.address), *numbers, Text("; ".join(author.titles)))
    return table


def svg(content: RenderableType, title: str) -> str:
    """The picture as SVG, the same on every terminal."""
    console = SafeConsole(
        record=True,
        _environ={},  # TERM, COLUMNS and NO_COLOR are the terminal's, not the picture's
        width=_SVG_WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        legacy_windows=False,
        highlight=False,
        emoji=False,
    )
    console.print(Padding(content, (1, 1)))
    return console.export_svg(title=printable(title), code_format=_SVG_FORMAT, unique_id="trace")


def _colour(author: int) -> str:
    return _COLOURS[author % len(_COLOURS)]
