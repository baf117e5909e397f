"""The static files of the pages, read once into memory and named by what is in them.

Every path begins with a hash over all files, so that a browser may keep a file for good and never mixes two versions.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".txt": "text/plain"}
_HASH_DIGITS: Final = 12
_IMPORT: Final = re.compile(r"""(?:^import|\bfrom)\s*['"](\.[^'"]+)['"]""", re.MULTILINE)


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
        """The modules that the first page needs: what app/main.js imports, and what that imports."""
        texts = {item.path: item.content.decode() for item in self.files if item.path.endswith(".js")}
        found: dict[str, None] = {}
        waiting = ["app/main.js"]
        while waiting:
            path = waiting.pop()
            if path not in found:
                found[path] = None
                folder = posixpath.dirname(path)
                imported = _IMPORT.findall(texts[path])
                waiting += [posixpath.normpath(posixpath.join(folder, target)) for target in imported]
        return list(found)


def _walk(folder: Traversable, prefix: str) -> Iterator[StaticFile]:
    for item in folder.iterdir():
        name = prefix + item.name
        if item.is_dir():
            if item.name != "__pycache__":
                yield from _walk(item, name + "/")
        elif name[name.rindex(".") :] in _TYPES:
            yield StaticFile(name, item.read_bytes())
