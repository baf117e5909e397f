"""flatCallTracer: the calls as a list, as Parity traces them (geth eth/tracers/native/call_flat.go)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth.exceptions import (
    InvalidInstruction,
    InvalidJumpDestination,
    OutOfBoundsRead,
    OutOfGas,
    Revert,
    VMError,
)

from rollup.cooperative import pause
from rollup.execution.halts import StackOverflow, StackUnderflow, describe_error
from rollup.execution.tracers.budget import Budget
from rollup.execution.tracers.call import CallFrame, CallTracer
from rollup.execution.tracing import CALL, CREATIONS, OPCODE_NAMES, SELFDESTRUCT, STATICCALL
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import Transaction

if TYPE_CHECKING:
    from rollup.execution.evm import Evm

# Parity's words, the first that fits.
_PARITY: tuple[tuple[type[VMError], str], ...] = (
    (OutOfGas, "Out of gas"),
    (InvalidJumpDestination, "Bad jump destination"),
    (Revert, "Reverted"),
    (OutOfBoundsRead, "Out of bounds"),
    (StackOverflow, "Out of stack"),
    (StackUnderflow, "Stack underflow"),
    (InvalidInstruction, "Bad instruction"),
)


@dataclass(slots=True, frozen=True)
class TraceContext:
    """Which transaction is traced; no hashes of a call. first_log: the number of the block's logs before it."""

    block_hash: Hash | None = None
    block_number: int = 0
    transaction_hash: Hash | None = None
    index: int = 0
    first_log: int = 0


class FlatCallTracer(CallTracer):
    """A list of frames, each with its place in the tree."""

    def __init__(
        self,
        budget: Budget,
        context: TraceContext,
        convert_parity_errors: bool = False,
        include_precompiles: bool = False,
    ) -> None:
        super().__init__(budget)
        self._context = context
        self._convert_parity_errors = convert_parity_errors
        self._include_precompiles = include_precompiles
        self._precompiles: frozenset[Address] = frozenset()

    def on_tx_start(self, evm: "Evm", transaction: Transaction, sender: Address) -> None:
        """The precompiles are those of the block's fork."""
        super().on_tx_start(evm, transaction, sender)
        self._precompiles = evm.rules.protocol_precompiles

    def result(self) -> Any:
        """The frames, each before those below it."""
        top = self.top
        assert top is not None
        return list(self._flat(top))

    def _flat(self, top: CallFrame) -> Iterator[dict[str, Any]]:
        rest: list[tuple[CallFrame, list[int]]] = [(top, [])]
        while rest:
            pause()
            frame, place = rest.pop()
            self._budget.take(8 * len(place))
            below = [call for call in frame.calls if self._include_precompiles or not self._is_precompile(call)]
            yield self._row(frame, place, len(below))
            rest += [(call, [*place, index]) for index, call in reversed(list(enumerate(below)))]

    def _is_precompile(self, frame: CallFrame) -> bool:
        return frame.kind in (CALL, STATICCALL) and frame.target in self._precompiles

    def _row(self, frame: CallFrame, place: list[int], subtraces: int) -> dict[str, Any]:
        context, error = self._context, frame.error
        row: dict[str, Any] = {
            "action": _action(frame, is_outermost=not place),
            "blockHash": None if context.block_hash is None else _hex(context.block_hash),
            "blockNumber": context.block_number,
            "subtraces": subtraces,
            "traceAddress": place,
            "transactionHash": None if context.transaction_hash is None else _hex(context.transaction_hash),
            "transactionPosition": context.index,
            "type": _type(frame),
        }
        if error is not None:
            row["error"] = self._describe(error)
        if frame.kind != SELFDESTRUCT and (error is None or isinstance(error, Revert)):
            row["result"] = _result(frame)
        return row

    def _describe(self, error: VMError) -> str:
        if self._convert_parity_errors:
            for kind, words in _PARITY:
                if isinstance(error, kind):
                    return words
        return describe_error(error)


def _type(frame: CallFrame) -> str:
    return "create" if frame.kind in CREATIONS else "suicide" if frame.kind == SELFDESTRUCT else "call"


def _action(frame: CallFrame, is_outermost: bool) -> dict[str, Any]:
    caller, value = _hex(frame.caller), frame.value
    if frame.kind == SELFDESTRUCT:
        assert frame.target is not None
        return {"address": caller, "balance": hex(value or 0), "refundAddress": _hex(frame.target)}
    action = {"from": caller, "gas": hex(frame.gas), "value": hex(value or 0)}
    if frame.kind in CREATIONS:
        return action | {"creationMethod": OPCODE_NAMES[frame.kind].lower(), "init": _hex(frame.data)}
    assert frame.target is not None
    more = {"callType": OPCODE_NAMES[frame.kind].lower(), "input": _hex(frame.data), "to": _hex(frame.target)}
    return action | more


def _result(frame: CallFrame) -> dict[str, Any]:
    result = {"gasUsed": hex(frame.gas_used)}
    output = _hex(frame.output or b"")
    if frame.kind not in CREATIONS:
        return result | {"output": output}
    if frame.target is not None:
        result["address"] = _hex(frame.target)
    return result | {"code": output}


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
