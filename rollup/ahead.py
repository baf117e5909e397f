"""Executes slow transactions ahead of their blocks, in turns with everything else that a node does."""

import asyncio
from typing import Protocol

from rollup.cooperative import Turns

_LOOKS_EVERY = 0.05  # seconds


class ExecutesAhead(Protocol):
    """A builder of blocks from a pool: an engine, a sequencer or a miner."""

    @property
    def has_slow_transactions(self) -> bool:
        """Whether the pool has transactions that are executed ahead. It costs nothing to ask."""

    def execute_ahead(self) -> bool:
        """Executes one of them; False when there is nothing to do."""


async def keep_executing_ahead(turns: Turns, builder: ExecutesAhead) -> None:
    """Executes a builder's slow transactions in turns, until it is cancelled."""
    while True:
        if not builder.has_slow_transactions or not await turns.call(builder.execute_ahead):
            await asyncio.sleep(_LOOKS_EVERY)
