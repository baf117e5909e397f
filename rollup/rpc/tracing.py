"""Running known transactions and calls again under a tracer, for debug_ and trace_."""

from collections.abc import Iterator
from typing import Any

from rollup.cooperative import pause
from rollup.execution.block_builder import BlockBuilder
from rollup.execution.calls import CallError, CallRequest, call
from rollup.execution.reexecution import Reexecution
from rollup.execution.state.database import StateUnavailable
from rollup.execution.tracers.budget import Budget, TraceTooLarge
from rollup.execution.tracers.call import CallFrame, CallTracer
from rollup.execution.tracers.flat_call import TraceContext
from rollup.protocol.block import Block
from rollup.protocol.primitives import Hash
from rollup.protocol.transaction import Transaction
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.deadline import Deadline
from rollup.rpc.errors import RpcError
from rollup.rpc.limits import MAX_TRACE_BYTES, TRACE_SECONDS
from rollup.rpc.tracer_options import MakesTracer, TraceCallOptions


def _deadline(seconds: float) -> Deadline:
    """Ends one transaction that runs longer than it may."""
    return Deadline.from_now(seconds, lambda: RpcError("execution timeout"))


class Tracings:
    """Traces of one layer's chain."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._chain = backend.chain

    def transaction(self, tx_hash: Hash, options: MakesTracer) -> Any:
        """The trace of a transaction of the canonical chain; raises RpcError."""
        block, index = self._place(tx_hash)
        builder = self._reexecution(block).builder_before(index)
        return self._trace(builder, block, index, options, Budget(MAX_TRACE_BYTES))

    def call_tree(self, tx_hash: Hash) -> CallFrame:
        """The outermost frame of a transaction, with those below it; raises RpcError."""
        block, index = self._place(tx_hash)
        return self._call_tree(self._reexecution(block).builder_before(index), block.transactions[index])

    def call_trees(self, block: Block) -> Iterator[CallFrame]:
        """The outermost frame of each transaction of a block, which is run once; raises RpcError."""
        builder = self._reexecution(block).builder_before(0)
        for transaction in block.transactions:
            yield self._call_tree(builder, transaction)

    def _call_tree(self, builder: BlockBuilder, transaction: Transaction) -> CallFrame:
        tracer = CallTracer(Budget(MAX_TRACE_BYTES))
        self._run(builder, transaction, tracer, TRACE_SECONDS)
        assert tracer.top is not None
        return tracer.top

    def _place(self, tx_hash: Hash) -> tuple[Block, int]:
        location = self._chain.find_transaction(tx_hash)
        block = None if location is None else self._chain.block(location.block_hash)
        if location is None or block is None:
            raise RpcError("transaction not found")
        return block, location.index

    def block(self, block: Block, options: MakesTracer) -> Iterator[tuple[Transaction, Any]]:
        """Each transaction of a block with its trace; raises RpcError."""
        builder = self._reexecution(block).builder_before(0)
        budget = Budget(MAX_TRACE_BYTES)
        for index, transaction in enumerate(block.transactions):
            yield transaction, self._trace(builder, block, index, options, budget)

    def call(self, request: CallRequest, block: Block, options: TraceCallOptions) -> Any:
        """The trace of a call on the state after a block, or before one of its transactions; raises RpcError."""
        accounts = None
        if options.index is not None:
            if options.index >= len(block.transactions):
                text = f"transaction index {options.index} out of range for block 0x{block.hash.hex()}"
                raise RpcError(text)
            accounts = self._reexecution(block).builder_before(options.index).accounts
        context = self._backend.context(block)
        if options.block is not None:
            context = context.overridden(options.block)
        tracer = options.trace.make(TraceContext(block_number=0), Budget(MAX_TRACE_BYTES))
        try:
            call(
                context,
                self._backend.state(block),
                request,
                self._backend.ancestors(block),
                options.state,
                _deadline(options.trace.seconds),
                tracer,
                accounts,
            )
            return tracer.result()
        except CallError as error:
            raise RpcError(f"tracing failed: {error}") from error
        except TraceTooLarge as error:
            raise RpcError(str(error)) from error

    def _reexecution(self, block: Block) -> Reexecution:
        parent = self._chain.header(block.header.parent_hash)
        if block.header.number == 0 or parent is None:
            raise RpcError("genesis is not traceable")
        try:
            ancestors = self._backend.ancestors(block)
            return Reexecution(self._backend.config, parent, self._chain.states, ancestors, block)
        except StateUnavailable as error:
            raise RpcError(f"historical state 0x{error.state_root.hex()} is not available") from error

    def _trace(self, builder: BlockBuilder, block: Block, index: int, options: MakesTracer, budget: Budget) -> Any:
        transaction = block.transactions[index]
        context = TraceContext(block.hash, block.header.number, transaction.hash, index, builder.log_count)
        tracer = options.make(context, budget)
        return self._run(builder, transaction, tracer, options.seconds)

    @staticmethod
    def _run(builder: BlockBuilder, transaction: Transaction, tracer: Any, seconds: float) -> Any:
        context = builder.evm.context
        context.check_interrupt = _deadline(seconds)
        try:
            with builder.tracing(tracer):
                builder.apply(transaction)
            return tracer.result()
        except TraceTooLarge as error:
            raise RpcError(str(error)) from error
        finally:
            context.check_interrupt = pause
