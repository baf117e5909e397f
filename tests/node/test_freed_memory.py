"""Freed memory goes back to the operating system, whatever the allocator would keep."""

import subprocess
import sys

import pytest

from rollup.freed_memory import FreedMemory, malloc_trim

pytestmark = pytest.mark.skipif(malloc_trim() is None, reason="not Linux with glibc: nothing is done there")

# Blocks below the threshold of mmap, each with a small one behind it that stays.
HOLES = """
from rollup.freed_memory import FreedMemory, resident_bytes
memory = FreedMemory()
memory.check()
before, kept, freed = resident_bytes(), [], []
for _ in range(1_000):
    freed.append(bytearray(b"x") * 100_000)
    kept.append(bytearray(b"x") * 700)
freed.clear()
between = resident_bytes()
assert memory.check()
print(before >> 20, between >> 20, resident_bytes() >> 20)
"""


def test_memory_that_the_allocator_keeps_is_given_back():
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    before, between, after = map(int, done.stdout.split())
    assert between - before > 80
    assert after - before < 20


def test_memory_is_given_back_only_after_it_has_grown():
    sizes = iter(megabytes << 20 for megabytes in (100, 115, 90, 105, 107, 95, 110, 111, 90))
    memory = FreedMemory(lambda: next(sizes))
    # 100 at first; 15 more is too little; 90 is the new least, 15 more too little, 17 more is enough and leaves 95.
    assert [memory.check() for _ in range(5)] == [False, False, False, False, True]
    assert [memory.check(), memory.check()] == [False, True]
