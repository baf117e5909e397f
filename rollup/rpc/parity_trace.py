"""trace_…: the calls of transactions and blocks as Parity lists them (as on Erigon and reth)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rollup.protocol.block import Block
from rollup.protocol.primitives import Address, Hash
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import InvalidParams
from rollup.rpc.limits import MAX_TRACE_BLOCKS, MAX_TRACES
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import BlockId, Invalid, address, block_id, count64, given_members, hash32, list_of
from rollup.rpc.tracer_options import TraceOptions
from rollup.rpc.tracing import Tracings

_OPTIONS = TraceOptions("flatCallTracer", {"convertParityErrors": True})


@dataclass(slots=True)
class TraceFilter:
    """Blocks, senders and recipients (any of each; none given is all), and which of the traces found."""

    first: BlockId
    last: BlockId
    senders: frozenset[Address]
    recipients: frozenset[Address]
    after: int
    count: int


def trace_filter(value: Any) -> TraceFilter:
    """`{fromBlock, toBlock, fromAddress, toAddress, after, count}`, each of them optional."""
    given = given_members(value)
    try:
        return TraceFilter(
            block_id(given.get("fromBlock", "latest")),
            block_id(given.get("toBlock", "latest")),
            frozenset(list_of(address)(given.get("fromAddress", []))),
            frozenset(list_of(address)(given.get("toAddress", []))),
            count64(given.get("after", 0)),
            min(count64(given.get("count", MAX_TRACES)), MAX_TRACES),
        )
    except Invalid as error:
        raise Invalid(f"trace filter: {error}") from error


class ParityTraces:
    """Traces as Parity gives them."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._tracings = Tracings(backend)

    @takes_long
    @rpc("trace_transaction", hash32)
    def transaction(self, tx_hash: Hash) -> Any:
        """A transaction's frames, in Parity's shape; `null` if it is unknown."""
        if self._backend.chain.find_transaction(tx_hash) is None:
            return None
        return self._tracings.transaction(tx_hash, _OPTIONS)

    @takes_long
    @rpc("trace_block", block_id)
    def block(self, block_id: BlockId) -> Any:
        """The frames of all transactions of a block; `null` if it is unknown, an empty list for genesis."""
        block = self._backend.block(block_id)
        return None if block is None else list(self._frames(block))

    @takes_long
    @rpc("trace_filter", trace_filter)
    def filter(self, filter_: TraceFilter) -> Any:
        """The frames of a range of blocks that begin or end at some accounts."""
        first, last = (self._number(which) for which in (filter_.first, filter_.last))
        if last < first:
            raise InvalidParams("invalid block range: fromBlock is above toBlock")
        if last - first >= MAX_TRACE_BLOCKS:
            raise InvalidParams(f"Block range too large; currently limited to {MAX_TRACE_BLOCKS} blocks")
        found: list[Any] = []
        skipped = 0
        for number in range(first, last + 1):
            block = self._backend.block(number)
            for frame in self._frames(block) if block is not None else ():
                if not _is_wanted(frame, filter_):
                    continue
                if skipped < filter_.after:
                    skipped += 1
                    continue
                if len(found) >= filter_.count:
                    return found
                found.append(frame)
        return found

    def _frames(self, block: Block) -> Iterator[Any]:
        if block.header.number == 0:
            return
        for _, frames in self._tracings.block(block, _OPTIONS):
            yield from frames

    def _number(self, which: BlockId) -> int:
        if isinstance(which, int):
            return min(which, self._backend.chain.head.header.number)
        return self._backend.require_block(which).header.number


def _is_wanted(frame: Any, wanted: TraceFilter) -> bool:
    action = frame["action"]
    sender = action.get("from", action.get("address"))
    recipient = action.get("to", action.get("refundAddress", frame.get("result", {}).get("address")))
    return _is_one_of(sender, wanted.senders) and _is_one_of(recipient, wanted.recipients)


def _is_one_of(account: str | None, accounts: frozenset[Address]) -> bool:
    return not accounts or (account is not None and bytes.fromhex(account[2:]) in accounts)
