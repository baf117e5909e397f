"""Asks an attribution index from a coroutine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from rollup.cooperative import Turns
from rollup.index.index import Index
from rollup.rpc.open import up_to_date

Answer = TypeVar("Answer")


@dataclass(slots=True, frozen=True)
class IndexReader:
    """An index with its lane. Methods that are plain functions are marked `reads_index` instead."""

    index: Index
    turns: Turns
    lane: int

    async def read(self, question: Callable[[Index], Answer]) -> Answer:
        """The answer at the head, to which the index is brought up first. Raises RpcError."""
        return await self.turns.call_in(self.lane, lambda: question(up_to_date(self.index)))
