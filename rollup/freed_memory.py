"""Gives freed memory back to the operating system.

glibc keeps freed memory that lies below memory in use, and the larger the blocks that a program frees, the more it
keeps (mallopt(3), M_MMAP_THRESHOLD). So a few large requests would leave the process at their peak. malloc_trim(3)
gives back all whole pages that are free. With other allocators, and with glibc before 2.33, nothing is done.
"""

import asyncio
import ctypes
from contextlib import suppress
from typing import Protocol

_CHECK_SECONDS = 2.0
_ENOUGH = 8 * 1024 * 1024  # bytes; giving back takes about half a millisecond per MiB


class Allocator(Protocol):
    """An allocator that says what it keeps."""

    def free_bytes(self) -> int: ...
    def trim(self) -> None: ...


class _Mallinfo2(ctypes.Structure):
    """struct mallinfo2 of malloc.h; fordblks are the bytes of free blocks."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks"),
            *("uordblks", "fordblks", "keepcost"),
        )
    ]  # fmt: skip


class Glibc:
    """The allocator of this process, if it is glibc's; raises AttributeError or OSError if not."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._info, self._trim = library.mallinfo2, library.malloc_trim
        self._info.argtypes, self._info.restype = [], _Mallinfo2
        self._trim.argtypes, self._trim.restype = [ctypes.c_size_t], ctypes.c_int

    def free_bytes(self) -> int:
        """Bytes of free blocks, also of those whose pages were given back."""
        return int(self._info().fordblks)

    def trim(self) -> None:
        """Gives back every whole page that is free."""
        self._trim(0)


class FreedMemory:
    """Gives memory back each time that _ENOUGH of it has been freed."""

    def __init__(self, allocator: Allocator | None = None) -> None:
        """allocator: that of this process, if none is given."""
        if allocator is None:
            with suppress(AttributeError, OSError):
                allocator = Glibc()
        self._allocator = allocator
        self._least_free: int | None = None  # since memory was last given back
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look now and then; needs a running loop."""
        if self._allocator is not None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ends."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def check(self) -> bool:
        """Gives memory back if enough has been freed; returns whether it did."""
        if self._allocator is None:
            return False
        free = self._allocator.free_bytes()
        if self._least_free is None or free < self._least_free:
            self._least_free = free
        if free < self._least_free + _ENOUGH:
            return False
        self._allocator.trim()
        self._least_free = self._allocator.free_bytes()
        return True

    async def _run(self) -> None:
        while True:
            self.check()
            await asyncio.sleep(_CHECK_SECONDS)
