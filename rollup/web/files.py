"""The static files of the pages, read once into memory and named by what is in them.

Every path begins with a hash over all files, so that a browser may keep a file without limit and never mixes two
versions.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from rollup.web.bundle import bundled

SHEET: Final = "app/bundle.css"
_SHEETS: Final = ("vendor/uplot.css", "app.css")  # in this order: the second may say otherwise than the first
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".txt": "text/plain"}
_HASH_DIGITS: Final = 12


@dataclass(slots=True, frozen=True)
class StaticFile:
    """A file by its path below the folder, such as app/main.js."""

    path: str
    content: bytes

    @property
    def content_type(self) -> str:
        """The value of the Content-Type header without the charset. Every file is UTF-8."""
        return _TYPES[self.path[self.path.rindex(".") :]]


class StaticFiles:
    """All files as they are served, and the root under which they are."""

    def __init__(self) -> None:
        found = {item.path: item.content for item in _walk(files(__package__).joinpath("static"), "")}
        scripts = {path: found.pop(path).decode() for path in sorted(found) if path.endswith(".js")}
        sheets = b"".join([found.pop(path) for path in _SHEETS])
        served = {**found, SHEET: sheets, **{path: text.encode() for path, text in bundled(scripts).items()}}
        self.files: tuple[StaticFile, ...] = tuple(StaticFile(path, served[path]) for path in sorted(served))
        digest = hashlib.sha256()
        for item in self.files:
            digest.update(item.path.encode() + b"\0" + hashlib.sha256(item.content).digest())
        self.root = f"/static/{digest.hexdigest()[:_HASH_DIGITS]}"


def _walk(folder: Traversable, prefix: str) -> Iterator[StaticFile]:
    for item in folder.iterdir():
        name = prefix + item.name
        if item.is_dir():
            if item.name != "__pycache__":
                yield from _walk(item, name + "/")
        elif name[name.rindex(".") :] in _TYPES:
            yield StaticFile(name, item.read_bytes())
