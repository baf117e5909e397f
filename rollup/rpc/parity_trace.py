"""trace_…: the traces of transactions, blocks and calls as Parity gives them (as on Erigon and reth)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rollup.execution.block_context import BlockOverrides
from rollup.execution.calls import CallRequest
from rollup.execution.overrides import StateOverride
from rollup.execution.tracers.budget import Budget
from rollup.execution.tracers.flat_call import TraceContext
from rollup.execution.tracers.parity import KINDS, ParityCalls, ParityTracer
from rollup.protocol.block import Block
from rollup.protocol.primitives import Address, Hash
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import InvalidParams, RpcError
from rollup.rpc.eth_calls import block_overrides
from rollup.rpc.formats import hex_data
from rollup.rpc.limits import MAX_TRACE_BLOCKS, MAX_TRACES, TRACE_SECONDS
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import (
    BlockId,
    Invalid,
    Optional,
    address,
    block_id,
    call_request,
    count64,
    given_members,
    hash32,
    list_of,
    state_overrides,
    texts,
)
from rollup.rpc.tracer_options import TraceCallOptions
from rollup.rpc.tracing import Tracings


@dataclass(slots=True, frozen=True)
class _Placed:
    """Frames that name their block and transaction."""

    seconds: float = TRACE_SECONDS

    def make(self, context: TraceContext, budget: Budget) -> ParityCalls:
        """A tracer for one transaction."""
        return ParityCalls(budget, context)


@dataclass(slots=True, frozen=True)
class ParityOptions:
    """The traces that a request wants, of KINDS."""

    kinds: frozenset[str]
    seconds: float = TRACE_SECONDS

    def make(self, context: TraceContext, budget: Budget) -> ParityTracer:
        """A tracer for one transaction."""
        return ParityTracer(self.kinds, budget, context)


_PLACED = _Placed()


def trace_kinds(value: Any) -> ParityOptions:
    """A list of `trace`, `stateDiff` and `vmTrace`. An empty one asks for the output alone."""
    kinds = texts(value)
    for kind in kinds:
        if kind not in KINDS:
            raise Invalid(f"trace type {kind[:100]!r} is not known: it is one of {', '.join(KINDS)}")
    return ParityOptions(frozenset(kinds))


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
        return self._tracings.transaction(tx_hash, _PLACED)

    @takes_long
    @rpc("trace_block", block_id)
    def block(self, block_id: BlockId) -> Any:
        """The frames of all transactions of a block; `null` if it is unknown, an empty list for genesis."""
        block = self._backend.block(block_id)
        return None if block is None else list(self._frames(block))

    @takes_long
    @rpc("trace_get", hash32, list_of(count64))
    def get(self, tx_hash: Hash, trace_address: list[int]) -> Any:
        """One frame of a transaction, by its `traceAddress`: `[]` is the outermost one; `null` if there is none."""
        frames = self.transaction(tx_hash) or ()
        return next((frame for frame in frames if frame["traceAddress"] == trace_address), None)

    @takes_long
    @rpc("trace_replayTransaction", hash32, trace_kinds)
    def replay_transaction(self, tx_hash: Hash, options: ParityOptions) -> Any:
        """Runs a transaction again: `{output, stateDiff, trace, vmTrace}`, `null` for each that is not asked for."""
        return self._tracings.transaction(tx_hash, options)

    @takes_long
    @rpc("trace_replayBlockTransactions", block_id, trace_kinds)
    def replay_block_transactions(self, block_id: BlockId, options: ParityOptions) -> Any:
        """Runs a block again: what `trace_replayTransaction` answers for each transaction, with `transactionHash`;
        `null` if the block is unknown, an empty list for genesis.
        """
        block = self._backend.block(block_id)
        if block is None:
            return None
        if block.header.number == 0:
            return []
        traces = self._tracings.block(block, options)
        return [{**trace, "transactionHash": hex_data(transaction.hash)} for transaction, trace in traces]

    @takes_long
    @rpc(
        "trace_call",
        call_request,
        trace_kinds,
        Optional(block_id, "latest"),
        Optional(state_overrides),
        Optional(block_overrides),
    )
    def call(
        self,
        request: CallRequest,
        options: ParityOptions,
        block_id: BlockId,
        state: dict[Address, StateOverride] | None,
        overrides: BlockOverrides | None,
    ) -> Any:
        """Runs a call on the state after a block: `{output, stateDiff, trace, vmTrace}`. Nothing is changed."""
        if block_id == "pending":
            raise RpcError("tracing on top of pending is not supported")
        block = self._backend.require_block(block_id)
        return self._tracings.call(request, block, TraceCallOptions(options, state, overrides))

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
        for _, frames in self._tracings.block(block, _PLACED):
            yield from frames

    def _number(self, which: BlockId) -> int:
        if isinstance(which, int):
            return min(which, self._backend.chain.head.header.number)
        return self._backend.require_block(which).header.number


def _is_wanted(frame: Any, wanted: TraceFilter) -> bool:
    action = frame["action"]
    sender = action.get("from", action.get("address"))
    recipient = action.get("to", action.get("refundAddress", (frame["result"] or {}).get("address")))
    return _is_one_of(sender, wanted.senders) and _is_one_of(recipient, wanted.recipients)


def _is_one_of(account: str | None, accounts: frozenset[Address]) -> bool:
    return not accounts or (account is not None and bytes.fromhex(account[2:]) in accounts)
