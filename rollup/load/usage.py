"""CPU time and memory of a process and everything it started, from /proc (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICK: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far, resident bytes now, and how many processes."""

    cpu: float
    resident: int
    processes: int


def usage_of(process_id: int) -> Usage:
    """The sum over the tree. CPU of children that have ended is included once they were waited for."""
    tree = _tree(process_id)
    return Usage(sum(cpu for cpu, _ in tree), sum(resident for _, resident in tree), len(tree))


def _tree(process_id: int) -> list[tuple[float, int]]:
    parents: dict[int, list[int]] = {}
    figures: dict[int, tuple[float, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue  # it has ended meanwhile
        fields = text.rpartition(")")[2].split()  # from the state on; the name before may contain anything
        number = int(path.parent.name)
        parents.setdefault(int(fields[1]), []).append(number)
        figures[number] = (sum(int(field) for field in fields[11:15]) / _TICK, int(fields[21]) * _PAGE)
    found, waiting = [], [process_id]
    while waiting:
        number = waiting.pop()
        waiting += parents.get(number, ())
        if number in figures:
            found.append(figures[number])
    return found
