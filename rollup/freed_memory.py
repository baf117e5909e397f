"""Gives freed memory back to the operating system.

glibc keeps freed memory that lies below memory in use, and the larger the blocks that a program frees, the more it
keeps (mallopt(3), M_MMAP_THRESHOLD). A few large requests would so leave the process at their peak. malloc_trim(3)
gives back all whole pages. Other allocators need no help: there nothing is done.
"""

import asyncio
import ctypes
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_CHECK_SECONDS = 2.0
_GROWTH = 16 * 1024 * 1024  # bytes; giving back takes about half a millisecond per MiB
_STATM = Path("/proc/self/statm")


def resident_bytes() -> int:
    """The memory of this process that is in RAM; needs Linux."""
    return int(_STATM.read_text().split()[1]) * resource.getpagesize()


def malloc_trim() -> Callable[[], None] | None:
    """glibc's malloc_trim for all that is free; None with another allocator or system."""
    if not _STATM.exists():
        return None
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return lambda: trim(0)


class FreedMemory:
    """Gives memory back each time the process has grown by _GROWTH."""

    def __init__(self, resident: Callable[[], int] = resident_bytes) -> None:
        self._trim = malloc_trim()
        self._resident = resident
        self._least: int | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look now and then; needs a running loop."""
        if self._trim is not None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ends."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def check(self) -> bool:
        """Gives memory back if the process has grown; returns whether it did."""
        if self._trim is None:
            return False
        resident = self._resident()
        if self._least is None or resident < self._least:
            self._least = resident
        if resident < self._least + _GROWTH:
            return False
        self._trim()
        self._least = self._resident()
        return True

    async def _run(self) -> None:
        while True:
            self.check()
            await asyncio.sleep(_CHECK_SECONDS)
