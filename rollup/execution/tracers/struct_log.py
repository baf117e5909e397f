"""The default tracer: every opcode with its gas, stack, memory and storage (geth eth/tracers/logger/logger.go)."""

from collections.abc import Iterable
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
    """The columns of a row. limit: the rows end after this many bytes; 0 sets no limit."""

    disable_stack: bool = False
    disable_storage: bool = False
    enable_memory: bool = False
    enable_return_data: bool = False
    limit: int = 0


class StructLogger(Tracer):
    """A row per opcode. Rows are kept as one JSON text: it is the answer, and takes the least memory that way."""

    wants_opcodes: bool = True

    def __init__(self, options: StructLogOptions, budget: Budget) -> None:
        self._options = options
        self._budget = budget
        self._rows = bytearray()
        self._size = 0  # of the rows, without the commas between them
        self._open: tuple[Step, str] | None = None  # the row whose cost is not known yet
        self._storage: dict[Address, dict[int, str]] = {}
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
        text = ""
        if not options.disable_stack:
            text += f',"stack":{_strings(map(hex, step.stack))}'
        if options.enable_return_data and step.return_data:
            text += f',"returnData":"0x{step.return_data.hex()}"'
        if options.enable_memory and step.memory:
            words = step.memory.hex()
            text += f',"memory":{_strings(words[start : start + 64] for start in range(0, len(words), 64))}'
        if not options.disable_storage and step.opcode in (SLOAD, SSTORE):
            slots = self._slots(step)
            if slots:
                text += f',"storage":{{{",".join(slots.values())}}}'
        self._open = step, text

    def _slots(self, step: Step) -> dict[int, str]:
        """The slots of the frame's account that the transaction has read or written, this one included."""
        slots = self._storage.setdefault(step.address, {})
        if len(step.stack) >= (1 if step.opcode == SLOAD else 2):
            slot = step.stack[-1]
            value = step.accounts.get_storage(step.address, slot) if step.opcode == SLOAD else step.stack[-2]
            slots[slot] = f'"{slot:064x}":"{value:064x}"'
        return slots

    def _close(self) -> None:
        if self._open is None:
            return
        (step, more), self._open = self._open, None
        error = "" if step.error is None else f',"error":{orjson.dumps(describe_error(step.error)).decode()}'
        refund = f',"refund":{step.refund}' if step.refund else ""
        row = (
            f'{{"pc":{step.pc},"op":"{OPCODE_NAMES[step.opcode]}","gas":{step.gas},"gasCost":{step.cost},'
            f'"depth":{step.depth}{error}{more}{refund}}}'
        )
        self._budget.take(len(row) + 1)
        self._size += len(row)
        if self._rows:
            self._rows += b","
        self._rows += row.encode()

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
            "structLogs": orjson.Fragment(b"[" + self._rows + b"]"),
        }


def _strings(items: Iterable[str]) -> str:
    """A JSON list of strings that need no escapes."""
    text = '","'.join(items)
    return f'["{text}"]' if text else "[]"
