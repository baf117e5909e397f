"""Programs: codes as they are run, block by block."""

from dataclasses import dataclass
from typing import Any

from eth.exceptions import InvalidJumpDestination

from rollup.cooperative import pause
from rollup.execution.vms.blocks import BRANCH, COMPILED, JUMP, JUMPI, NEXT, RETURN, STOP, Block, count
from rollup.execution.vms.compiler import COMPILED_WEIGHT, compile_region
from rollup.execution.vms.opcodes import Handler, OpcodeTable, opcode_table, push

_LONGEST_BLOCK = 1_024  # opcodes
_SCANNED_AT_ONCE = 65_536  # bytes, 4 ms
# Bytes that what was read of a program takes, about.
_BLOCK_WEIGHT, _OPCODE_WEIGHT = 300, 100


_MOST_COPIES = 2  # opcodes compiled per byte of code


@dataclass(frozen=True, slots=True)
class Heat:
    """When a code is compiled. runs: of the code, after which runs of its blocks are counted. block_runs: of a block,
    after which it is compiled. Compiling takes as long as some hundred runs save.
    """

    runs: int = 64
    block_runs: int = 400


HEAT = Heat()


@dataclass(slots=True)
class Weight:
    """Bytes that several programs take together. It does not hold them: a cycle would outlive its call."""

    total: int = 0


class Program:
    """A code, read block by block as it runs, and compiled where it runs often (compiler.py)."""

    __slots__ = (
        "_code",
        "_compiled",
        "_counts",
        "_destinations",
        "_heat",
        "_opcodes",
        "_runs",
        "_scanned",
        "_single_step",
        "_weight",
        "blocks",
    )

    def __init__(
        self,
        code: bytes,
        opcodes: OpcodeTable,
        weight: Weight,
        single_step: bool = False,
        heat: Heat | None = None,
    ) -> None:
        """weight: of all programs that are kept with this one; what is read here is added to it. single_step: every
        opcode is a block of its own. heat: when to compile; None for never.
        """
        self._code = code
        self._single_step = single_step
        self._heat = heat
        self._runs = 0
        self._counts: dict[int, list[int]] | None = None  # of a hot program: position and runs of each block
        self._compiled = 0  # opcodes
        self._opcodes = opcodes
        self._weight = weight
        self._scanned = 0  # up to here _destinations is complete
        self._destinations: set[int] = set()
        self.blocks: dict[int, Block] = {}

    def warm_up(self) -> None:
        """Counts a run, or a slice of gas within one. From Heat.runs on the blocks' own runs are counted."""
        self._runs += 1
        if self._heat is not None and self._runs == self._heat.runs:
            self._counts = {}
            self.blocks.clear()

    def jump(self, position: int) -> int:
        """The position, if the code may jump there; raises InvalidJumpDestination."""
        if not self.is_jump_destination(position):
            raise InvalidJumpDestination("Invalid Jump Destination")
        return position

    def is_jump_destination(self, position: int) -> bool:
        """A JUMPDEST that is not data of a PUSH."""
        code = self._code
        if position >= len(code) or code[position] != 0x5B:
            return False
        while self._scanned <= position:
            self._scan(min(position + 1, self._scanned + _SCANNED_AT_ONCE))
            pause()
        return position in self._destinations

    def _scan(self, end: int) -> None:
        code, place, found = self._code, self._scanned, self._destinations
        while place < end:
            opcode = code[place]
            if opcode == 0x5B:
                found.add(place)
            elif 0x60 <= opcode <= 0x7F:
                place += opcode - 0x5F
            place += 1
        self._scanned = place

    def read(self, position: int) -> Block:
        """Reads the block that begins here, and keeps it."""
        block = self.block_at(position)
        if self._counts is not None and self._compiled <= _MOST_COPIES * len(self._code):
            counter = self._counts.setdefault(position, [position, 0])
            block = (*block[:3], ((count, counter), *block[3]), *block[4:])
        self.blocks[position] = block
        self._weight.total += _BLOCK_WEIGHT + _OPCODE_WEIGHT * len(block[3])
        return block

    def block_at(self, position: int) -> Block:
        """The block that begins here, without a count of its runs."""
        code, table = self._code, self._opcodes
        handlers: list[tuple[Handler, Any]] = []
        depth = lowest = highest = gas = 0
        start, kind, target = position, NEXT, -1
        while True:
            if position >= len(code):
                if position == start or not self._single_step:
                    kind = STOP
                break
            opcode = code[position]
            if position != start and (opcode == 0x5B or self._single_step):
                break
            entry = table[opcode]
            pops, pushes, cost, handler, argument, ends = entry
            gas += cost
            lowest = min(lowest, depth - pops)
            depth += pushes - pops
            highest = max(highest, depth)
            position += 1
            if 0x60 <= opcode <= 0x7F:
                size = opcode - 0x5F
                value = int.from_bytes(code[position : position + size].ljust(size, b"\0"), "big")
                handlers.append((push, value))
                position += size
                continue
            if opcode in (0x56, 0x57):
                kind, target = self._jump(opcode, handlers)
                break
            if opcode == 0x58:
                argument = position - 1
            if opcode in (0x00, 0xF3):
                kind = RETURN if opcode else STOP
                break
            if handler is not None:
                handlers.append((handler, argument))
            if ends or len(handlers) >= _LONGEST_BLOCK:
                break
        return -lowest, highest, gas, tuple(handlers), kind, target, position

    def compile(self, position: int) -> None:
        """Compiles what begins here and runs on from here most often."""
        counts = self._counts or {}
        found = compile_region(self, position, lambda place: counts.get(place, (0, 0))[1])
        for place in found.places & counts.keys():
            counts[place][1] = 0  # it seldom runs outside of the region from now on
        self._compiled += found.opcodes
        self._weight.total += COMPILED_WEIGHT * found.opcodes
        self.blocks[position] = (0, 0, 0, (), COMPILED, found.region, -1)
        pause()

    def is_due(self, runs: int) -> bool:
        """Whether a block that has run so often is compiled now."""
        return self._heat is not None and runs == self._heat.block_runs

    def _jump(self, opcode: int, handlers: list[tuple[Handler, Any]]) -> tuple[int, int]:
        """A jump to a pushed constant needs no look at its target when it runs."""
        if handlers and handlers[-1][0] is push and self.is_jump_destination(handlers[-1][1]):
            target = handlers.pop()[1]
            return (NEXT if opcode == 0x56 else BRANCH), target
        return (JUMP if opcode == 0x56 else JUMPI), -1


class Programs:
    """Programs by code. All are forgotten when together they take more than heaviest bytes."""

    def __init__(self, heaviest: int = 128 * 1024 * 1024, single_step: bool = False, heat: Heat | None = HEAT) -> None:
        self._weight = Weight()
        self._heaviest = heaviest
        self._single_step = single_step
        self._heat = None if single_step else heat
        self._by_code: dict[tuple[type, bytes], Program] = {}

    def __len__(self) -> int:
        return len(self._by_code)

    @property
    def weight(self) -> int:
        """Bytes that the programs take, about."""
        return self._weight.total

    def of(self, computation: Any) -> Program:
        """The program that a computation runs; that of a creation, which runs once, is not kept."""
        message = computation.msg
        kind: Any = type(computation)
        if message.is_create:
            return Program(message.code, opcode_table(kind), Weight(), self._single_step)
        key = (kind, message.code)
        program = self._by_code.get(key)
        if program is None:
            if self._weight.total > self._heaviest:
                self._by_code.clear()
                self._weight = Weight()
            program = Program(message.code, opcode_table(kind), self._weight, self._single_step, self._heat)
            self._by_code[key] = program
            self._weight.total += _BLOCK_WEIGHT + len(message.code)
        return program


PROGRAMS = Programs()
