"""Texts by their keccak256: what a DataNet's hashes stand for, as far as this node was given it."""

import re
from pathlib import Path
from typing import Final

from rollup.files import write_file
from rollup.protocol.primitives import Hash, keccak256

MAX_TEXT: Final = 2**20  # bytes of one text
MAX_TEXTS: Final = 64 * 2**20  # bytes of all
_NAME: Final = re.compile("[0-9a-f]{64}")


class TextRefused(ValueError):
    """A text that is not kept; the message says why."""


class TextStore:
    """Texts in memory, and in a folder if one is given, where each file is called by its hash."""

    def __init__(self, folder: Path | None = None) -> None:
        """Reads what the folder has; a file whose content is not what its name says is left alone."""
        self._folder = folder
        self._texts: dict[Hash, str] = {}
        self._bytes = 0
        if folder is not None and folder.is_dir():
            for path in sorted(folder.iterdir()):
                if _NAME.fullmatch(path.name) and path.stat().st_size <= MAX_TEXT:
                    self._take_if_whole(bytes.fromhex(path.name), path.read_bytes())

    def _take_if_whole(self, name: Hash, data: bytes) -> None:
        if keccak256(data) == name and self._bytes + len(data) <= MAX_TEXTS:
            try:
                self._texts[name] = data.decode()
            except UnicodeDecodeError:
                return
            self._bytes += len(data)

    def put(self, text: str) -> Hash:
        """Keeps a text and returns its hash. Raises TextRefused for one that is too long, or one too many."""
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise TextRefused("not a text: it has half of a surrogate pair") from error
        if not data:
            raise TextRefused("the text is empty")
        if len(data) > MAX_TEXT:
            raise TextRefused(f"the text has {len(data):,} bytes; at most {MAX_TEXT:,} are kept")
        name = keccak256(data)
        if name in self._texts:
            return name
        if self._bytes + len(data) > MAX_TEXTS:
            raise TextRefused(f"this node keeps {MAX_TEXTS:,} bytes of texts, and they are full")
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_file(self._folder / name.hex(), data)
        self._texts[name] = text
        self._bytes += len(data)
        return name

    def get(self, name: Hash) -> str | None:
        """The text of a hash; None for one that was never given."""
        return self._texts.get(name)
