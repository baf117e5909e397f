"""Reading the pages in docs/: their tables, and what stands in backticks."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Section:
    """A heading and the rows of the tables below it, without their heads; a row is its cells."""

    title: str
    rows: list[list[str]]


def page(name):
    """A page's text; of the README, CHANGELOG and CONTRIBUTING those at the root."""
    path = ROOT / "docs" / name
    return (path if path.exists() else ROOT / name).read_text()


def sections(text):
    """The page cut at its headings of the second level."""
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    titles = ["", *parts[1::2]]
    return [Section(title, _rows(body)) for title, body in zip(titles, parts[::2], strict=True)]


def section(text, beginning):
    """The one section whose title begins so."""
    (found,) = [item for item in sections(text) if item.title.startswith(beginning)]
    return found


def named(cell):
    """The words in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def _rows(body):
    rows = []
    for table in re.findall(r"(?:^\|.*\n)+", body, flags=re.MULTILINE):
        lines = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in _lines(table)]
        rows += lines[1:]
    return rows


def _lines(table):
    return [line for line in table.replace("| |", "|  |").splitlines() if not re.fullmatch(r"[|\-: ]+", line)]
