"""Freed memory goes back to the operating system, whatever the allocator would keep."""

import subprocess
import sys

import pytest

from rollup.freed_memory import FreedMemory, Glibc

# Blocks below the threshold of mmap, each with a small one behind it that stays.
HOLES = """
from pathlib import Path
from rollup.freed_memory import FreedMemory
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096 >> 20
memory = FreedMemory()
memory.check()
before = resident()
for number in range(2):
    kept, freed = [], []
    for _ in range(1_000):
        freed.append(bytearray(b"x") * 100_000)
        kept.append(bytearray(b"x") * 700)
    assert not memory.check() or number, "what is in use was taken for free"
    freed.clear()
    between = resident()
    assert memory.check()
    print(between - before, resident() - before)
"""


def has_glibc():
    try:
        Glibc()
    except (AttributeError, OSError):
        return False
    return True


@pytest.mark.skipif(not has_glibc(), reason="not glibc 2.33 or newer: nothing is done there")
def test_memory_that_the_allocator_keeps_is_given_back_each_time():
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        between, after = map(int, line.split())
        assert between > 80
        assert after < 20


class Scripted:
    """An allocator with so many MiB free, one number per question."""

    def __init__(self, *free):
        self.free, self.trims = list(free), 0

    def free_bytes(self):
        return self.free.pop(0) << 20

    def trim(self):
        self.trims += 1


def test_memory_is_given_back_only_after_enough_has_been_freed():
    # 100 free at first, 7 more are too few, 90 is the new least, 7 more are too few, 9 more are enough; then 99 is
    # the least, though its pages are gone, until memory is used again.
    allocator = Scripted(100, 107, 90, 97, 99, 99, 106, 50, 57, 58, 40)
    memory = FreedMemory(allocator)
    assert [memory.check() for _ in range(5)] == [False, False, False, False, True]
    assert [memory.check() for _ in range(4)] == [False, False, False, True]
    assert (allocator.trims, allocator.free) == (2, [])


async def test_without_an_allocator_that_can_nothing_is_done(monkeypatch):
    monkeypatch.setattr("rollup.freed_memory.ctypes.CDLL", lambda name: object())
    memory = FreedMemory()
    assert not memory.check()
    memory.start()
    await memory.stop()
