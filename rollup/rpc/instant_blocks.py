"""Waiting for the block of a transaction where each transaction gets a block at once (`--instant`, automine)."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from rollup.execution.chain import Chain
from rollup.protocol.primitives import Hash

MOST_SECONDS: Final = 20.0  # that a sender waits; afterwards the answer says what holds: the pool has the transaction
_LOOK_SECONDS = 0.1  # between two looks where no block comes: a transaction may be dropped, or the builder stopped


class Inclusion(Protocol):
    """Waits until transactions of the pool are in blocks, where these come at once; does nothing elsewhere."""

    def is_coming(self, hashes: Sequence[Hash]) -> bool:
        """Whether a block for any of these transactions comes at once."""

    async def wait(self, hashes: Sequence[Hash]) -> None:
        """Returns when no block is coming for any of the transactions any more, or after MOST_SECONDS."""


class NoInclusion:
    """The answers for a layer whose blocks come by the clock or on demand: nobody waits for a block."""

    def is_coming(self, hashes: Sequence[Hash]) -> bool:
        """False."""
        del hashes
        return False

    async def wait(self, hashes: Sequence[Hash]) -> None:
        """Returns at once."""
        del hashes


class InstantBlocks:
    """Waits for a block, on a layer that can build one at once for a transaction."""

    def __init__(self, chain: Chain, is_coming: Callable[[Sequence[Hash]], bool]) -> None:
        """is_coming: whether the next block is built at once and may take any of these transactions."""
        self.is_coming = is_coming
        self._moved = asyncio.Event()
        chain.subscribe(lambda change: self._moved.set())

    async def wait(self, hashes: Sequence[Hash]) -> None:
        """Returns when no block is coming for any of the transactions any more, or after MOST_SECONDS."""
        with suppress(TimeoutError):
            async with asyncio.timeout(MOST_SECONDS):
                while self.is_coming(hashes):
                    self._moved.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_SECONDS):
                            await self._moved.wait()
