"""open_: the economics of this chain, by the functions of `openrollup economics`, so that the numbers are the same.

What takes long runs in a thread: the event loop never computes. The economics are imported when they are first asked
for, so that a node starts without them.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from rollup.index.earnings import earnings_of
from rollup.index.index import Index
from rollup.protocol.primitives import Address
from rollup.rpc.errors import RpcError
from rollup.rpc.methods import rpc
from rollup.rpc.open_reader import IndexReader
from rollup.rpc.params import address, mapping
from rollup.rpc.server import RpcServer
from rollup.studio.loop_endpoint import LoopEndpoint

_MAX_INFERENCES: Final = 20_000
_MAP_CELLS: Final = 24  # each way
_Found = TypeVar("_Found")


class Economics:
    """Asked through the same JSON-RPC server that answers it."""

    def __init__(self, reader: IndexReader, server: RpcServer) -> None:
        self._reader = reader
        self._server = server
        self._labels: tuple[bytes, dict[str, Any]] | None = None
        self._labelling = asyncio.Lock()

    @rpc("open_economics", mapping)
    async def economics(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Whether a model pays: the sentence and the numbers of `openrollup economics`, each with unit and source."""
        from rollup.economics.answer_json import answer_json
        from rollup.studio.evaluate import evaluate, question_of

        question = question_of(request)
        return await self._in_thread(lambda endpoint: answer_json(evaluate(endpoint, question)))

    @rpc("open_economicsMap", mapping)
    async def economics_map(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The owner's net per month by fee and queries: the numbers of `openrollup economics --figure heat-map`."""
        from rollup.economics.answer_json import net_map_json
        from rollup.studio.evaluate import evaluate, question_of

        question = question_of(request)
        return await self._in_thread(lambda endpoint: net_map_json(evaluate(endpoint, question).net_map(_MAP_CELLS)))

    @rpc("open_noise")
    async def noise(self) -> dict[str, Any]:
        """Which paid inferences look real: the labels and the health of `openrollup economics noise`."""
        from rollup.studio.evaluate import noise_answer

        total = await self._reader.read(_inferences)
        if total > _MAX_INFERENCES:
            raise RpcError(f"more than {_MAX_INFERENCES:,} inferences: ask `openrollup economics noise`")
        async with self._labelling:
            head = self._reader.index.chain.head.hash
            if self._labels is None or self._labels[0] != head:
                self._labels = head, await self._in_thread(noise_answer)
            return self._labels[1]

    @rpc("open_claimAdvice", address)
    async def claim_advice(self, address: Address) -> dict[str, Any]:
        """`{income, claimCost, interval, threshold}`: when an account should claim if it continues to earn as it did
        since genesis, in OPEN.
        """
        from rollup.studio.evaluate import claim_advice

        chain = self._reader.index.chain
        earned = await self._reader.read(lambda index: earnings_of(index, address))
        wei, seconds = earned.credited + earned.pending, chain.head.timestamp - chain.genesis.timestamp
        return await self._in_thread(lambda endpoint: claim_advice(endpoint, wei, seconds))

    # ------------------------------------------------------------ inside
    async def _in_thread(self, compute: Callable[[LoopEndpoint], _Found]) -> _Found:
        from derivation.errors import Temporary
        from rollup.economics.errors import EconomicsError

        endpoint = LoopEndpoint(self._server, asyncio.get_running_loop())
        try:
            return await asyncio.to_thread(compute, endpoint)
        except (EconomicsError, Temporary) as error:
            raise RpcError(str(error)) from error


def _inferences(index: Index) -> int:
    return sum(row.inferences for _, row in index.rows.models.where("id > 0"))
