"""Reads the lines of a child process whole."""

import select
import subprocess

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
