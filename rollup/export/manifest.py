"""The contents of an export's folder: the chain, the parts by block range, each file's rows and hash.

The manifest is replaced as a whole after all files of a part are written. A file that it does not name is not part of
the export.
"""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from rollup.export.errors import ExportError
from rollup.export.schema import TABLES
from rollup.files import write_file
from rollup.protocol.json_text import parse_json

NAME: Final = "manifest.json"
VERSION: Final = 1


@dataclass(slots=True, frozen=True)
class Part:
    """A range of blocks, the hashes that place it on its chain, and its files by table."""

    first: int
    last: int
    parent_hash: str
    last_hash: str
    files: dict[str, dict[str, Any]]


@dataclass(slots=True)
class Manifest:
    """Chain id, genesis hash, format, tables, parts in order, and snapshots of the head by table.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     manifest = Manifest.open(Path(name), 901, "0x00", "csv", ["blocks"])
    ...     manifest.clean(Path(name))  # deletes files that no part names: here there are none
    ...     manifest.save(Path(name))
    ...     Manifest.open(Path(name), 901, "0x00", "csv", ["blocks"]) == manifest
    True
    """

    chain_id: int
    genesis: str
    format: str
    tables: list[str]
    version: int = VERSION
    parts: list[Part] = field(default_factory=list)
    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, chain_id: int, genesis: str, kind: str, tables: list[str]) -> "Manifest":
        """The folder's manifest, or a new one; ExportError for a folder of another chain, format or set of tables."""
        path = folder / NAME
        wanted = {"chain_id": chain_id, "genesis": genesis, "format": kind, "tables": tables, "version": VERSION}
        if not path.exists():
            if folder.exists() and any(folder.iterdir()):
                raise ExportError(f"{folder} is not empty, and has no {NAME}")
            return cls(chain_id, genesis, kind, tables)
        try:
            data = parse_json(path.read_bytes())
            for name, value in wanted.items():
                if data[name] != value:
                    raise ExportError(f"{folder} is an export with {name} {data[name]}, not {value}")
            parts = [Part(**part) for part in data["parts"]]
            return cls(**{**wanted, "parts": parts, "snapshots": data["snapshots"]})
        except (ValueError, KeyError, TypeError) as error:
            raise ExportError(f"{path}: not the manifest of an export") from error

    def save(self, folder: Path) -> None:
        """Replaces the file as a whole; raises OSError."""
        schema = {name: [column.described() for column in TABLES[name].columns] for name in self.tables}
        text = json.dumps(asdict(self) | {"schema": schema}, indent=1) + "\n"
        write_whole(folder / NAME, text.encode())

    def clean(self, folder: Path) -> None:
        """Removes the files that an interrupted part left behind, and no others."""
        known = {item["name"] for part in self.parts for item in part.files.values()}
        known |= {item["name"] for item in self.snapshots.values()}
        for table in self.tables:
            for path in (folder / table).glob(f"*.{self.format}*"):
                if f"{table}/{path.name}" not in known:
                    path.unlink()


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file of an export, and its folder. The file is complete or does not exist. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, data)


def described(name: str, data: bytes, rows: int) -> dict[str, Any]:
    """The manifest's entry for a file."""
    return {"name": name, "rows": rows, "bytes": len(data), "sha256": sha256(data).hexdigest()}
