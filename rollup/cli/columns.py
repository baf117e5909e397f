"""Columns of text that are never cut short: half an address or hash is of no use to anyone."""

from collections.abc import Collection, Sequence

from rich.console import Console


def print_columns(
    console: Console, rows: Sequence[Sequence[str]], *, header: Sequence[str] = (), right: Collection[int] = ()
) -> None:
    """Rows of cells, each column as wide as its widest cell; `right` are the columns aligned to the right."""
    lines = [*([header] if header else []), *rows]
    if not lines:
        return
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        style = "bold" if header and number == 0 else None
        console.print("  " + "  ".join(cells).rstrip(), style=style, markup=False)
