"""Contributions as a CSV file or as JSON lines: contributor, units and text of each."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rollup.cli.attribution_values import parse_address
from rollup.cli.text_files import read_text
from rollup.protocol.primitives import keccak256

FIELDS: Final = ("contributor", "units", "text")
SUFFIXES: Final = (".csv", ".jsonl")
Row = tuple[str, int, bytes]


class DataFileError(ValueError):
    """What is wrong, with file and line."""


def read_rows(path: Path) -> list[Row]:
    """Contributor, units and the text's hash of every row. Other fields are left alone. Raises DataFileError, and
    TextFileError for a file that cannot be read."""
    text = read_text(path)
    items = _csv(path, text) if path.suffix == ".csv" else _jsonl(path, text)
    rows, seen = [], dict[bytes, int]()
    for line, item in items:
        rows.append(_row(path, line, item))
        first = seen.setdefault(rows[-1][2], line)
        if first != line:
            raise DataFileError(f"{path}:{line}: the text of line {first} again; each is registered once")
    if not rows:
        raise DataFileError(f"{path}: no rows")
    return rows


def _csv(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [name for name in FIELDS if name not in (reader.fieldnames or ())]
        if missing:
            raise DataFileError(f"{path}:1: no column {missing[0]!r}; {', '.join(FIELDS)} are expected")
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise DataFileError(f"{path}:{reader.line_num}: not CSV: {error}") from error


def _jsonl(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataFileError(f"{path}:{number}: not JSON: {error}") from error
        if not isinstance(item, dict):
            raise DataFileError(f"{path}:{number}: an object is expected")
        yield number, item


def _row(path: Path, line: int, item: dict[str, Any]) -> Row:
    for name in FIELDS:
        if not item.get(name):
            raise DataFileError(f"{path}:{line}: the field {name!r} is missing")
    if not isinstance(item["text"], str):
        raise DataFileError(f"{path}:{line}: text: a string is expected")
    try:
        who, content = parse_address(str(item["contributor"])), keccak256(item["text"].encode())
    except ValueError as error:
        raise DataFileError(f"{path}:{line}: {error}") from error
    units = str(item["units"])
    if not (units.isascii() and units.isdigit() and len(units) < 40 and 0 < int(units) < 2**96):
        raise DataFileError(f"{path}:{line}: units: {units!r} is not a whole number from 1 to 2^96 - 1")
    return who, int(units), content
