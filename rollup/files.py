"""Writing files: whole or not at all, and never through a link to another place."""

import os
import stat
from pathlib import Path


def write_file(path: Path, content: str | bytes, mode: int = 0o666) -> None:
    """Writes bytes, or text as UTF-8, so that a reader, or a crash, finds the old file or the new one.

    mode: permissions of the file before the umask. Raises OSError, also where `path` is a symbolic link or anything
    else than a regular file: a link could lead to a file that the user did not mean.
    """
    if path.is_symlink():
        raise OSError(0, "a symbolic link, which is not followed; remove it", str(path))
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise OSError(0, "not a regular file", str(path))
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error  # a full disk names no file of its own
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
