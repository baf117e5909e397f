"""The default tracer: every opcode with its gas, stack, memory and storage (geth eth/tracers/logger/logger.go)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from eth.exceptions import Revert, VMError

from rollup.execution.halts import describe_error
from rollup.execution.tracers.budget import Budget
from rollup.execution.tracing import OPCODE_NAMES, SLOAD, SSTORE, Step, Tracer
from rollup.protocol.primitives import Address

if TYPE_CHECKING:
    from rollup.execution.evm import Evm, Outcome


@dataclass(slots=True, frozen=True)
class StructLogOptions:
    """What a row shows. limit: the rows end after so many bytes; 0 is no limit of the caller's."""

    disable_stack: bool = False
    disable_storage: bool = False
    enable_memory: bool = False
    enable_return_data: bool = False
    limit: int = 0


class StructLogger(Tracer):
    """A row per opcode. Rows are kept as JSON text: they are the answer, and take the least memory that way."""

    wants_opcodes: bool = True

    def __init__(self, options: StructLogOptions, budget: Budget) -> None:
        self._options = options
        self._budget = budget
        self._rows: list[bytes] = []
        self._size = 0
        self._open: tuple[Step, dict[str, Any]] | None = None  # the row whose cost is not known yet
        self._storage: dict[Address, dict[str, str]] = {}
        self._output = b""
        self._error: VMError | None = None
        self._gas_used = 0
        self._is_system_call = False

    def on_system_call_start(self) -> None:
        """geth leaves the protocol's own calls out."""
        self._is_system_call = True

    def on_system_call_end(self) -> None:
        """Rows again."""
        self._is_system_call = False

    def on_opcode(self, step: Step) -> None:
        """Begins a row, and ends the one before."""
        self._close()
        options = self._options
        if self._is_system_call or (options.limit and self._size > options.limit):
            return
        row: dict[str, Any] = {}
        if not options.disable_stack:
            row["stack"] = [hex(item) for item in step.stack]
        if options.enable_return_data and step.return_data:
            row["returnData"] = "0x" + step.return_data.hex()
        if options.enable_memory and step.memory:
            text = step.memory.hex()
            row["memory"] = [text[start : start + 64] for start in range(0, len(text), 64)]
        if not options.disable_storage and step.opcode in (SLOAD, SSTORE):
            slots = self._slots(step)
            if slots:
                row["storage"] = dict(slots)
        self._open = step, row

    def _slots(self, step: Step) -> dict[str, str]:
        """The slots of the frame's account that the transaction has read or written, this one included."""
        slots = self._storage.setdefault(step.address, {})
        if len(step.stack) >= (1 if step.opcode == SLOAD else 2):
            slot = step.stack[-1]
            value = step.accounts.get_storage(step.address, slot) if step.opcode == SLOAD else step.stack[-2]
            slots[f"{slot:064x}"] = f"{value:064x}"
        return slots

    def _close(self) -> None:
        if self._open is None:
            return
        (step, more), self._open = self._open, None
        row: dict[str, Any] = {
            "pc": step.pc,
            "op": OPCODE_NAMES[step.opcode],
            "gas": step.gas,
            "gasCost": step.cost,
            "depth": step.depth,
        }
        if step.error is not None:
            row["error"] = describe_error(step.error)
        row |= more
        if step.refund:
            row["refund"] = step.refund
        text = orjson.dumps(row)
        self._budget.take(len(text) + 33)  # and the bytes object around it
        self._size += len(text)
        self._rows.append(text)

    def on_exit(self, depth: int, output: bytes, gas_used: int, error: VMError | None) -> None:
        """The outermost frame's end is the transaction's."""
        if depth == 0 and not self._is_system_call:
            self._output, self._error = output, error

    def on_tx_end(self, evm: "Evm", outcome: "Outcome") -> None:
        """A deposit may fail before its first frame."""
        self._gas_used = outcome.gas_used
        self._error = self._error or outcome.error

    def result(self) -> Any:
        """geth's ExecutionResult."""
        self._close()
        shows_output = self._error is None or isinstance(self._error, Revert)
        return {
            "gas": self._gas_used,
            "failed": self._error is not None,
            "returnValue": "0x" + (self._output.hex() if shows_output else ""),
            "structLogs": [orjson.Fragment(row) for row in self._rows],
        }
