"""Executing slow transactions ahead of their blocks, beside everything else that a node does."""

import asyncio
from collections.abc import Callable

from rollup.cooperative import Turns

_LOOKS_EVERY = 0.05  # seconds


async def keep_executing_ahead(turns: Turns, execute_ahead: Callable[[], bool]) -> None:
    """Runs until it is cancelled. execute_ahead executes one transaction in turns; False when there is none."""
    while True:
        if not await turns.call(execute_ahead):
            await asyncio.sleep(_LOOKS_EVERY)
