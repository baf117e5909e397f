"""Texts as rows of one file: CSV with a header, or JSON lines. Every row has a text, its author and how much it counts.

Columns: text, contributor (a name, or an address), address, units (1 where it is left out), title (the first words
where it is left out). A named contributor's address is needed in one row at least. Other columns are left alone, unless
they look like one of these misspelt.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from rollup.inputs.text_files import TextFileError, read_text
from rollup.inputs.values import parse_address
from rollup.protocol.json_text import parse_json

SUFFIXES: Final = (".csv", ".jsonl")
_COLUMNS: Final = ("text", "contributor", "address", "units", "title")
_MAX_UNITS: Final = 2**96
_TITLE_CHARACTERS: Final = 48
_ALIKE: Final = 0.75  # of difflib: "unit" is like "units", "note" is like nothing


class TextTableError(ValueError):
    """An error in a file of texts, with file and line."""


@dataclass(slots=True, frozen=True)
class TextRow:
    """One text. `address` is None if the row has no address."""

    line: int
    text: str
    contributor: str
    address: str | None
    units: int
    title: str


def read_text_table(path: Path) -> list[TextRow]:
    """The rows of a CSV or JSON lines file in order. TextTableError names file, line and column."""
    try:
        content = read_text(path).removeprefix("\ufeff")
    except TextFileError as error:
        raise TextTableError(str(error)) from error
    lines = _csv_rows(path, content) if path.suffix == ".csv" else _json_rows(path, content)
    rows = [_row(path, line, fields) for line, fields in lines]
    if not rows:
        raise TextTableError(f"{path}: no texts")
    return rows


def _csv_rows(path: Path, content: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
    csv.field_size_limit(max(csv.field_size_limit(), len(content) + 1))  # the limit is the whole process's
    line = 1
    try:
        names = list(reader.fieldnames or ())
        if len(set(names)) != len(names):
            raise TextTableError(f"{path}:1: a column is there twice")
        for fields in reader:
            line, first = reader.line_num, line + 1
            if None in fields or None in fields.values():
                raise TextTableError(f"{path}:{first}: {len(names)} fields are expected, as in the header")
            yield first, fields
    except csv.Error as error:
        raise TextTableError(f"{path}:{reader.line_num}: not CSV: {error}") from error


def _json_rows(path: Path, content: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, text in enumerate(content.split("\n"), 1):
        if not text.strip():
            continue
        try:
            fields = parse_json(text)
        except ValueError as error:
            raise TextTableError(f"{path}:{line}: not JSON") from error
        if not isinstance(fields, dict):
            raise TextTableError(f"{path}:{line}: an object is expected")
        yield line, {name: value for name, value in fields.items() if value is not None}


def _row(path: Path, line: int, fields: Mapping[str, Any]) -> TextRow:
    where = f"{path}:{line}"
    for name in fields:
        alike = get_close_matches(name, set(_COLUMNS) - set(fields), 1, _ALIKE)
        if name not in _COLUMNS and alike:
            raise TextTableError(f"{where}: unknown column {name!r}; is it {alike[0]!r}?")
    for name in ("text", "contributor"):
        if not isinstance(fields.get(name), str) or not fields[name].strip():
            raise TextTableError(f"{where}: {name}: a text is expected")
    text, contributor = fields["text"], fields["contributor"].strip()
    address = fields.get("address") or (contributor if contributor.startswith("0x") else None)
    try:
        checked = None if address is None else parse_address(str(address))
        text.encode()
    except UnicodeEncodeError as error:
        raise TextTableError(f"{where}: text: not UTF-8: {error.reason}") from error
    except ValueError as error:
        raise TextTableError(f"{where}: address: {error}") from error
    title = str(fields.get("title") or " ".join(text.split())[:_TITLE_CHARACTERS])
    return TextRow(line, text, contributor, checked, _units(where, fields.get("units")), title)


def _units(where: str, value: Any) -> int:
    if value in (None, ""):
        return 1
    digits = str(value).strip()
    is_number = isinstance(value, int | str) and not isinstance(value, bool) and digits.isascii() and digits.isdigit()
    if not is_number or len(digits) > 40 or not 0 < int(digits) < _MAX_UNITS:
        raise TextTableError(f"{where}: units: {value!r} is not a whole number from 1 to 2^96 - 1")
    return int(digits)
