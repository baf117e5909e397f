"""muxTracer: several tracers in one run; noopTracer: none (geth eth/tracers/native/{mux,noop}.go)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from eth.exceptions import VMError

from rollup.execution.tracing import Step, Tracer
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import Transaction

if TYPE_CHECKING:
    from rollup.execution.evm import Evm, Outcome


class NoopTracer(Tracer):
    """Runs the transaction and returns nothing."""

    def result(self) -> Any:
        """An empty object."""
        return {}


class MuxTracer(Tracer):
    """Passes every hook on to each of its tracers."""

    def __init__(self, tracers: Mapping[str, Any]) -> None:
        self._tracers = dict(tracers)
        self._all: list[Tracer] = list(tracers.values())
        self._stepping = [tracer for tracer in self._all if tracer.wants_opcodes]
        self.wants_opcodes = bool(self._stepping)

    def on_tx_start(self, evm: "Evm", transaction: Transaction, sender: Address) -> None:
        """Passes the hook on to every tracer."""
        for tracer in self._all:
            tracer.on_tx_start(evm, transaction, sender)

    def on_tx_end(self, evm: "Evm", outcome: "Outcome") -> None:
        """Passes the hook on to every tracer."""
        for tracer in self._all:
            tracer.on_tx_end(evm, outcome)

    def on_system_call_start(self) -> None:
        """Passes the hook on to every tracer."""
        for tracer in self._all:
            tracer.on_system_call_start()

    def on_system_call_end(self) -> None:
        """Passes the hook on to every tracer."""
        for tracer in self._all:
            tracer.on_system_call_end()

    def on_enter(
        self, depth: int, kind: int, caller: Address, target: Address, value: int | None, gas: int, data: bytes
    ) -> None:
        """Passes the hook on to every tracer."""
        for tracer in self._all:
            tracer.on_enter(depth, kind, caller, target, value, gas, data)

    def on_exit(self, depth: int, output: bytes, gas_used: int, error: VMError | None) -> None:
        """Passes the hook on to every tracer."""
        for tracer in self._all:
            tracer.on_exit(depth, output, gas_used, error)

    def on_opcode(self, step: Step) -> None:
        """Passes the hook on to every tracer that wants opcodes."""
        for tracer in self._stepping:
            tracer.on_opcode(step)

    def on_log(self, address: Address, topics: tuple[int, ...], data: bytes) -> None:
        """Passes the hook on to every tracer."""
        for tracer in self._all:
            tracer.on_log(address, topics, data)

    def result(self) -> Any:
        """Each tracer's result under its name."""
        return {name: tracer.result() for name, tracer in self._tracers.items()}
