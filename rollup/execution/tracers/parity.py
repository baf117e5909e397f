"""The three traces of Parity in one run: trace, stateDiff, vmTrace (OpenEthereum crates/rpc/src/v1/types/trace.rs)."""

from collections.abc import Collection
from typing import Any, Final

from rollup.execution.evm import Evm, Outcome
from rollup.execution.tracers.budget import Budget
from rollup.execution.tracers.call import CallFrame
from rollup.execution.tracers.flat_call import FlatCallTracer, TraceContext
from rollup.execution.tracers.mux import MuxTracer
from rollup.execution.tracers.state_diff import StateDiffTracer
from rollup.execution.tracers.vm_trace import VmTracer
from rollup.protocol.primitives import Address

TRACE, STATE_DIFF, VM_TRACE = "trace", "stateDiff", "vmTrace"
KINDS: Final = (TRACE, STATE_DIFF, VM_TRACE)
_PLACE: Final = ("blockHash", "blockNumber", "transactionHash", "transactionPosition")


class ParityCalls(FlatCallTracer):
    """The frames in Parity's own words. The outermost one has the gas that its code had and used: without what the
    transaction cost before it, and before refunds. geth's flatCallTracer shows the transaction's gas there.

    is_placed: each frame names its block and transaction.
    """

    def __init__(self, budget: Budget, context: TraceContext, is_placed: bool = True) -> None:
        super().__init__(budget, context, convert_parity_errors=True)
        self._is_placed = is_placed

    @property
    def output(self) -> bytes:
        """The output of the outermost frame: returned data, a new contract's code, or the data of a revert."""
        return b"" if self.top is None else self.top.output or b""

    def on_enter(
        self, depth: int, kind: int, caller: Address, target: Address, value: int | None, gas: int, data: bytes
    ) -> None:
        """A frame below the newest."""
        super().on_enter(depth, kind, caller, target, value, gas, data)
        if depth == 0 and not self._is_system_call:
            self._open[-1].gas = gas

    def on_tx_end(self, evm: Evm, outcome: Outcome) -> None:
        """A deposit may fail before its first frame: then the transaction's gas is all there is."""
        has_run, own_gas = self.top is not None, 0 if self.top is None else self.top.gas_used
        super().on_tx_end(evm, outcome)
        if has_run and self.top is not None:
            self.top.gas_used = own_gas

    def _row(self, frame: CallFrame, place: list[int], subtraces: int) -> dict[str, Any]:
        row = super()._row(frame, place, subtraces)
        row.setdefault("result", None)
        if not self._is_placed:
            for name in _PLACE:
                del row[name]
        return row


class ParityTracer(MuxTracer):
    """Answers `{output, stateDiff, trace, vmTrace}`; what was not asked for is empty or null, as from reth."""

    def __init__(self, kinds: Collection[str], budget: Budget, context: TraceContext) -> None:
        self._kinds = kinds
        self._calls = ParityCalls(budget, context, is_placed=False)
        parts: dict[str, Any] = {TRACE: self._calls}
        if STATE_DIFF in kinds:
            parts[STATE_DIFF] = StateDiffTracer(budget)
        if VM_TRACE in kinds:
            parts[VM_TRACE] = VmTracer(budget)
        super().__init__(parts)

    def result(self) -> Any:
        """Parity's TraceResults."""
        found = {name: tracer.result() for name, tracer in self._tracers.items() if name in self._kinds}
        return {
            "output": "0x" + self._calls.output.hex(),
            STATE_DIFF: found.get(STATE_DIFF),
            TRACE: found.get(TRACE, []),
            VM_TRACE: found.get(VM_TRACE),
        }
