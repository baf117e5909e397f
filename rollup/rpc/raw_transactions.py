"""Transactions that front processes have worked out, on their way into the pool."""

from collections.abc import Callable, Sequence

import structlog

from rollup.cooperative import Turns
from rollup.pool.errors import PoolError
from rollup.protocol.primitives import Hash
from rollup.rpc.dispatch import CRASHED, UNREADABLE
from rollup.rpc.errors import HANDLER_CRASHED, SERVER_ERROR
from rollup.rpc.front.fronts import Item
from rollup.rpc.front.sends import Answer
from rollup.rpc.instant_blocks import Inclusion, NoInclusion

log = structlog.get_logger()

# Transactions in one turn, some milliseconds: those of a front process, and those whose sender is not recovered yet.
_AT_ONCE, _RAW_AT_ONCE = 256, 32


class RawTransactions:
    """Answers as eth_sendRawTransaction does, for many in one turn."""

    def __init__(
        self,
        send_many: Callable[[Sequence[Item]], list[Hash | PoolError]],
        turns: Turns,
        inclusion: Inclusion = NoInclusion(),
    ) -> None:
        """send_many: puts transactions into the pool, in order. turns: those of the node. inclusion: of their layer."""
        self._send_many = send_many
        self._turns = turns
        self._inclusion = inclusion

    async def take(self, items: Sequence[Item]) -> list[Answer]:
        """The hash of each transaction, or the error: once the pool has them, or the block where blocks are instant."""
        answers: list[Answer] = []
        size = _RAW_AT_ONCE if any(prepared is None for _, prepared in items) else _AT_ONCE
        for start in range(0, len(items), size):
            answers += await self._take(items[start : start + size])
        await self._inclusion.wait([answer for answer in answers if isinstance(answer, bytes)])
        return answers

    async def _take(self, items: Sequence[Item]) -> list[Answer]:
        try:
            return [_answer(taken) for taken in await self._turns.call(lambda: self._send_many(items))]
        except UNREADABLE as error:
            return [(SERVER_ERROR, str(error))] * len(items)
        except Exception:
            log.exception("transactions could not be taken", count=len(items))
            return [(HANDLER_CRASHED, CRASHED)] * len(items)


def _answer(taken: Hash | PoolError) -> Answer:
    return (taken.code, str(taken)) if isinstance(taken, PoolError) else taken
