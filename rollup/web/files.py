"""The static files of the pages, read once into memory and named by what is in them.

Every path begins with a hash over all files, so that a browser may keep a file for good and never mixes two versions.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".txt": "text/plain"}
_HASH_DIGITS: Final = 12


@dataclass(slots=True, frozen=True)
class StaticFile:
    """A file by its path below the folder, such as app/main.js."""

    path: str
    content: bytes

    @property
    def content_type(self) -> str:
        """Of the Content-Type header, without the charset: every file is UTF-8."""
        return _TYPES[self.path[self.path.rindex(".") :]]


class StaticFiles:
    """All files, and the root under which they are served."""

    def __init__(self) -> None:
        found = sorted(_walk(files(__package__).joinpath("static"), ""), key=lambda item: item.path)
        self.files: tuple[StaticFile, ...] = tuple(found)
        digest = hashlib.sha256()
        for item in self.files:
            digest.update(item.path.encode() + b"\0" + hashlib.sha256(item.content).digest())
        self.root = f"/static/{digest.hexdigest()[:_HASH_DIGITS]}"

    def modules(self) -> list[str]:
        """Paths of the modules that a first load needs: all of them but those that a page loads when it is opened."""
        own = [item.path for item in self.files if item.path.startswith("app/") and item.path.endswith(".js")]
        libraries = [f"vendor/{name}.js" for name in ("preact", "preact-hooks", "htm", "signals-core", "signals")]
        return libraries + [path for path in own if not path.startswith("app/later/")]


def _walk(folder: Traversable, prefix: str) -> Iterator[StaticFile]:
    for item in folder.iterdir():
        name = prefix + item.name
        if item.is_dir():
            if item.name != "__pycache__":
                yield from _walk(item, name + "/")
        elif name[name.rindex(".") :] in _TYPES:
            yield StaticFile(name, item.read_bytes())
