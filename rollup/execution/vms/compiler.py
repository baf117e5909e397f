"""Compiles what a code runs often to Python functions.

A region begins at a block and follows the code: through jumps to places that are known, and at a branch along the side
that has run more often; the other side leaves the region. Within a region the stack lives in local variables, constants
are folded, jumps to return addresses disappear, and words of memory and input that were just written or read are not
read again. The real stack is brought up to date where a region is left, and before an opcode that is not compiled.

Gas is charged as in blocks.py, for as much of the region as certainly runs: up to a branch, or up to an opcode that
shows the gas left or acts on it. Opcodes that are not compiled run by their handlers (opcodes.py), so that each rule
has one text.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from rollup.execution.vms.blocks import BRANCH, JUMP, JUMPI, NEXT, RETURN, STOP, Block, Region
from rollup.execution.vms.compiled_opcodes import LAST, write_opcode
from rollup.execution.vms.region_writer import RegionWriter, Value

COMPILED_WEIGHT = 250  # bytes that a compiled opcode takes, about
_LONGEST = 256  # opcodes in a region


class Code(Protocol):
    """The interface of a program that the compiler uses."""

    def block_at(self, position: int) -> Block:
        """The block that begins here."""

    def is_jump_destination(self, position: int) -> bool:
        """Whether the code may jump here."""


class Compiled(NamedTuple):
    """A region, the places of its blocks, and its opcodes; each block counts as one more."""

    region: Region
    places: set[int]
    opcodes: int


def compile_region(program: Code, position: int, runs: Callable[[int], int]) -> Compiled:
    """The region that begins at a position. runs: how often a block has run."""
    writer = RegionWriter()
    path = _Path(program, writer, position, runs)
    path.follow()
    source = "\n".join(["def region(frame, stack):", *("    " + line for line in writer.lines())])
    names = dict(writer.names)
    exec(compile(source, f"<region at {position}>", "exec"), names)
    region: Region = names["region"]
    return Compiled(region, path.places, writer.opcodes)


class _Path:
    """The blocks of a region, in the order in which they run."""

    def __init__(self, program: Code, writer: RegionWriter, position: int, runs: Callable[[int], int]) -> None:
        self._program = program
        self._writer = writer
        self._position = position
        self._runs = runs
        self.places: set[int] = set()

    def follow(self) -> None:
        """Writes blocks until the path ends, or comes to where it was."""
        position: int | None = self._position
        while position is not None:
            if position in self.places or self._writer.opcodes > _LONGEST:
                self._leave(position)
                return
            self.places.add(position)
            position = self._block(position)

    def _block(self, position: int) -> int | None:
        """Writes a block. Returns where the path continues, or None if it has ended."""
        writer = self._writer
        needed, gained, gas, handlers, kind, target, following = self._program.block_at(position)
        writer.begin_block(needed, gained, gas)
        writer.opcodes += 1
        ends = False
        for handler, argument in handlers:
            writer.opcodes += 1
            ends |= write_opcode(writer, handler, argument)
            if handler in LAST:
                return None
        if ends:
            writer.end_segment()
        return self._go_on(kind, target, following)

    def _go_on(self, kind: int, target: int, following: int) -> int | None:
        writer = self._writer
        if kind == NEXT:
            return target if target >= 0 else following
        if kind == BRANCH:
            return self._branch(writer.pop(), target, following)
        if kind == JUMP:
            place = writer.pop()
            if place.number is not None and self._program.is_jump_destination(place.number):
                return place.number
            self._leave_for(f"frame.program.jump({place.text})")
            return None
        if kind == JUMPI:
            place, condition = writer.pop(), writer.pop()
            self._write_exit(f"if {condition.test}:", f"frame.program.jump({place.text})")
            return following
        if kind == RETURN:
            start, size = writer.pop(), writer.pop()
            writer.write(f"frame.computation.output = frame.read({start.text}, {size.text})")
        else:
            assert kind == STOP
        writer.write("return -1")
        return None

    def _branch(self, condition: Value, target: int, following: int) -> int:
        if condition.number is not None:
            return target if condition.number else following
        if self._runs(target) > self._runs(following):
            self._write_exit(f"if not ({condition.test}):", str(following))
            return target
        self._write_exit(f"if {condition.test}:", str(target))
        return following

    def _write_exit(self, test: str, position: str) -> None:
        writer = self._writer
        writer.write(test)
        for line in [*writer.leave(), f"return {position}"]:
            writer.write("    " + line)
        writer.end_segment()

    def _leave(self, position: int) -> None:
        self._leave_for(str(position))

    def _leave_for(self, position: str) -> None:
        writer = self._writer
        for line in writer.leave():
            writer.write(line)
        writer.write(f"return {position}")
