"""Text files that a user or a data set names: bounded, and for a data set inside its folder."""

import stat
import sys
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 16 * 2**20


class TextFileError(ValueError):
    """A text that cannot be read: file and reason."""


class FileTooLong(TextFileError):
    """A file with more bytes than allowed, or one without an end such as /dev/zero."""


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The file's bytes, or standard input for `-`. Raises FileTooLong above `limit` bytes, and OSError."""
    if str(path) == "-":
        data = sys.stdin.buffer.read(limit + 1)
    else:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    if len(data) > limit:
        raise FileTooLong(f"{path}: longer than {limit:,} bytes")
    return data


def read_text(path: Path) -> str:
    """A text exactly as it is, line ends included, since its hash is registered; `-` is standard input."""
    try:
        return read_bytes(path).decode()
    except OSError as error:
        raise TextFileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TextFileError(f"{path}: not UTF-8 at byte {error.start}") from error


def read_text_inside(folder: Path, name: str) -> str:
    """The text of a regular file inside `folder`, links followed. TextFileError for any other place or kind."""
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise TextFileError(f"{folder / name}: outside of the folder {folder}")
        if not stat.S_ISREG(path.stat().st_mode):
            raise TextFileError(f"{folder / name}: not a regular file")
    except (OSError, ValueError) as error:
        if isinstance(error, TextFileError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise TextFileError(f"{folder / name}: {reason}") from error
    return read_text(path)
