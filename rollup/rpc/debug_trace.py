"""debug_trace…: geth's tracers over transactions, blocks and calls (geth eth/tracers/api.go)."""

from typing import Any

from rollup.execution.calls import CallRequest
from rollup.protocol.block import Block
from rollup.protocol.primitives import Hash
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import RpcError
from rollup.rpc.formats import hex_data
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import BlockId, Optional, block_id, call_request, hash32
from rollup.rpc.tracer_options import TraceCallOptions, TraceOptions, trace_call_options, trace_options
from rollup.rpc.tracing import Tracings


class DebugTraces:
    """Traces as geth gives them."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._tracings = Tracings(backend)

    @takes_long
    @rpc("debug_traceTransaction", hash32, Optional(trace_options))
    def trace_transaction(self, tx_hash: Hash, options: TraceOptions | None) -> Any:
        """Runs a transaction of the canonical chain again, after those before it in its block."""
        return self._tracings.transaction(tx_hash, options or TraceOptions())

    @takes_long
    @rpc("debug_traceBlockByNumber", block_id, Optional(trace_options))
    def trace_block_by_number(self, block_id: BlockId, options: TraceOptions | None) -> Any:
        """Runs a block again; `{txHash, result}` per transaction."""
        block = self._backend.block(block_id)
        if block is None:
            raise RpcError(
                f"block #{block_id} not found" if isinstance(block_id, int) else f"block {block_id!r} not found"
            )
        return self._block(block, options)

    @takes_long
    @rpc("debug_traceBlockByHash", hash32, Optional(trace_options))
    def trace_block_by_hash(self, block_hash: Hash, options: TraceOptions | None) -> Any:
        """Runs a block again, also an orphaned one; `{txHash, result}` per transaction."""
        block = self._backend.block(block_hash)
        if block is None:
            raise RpcError(f"block 0x{block_hash.hex()} not found")
        return self._block(block, options)

    @takes_long
    @rpc("debug_traceCall", call_request, block_id, Optional(trace_call_options))
    def trace_call(self, request: CallRequest, block_id: BlockId, options: TraceCallOptions | None) -> Any:
        """Runs a call on the state after a block."""
        if block_id == "pending":
            raise RpcError("tracing on top of pending is not supported")
        block = self._backend.block(block_id)
        if block is None:
            name = (
                f"#{block_id}"
                if isinstance(block_id, int)
                else f"0x{block_id.hex()}"
                if isinstance(block_id, bytes)
                else block_id
            )
            raise RpcError(f"block {name} not found")
        return self._tracings.call(request, block, options or TraceCallOptions())

    def _block(self, block: Block, options: TraceOptions | None) -> list[Any]:
        traces = self._tracings.block(block, options or TraceOptions())
        return [{"txHash": hex_data(transaction.hash), "result": result} for transaction, result in traces]
