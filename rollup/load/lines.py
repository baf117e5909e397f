"""Reads and writes the lines between a process and its child whole."""

import os
import select
import subprocess
import sys

_LOOK_SECONDS = 0.1  # between two looks whether a silent process has ended


def read_line(process: "subprocess.Popen[bytes]") -> bytes:
    """The next line of a process's standard output; shorter than a line, or empty, only where the process has ended.

    `readline` returns the beginning of a line where it may not wait: another process that shares the pipe may have set
    this. A pipe holds 65,536 bytes, so a longer line was cut there, and the process ended well because all was taken
    from it.
    """
    assert process.stdout is not None
    line = b""
    while True:
        has_ended = process.poll() is not None  # before it is read: what it wrote last is in the pipe then
        part = process.stdout.readline()
        line += part
        if line.endswith(b"\n") or (has_ended and not part):
            return line
        if not part:
            select.select([process.stdout], [], [], _LOOK_SECONDS)


def write_line(line: bytes) -> None:
    """Writes a line to standard output, whole: `sys.stdout.buffer` may write a part of it only.

    With PYTHONUNBUFFERED set, or python -u, it has no buffer, and ignores that a full pipe took a part.
    """
    os.set_blocking(sys.stdout.fileno(), True)
    with open(sys.stdout.fileno(), "wb", closefd=False) as output:
        output.write(line + b"\n")
