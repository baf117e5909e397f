"""Parity's vmTrace: the opcodes of a transaction with their effects, and the frames that they made.

As in OpenEthereum (crates/ethcore/src/trace/executive_tracer.rs): `cost` is the gas that the opcode took, with the gas
that it gave to a frame; `ex.used` is the gas left after it; `ex` is null if the opcode failed. `ex.push` are the items
that it left on the stack (DUP2 leaves 3, SWAP1 leaves 2), `ex.mem` the memory that it named, `ex.store` the slot that
it wrote. `sub` is null where no code ran. `op` is the opcode's name.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson
from eth.exceptions import Revert, VMError

from rollup.execution.tracers.budget import Budget
from rollup.execution.tracing import (
    CALL,
    CALLCODE,
    CREATIONS,
    DELEGATECALL,
    OPCODE_NAMES,
    SELFDESTRUCT,
    SSTORE,
    STATICCALL,
    STOP,
    Step,
    Tracer,
)
from rollup.protocol.primitives import Address

_CALLDATACOPY, _CODECOPY, _EXTCODECOPY, _RETURNDATACOPY, _MCOPY = 0x37, 0x39, 0x3C, 0x3E, 0x5E
_POP, _MLOAD, _MSTORE, _MSTORE8, _JUMP, _JUMPI, _JUMPDEST, _TSTORE = 0x50, 0x51, 0x52, 0x53, 0x56, 0x57, 0x5B, 0x5D
_PUSHES, _DUPS, _SWAPS, _LOGS = range(0x5F, 0x80), range(0x80, 0x90), range(0x90, 0xA0), range(0xA0, 0xA5)
_RETURN, _REVERT, _INVALID = 0xF3, 0xFD, 0xFE
_PUSH_NOTHING: Final = frozenset(
    (
        *(STOP, SSTORE, SELFDESTRUCT, _CALLDATACOPY, _CODECOPY, _EXTCODECOPY, _RETURNDATACOPY, _MCOPY),
        *(_POP, _MSTORE, _MSTORE8, _JUMP, _JUMPI, _JUMPDEST, _TSTORE, *_LOGS, _RETURN, _REVERT, _INVALID),
    )
)
# Where on the stack the offset of the memory stands that an opcode writes, 0 for the top, and its size.
_WRITTEN: Final = {
    **dict.fromkeys((_CALLDATACOPY, _CODECOPY, _RETURNDATACOPY, _MCOPY), (0, 2)),
    _EXTCODECOPY: (1, 3),
    **dict.fromkeys((CALL, CALLCODE), (5, 6)),
    **dict.fromkeys((DELEGATECALL, STATICCALL), (4, 5)),
}
_WORDS: Final = {_MLOAD: 32, _MSTORE: 32, _MSTORE8: 1}  # bytes of memory at the offset that is the top


@dataclass(slots=True)
class _Frame:
    """An open frame. step is its newest opcode, whose row is not complete; has_sub: that opcode's frame is written."""

    has_begun: bool = False
    step: Step | None = None
    has_sub: bool = False
    given: int = 0  # gas of the frame that a creation made
    memory: tuple[int, int] | None = None  # offset and size that the opcode writes
    slot: tuple[int, int] | None = None  # key and value that the opcode writes


class VmTracer(Tracer):
    """Writes the answer as one JSON text while the transaction runs: it may be nested deeper than orjson allows."""

    wants_opcodes: bool = True

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._text = bytearray()
        self._frames: list[_Frame] = []

    def on_enter(
        self, depth: int, kind: int, caller: Address, target: Address, value: int | None, gas: int, data: bytes
    ) -> None:
        """Nothing is written before the frame's first opcode."""
        if kind in CREATIONS and self._frames:
            self._frames[-1].given = gas
        self._frames.append(_Frame())

    def on_exit(self, depth: int, output: bytes, gas_used: int, error: VMError | None) -> None:
        """Completes the last row."""
        frame = self._frames.pop()
        if not frame.has_begun:
            return
        step = frame.step
        assert step is not None
        has_ended_frame = step.opcode in (STOP, _RETURN) and step.error is None  # its code could not be kept then
        is_done = error is None or isinstance(error, Revert) or has_ended_frame
        self._close(frame, step.gas - step.cost if is_done else None, step.stack)
        self._write(b"]}")

    def on_opcode(self, step: Step) -> None:
        """Completes the row before, and begins one."""
        frame = self._frames[-1]
        if frame.step is None:
            self._begin(frame, step.frame.msg.code)
        else:
            self._close(frame, step.gas, step.stack)
            self._write(b",")
        frame.step, frame.has_sub, frame.given = step, False, 0
        frame.memory = _written(step.opcode, step.stack)
        frame.slot = (step.stack[-1], step.stack[-2]) if step.opcode == SSTORE and len(step.stack) > 1 else None
        self._write(f'{{"pc":{step.pc},"op":"{OPCODE_NAMES[step.opcode]}","idx":null'.encode())

    def result(self) -> Any:
        """Parity's VMTrace; without opcodes where no code ran."""
        return orjson.Fragment(bytes(self._text) or b'{"code":"0x","ops":[]}')

    def _begin(self, frame: _Frame, code: bytes) -> None:
        if len(self._frames) > 1:
            self._frames[-2].has_sub = True
            self._write(b',"sub":')
        frame.has_begun = True
        self._write(f'{{"code":"0x{code.hex()}","ops":['.encode())

    def _close(self, frame: _Frame, gas_left: int | None, stack: list[int]) -> None:
        """Completes a row. gas_left: the gas after the opcode, None if it failed. stack: the stack after it."""
        step = frame.step
        assert step is not None
        sub = "" if frame.has_sub else ',"sub":null'
        done = "null" if gas_left is None else _effects(frame, step, gas_left, stack)
        self._write(f'{sub},"cost":{step.cost + frame.given},"ex":{done}}}'.encode())

    def _write(self, text: bytes) -> None:
        self._budget.take(len(text))
        self._text += text


def _effects(frame: _Frame, step: Step, gas_left: int, stack: list[int]) -> str:
    pushed = _pushed(step.opcode)
    items = ",".join(f'"{item:#x}"' for item in stack[-pushed:]) if pushed else ""
    memory = slot = "null"
    if frame.memory is not None:
        start, size = frame.memory
        memory = f'{{"off":{start},"data":"0x{step.memory[start : start + size].hex()}"}}'
    if frame.slot is not None:
        slot = f'{{"key":"{frame.slot[0]:#x}","val":"{frame.slot[1]:#x}"}}'
    return f'{{"used":{gas_left},"push":[{items}],"mem":{memory},"store":{slot}}}'


def _pushed(opcode: int) -> int:
    """The items that an opcode leaves on the stack, those included that it only moves."""
    if opcode in _DUPS:
        return opcode - _DUPS.start + 2
    if opcode in _SWAPS:
        return opcode - _SWAPS.start + 2
    return int(opcode in _PUSHES or opcode not in _PUSH_NOTHING)


def _written(opcode: int, stack: list[int]) -> tuple[int, int] | None:
    """Offset and size of the memory that an opcode names, None where it names none."""
    if opcode in _WORDS:
        return (stack[-1], _WORDS[opcode]) if stack else None
    place = _WRITTEN.get(opcode)
    if place is None or len(stack) <= place[1]:
        return None
    start, size = (stack[-1 - item] for item in place)
    return (start, size) if size else None
