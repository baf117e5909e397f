"""The opcode loop, faster than py-evm's and to the same effect.

py-evm looks up, charges and runs opcode by opcode, checking the stack's depth and types at every push and pop. Here a
code is read once into basic blocks, each with the gas of its opcodes and the stack it needs, checked on entry: what
ends a block early is an exceptional halt, which takes all gas and undoes the frame, so nobody can tell when it was
charged. An opcode that shows the gas left, or acts on it, ends its block. The stack holds integers only. Whatever is
rare, or changed by forks (creations, copies, context), is py-evm's own opcode.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eth.exceptions import (
    FullStack,
    Halt,
    InsufficientStack,
    InvalidInstruction,
    InvalidJumpDestination,
    OutOfGas,
    WriteProtection,
)
from eth.vm.forks.berlin.logic import BaseCallEIP2929
from eth.vm.forks.prague.logic import BaseCallEIP7702
from eth.vm.opcode import _FastOpcode

from rollup.cooperative import pause
from rollup.execution.halts import SentryOutOfGas, UndefinedOpcode
from rollup.execution.storage_gas import SLOAD_COLD, SLOAD_WARM, SSTORE_SENTRY, sstore_gas
from rollup.execution.vms.call_opcodes import CALL_KINDS, CallRules, call
from rollup.protocol.primitives import keccak256

_MAX = 2**256 - 1
_SIGN = 2**255
_STACK_LIMIT = 1024
_INVALID = 0xFE  # EIP-141; no entry of py-evm's tables
_KECCAK_WORD, _COPY_WORD, _LOG_TOPIC, _LOG_BYTE = 6, 3, 375, 8
# Gas after which a running frame asks check_interrupt: 1 to 2 ms of the slowest opcodes, at no cost to the others.
GAS_SLICE = 10_000
_LONG_HASH = 16_384  # bytes, 0.1 ms
_LONGEST_BLOCK = 1_024  # opcodes
_SCANNED_AT_ONCE = 65_536  # bytes, 4 ms

Stack = list[int]
Handler = Callable[["Frame", Stack, Any], None]
# How a block goes on.
NEXT, JUMP, JUMPI, BRANCH, STOP, RETURN = range(6)
# Stack needed, stack gained at most, gas, (handler, argument) pairs, how it goes on, jump target, next position.
Block = tuple[int, int, int, tuple[tuple[Handler, Any], ...], int, int, int]


class Frame:
    """What opcodes touch of one computation."""

    __slots__ = ("accounts", "address", "check_interrupt", "computation", "data", "is_static", "memory", "meter")

    def __init__(self, computation: Any) -> None:
        message = computation.msg
        self.computation = computation
        self.meter = computation._gas_meter
        self.memory = computation._memory
        self.accounts = computation.state._account_db
        self.check_interrupt: Callable[[], None] = computation.state.execution_context.check_interrupt
        self.address: bytes = message.storage_address
        self.data: bytes = message.data_as_bytes
        self.is_static: bool = message.is_static

    def charge(self, amount: int) -> None:
        """Takes gas, or raises OutOfGas."""
        meter = self.meter
        if amount > meter.gas_remaining:
            meter.consume_gas(amount, reason="opcode")
        meter.gas_remaining -= amount

    def extend(self, end: int) -> bytearray:
        """Memory of at least end bytes, paid for (Yellow Paper, appendix H)."""
        memory: bytearray = self.memory._bytes
        words, before = (end + 31) >> 5, len(memory) >> 5
        if words > before:
            self.charge(3 * (words - before) + words * words // 512 - before * before // 512)
            missing = bytes((words - before) << 5)
            try:
                memory.extend(missing)
            except BufferError:
                # Someone holds a view of it: they keep the old one, as in py-evm's Memory.
                memory = self.memory._bytes = memory + missing
        return memory


class Program:
    """A code, read block by block as it runs. single_step: every opcode is a block of its own."""

    __slots__ = ("_code", "_destinations", "_opcodes", "_scanned", "_single_step", "_weight", "blocks")

    def __init__(self, code: bytes, opcodes: "OpcodeTable", weight: "Weight", single_step: bool = False) -> None:
        """weight: of all programs that are kept with this one. What is read here is added to it."""
        self._code = code
        self._single_step = single_step
        self._opcodes = opcodes
        self._weight = weight
        self._scanned = 0  # up to here _destinations is complete
        self._destinations: set[int] = set()
        self.blocks: dict[int, Block] = {}

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
        """Reads the block that begins here."""
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
                handlers.append((_push, value))
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
        block = (-lowest, highest, gas, tuple(handlers), kind, target, position)
        self.blocks[start] = block
        self._weight.total += _BLOCK_WEIGHT + _OPCODE_WEIGHT * len(handlers)
        return block

    def _jump(self, opcode: int, handlers: list[tuple[Handler, Any]]) -> tuple[int, int]:
        """A jump to a pushed constant needs no look at its target when it runs."""
        if handlers and handlers[-1][0] is _push and self.is_jump_destination(handlers[-1][1]):
            target = handlers.pop()[1]
            return (NEXT if opcode == 0x56 else BRANCH), target
        return (JUMP if opcode == 0x56 else JUMPI), -1


# Bytes that what was read of a program takes, about.
_BLOCK_WEIGHT, _OPCODE_WEIGHT = 300, 100


@dataclass(slots=True)
class Weight:
    """Bytes that several programs take together. It does not hold them: a cycle would outlive its call."""

    total: int = 0


class Programs:
    """Programs by code. All are forgotten when together they take more than heaviest bytes."""

    def __init__(self, heaviest: int = 128 * 1024 * 1024, single_step: bool = False) -> None:
        self._weight = Weight()
        self._heaviest = heaviest
        self._single_step = single_step
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
            program = Program(message.code, opcode_table(kind), self._weight, self._single_step)
            self._by_code[key] = program
            self._weight.total += _BLOCK_WEIGHT + len(message.code)
        return program


PROGRAMS = Programs()


def run(computation: Any) -> None:
    """Runs a computation's code to its end; raises py-evm's VMError subclasses as its own loop does."""
    program = computation.state.execution_context.programs.of(computation)
    blocks, stack = program.blocks, computation._stack.values
    frame, meter = Frame(computation), computation._gas_meter
    floor = max(meter.gas_remaining - GAS_SLICE, 0)
    position = 0
    try:
        while True:
            block = blocks.get(position)
            if block is None:
                block = program.read(position)
            needed, gained, gas, handlers, kind, target, position = block
            size = len(stack)
            if size < needed:
                raise InsufficientStack(f"Wanted {needed} stack items, only had {size}")
            if size + gained > _STACK_LIMIT:
                raise FullStack("Stack limit reached")
            left = meter.gas_remaining - gas
            if left < floor:
                if left < 0:
                    raise OutOfGas(f"Out of gas: Needed {gas} - Remaining {meter.gas_remaining}")
                frame.check_interrupt()
                floor = max(left - GAS_SLICE, 0)
            meter.gas_remaining = left
            for handler, argument in handlers:
                handler(frame, stack, argument)
            if kind == NEXT:
                if target >= 0:
                    position = target
            elif kind == BRANCH:
                if stack.pop():
                    position = target
            elif kind == JUMP:
                position = stack.pop()
                if not program.is_jump_destination(position):
                    raise InvalidJumpDestination("Invalid Jump Destination")
            elif kind == JUMPI:
                destination = stack.pop()
                if stack.pop():
                    if not program.is_jump_destination(destination):
                        raise InvalidJumpDestination("Invalid Jump Destination")
                    position = destination
            elif kind == RETURN:
                start, size = stack.pop(), stack.pop()
                computation.output = bytes(frame.extend(start + size)[start : start + size]) if size else b""
                return
            else:
                return
    except Halt:
        return


# ---------------------------------------------------------------- the stack
def _push(frame: Frame, stack: Stack, value: int) -> None:
    stack.append(value)


def _pop(frame: Frame, stack: Stack, argument: None) -> None:
    del stack[-1]


def _dup(frame: Frame, stack: Stack, place: int) -> None:
    stack.append(stack[place])


def _swap(frame: Frame, stack: Stack, place: int) -> None:
    stack[-1], stack[place] = stack[place], stack[-1]


# ---------------------------------------------------------------- arithmetic
def _add(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = left + stack[-1] & _MAX


def _mul(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = left * stack[-1] & _MAX


def _sub(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = left - stack[-1] & _MAX


def _div(frame: Frame, stack: Stack, argument: None) -> None:
    left, right = stack.pop(), stack[-1]
    stack[-1] = left // right if right else 0


def _sdiv(frame: Frame, stack: Stack, argument: None) -> None:
    left, right = _signed(stack.pop()), _signed(stack[-1])
    quotient = abs(left) // abs(right) if right else 0
    stack[-1] = (quotient if (left < 0) == (right < 0) else -quotient) & _MAX


def _mod(frame: Frame, stack: Stack, argument: None) -> None:
    left, right = stack.pop(), stack[-1]
    stack[-1] = left % right if right else 0


def _smod(frame: Frame, stack: Stack, argument: None) -> None:
    left, right = _signed(stack.pop()), _signed(stack[-1])
    rest = abs(left) % abs(right) if right else 0
    stack[-1] = (-rest if left < 0 else rest) & _MAX


def _addmod(frame: Frame, stack: Stack, argument: None) -> None:
    left, right, modulus = stack.pop(), stack.pop(), stack[-1]
    stack[-1] = (left + right) % modulus if modulus else 0


def _mulmod(frame: Frame, stack: Stack, argument: None) -> None:
    left, right, modulus = stack.pop(), stack.pop(), stack[-1]
    stack[-1] = left * right % modulus if modulus else 0


def _signextend(frame: Frame, stack: Stack, argument: None) -> None:
    size, value = stack.pop(), stack[-1]
    if size < 31:
        sign = 1 << 8 * size + 7
        stack[-1] = (value | _MAX + 1 - sign) if value & sign else value & sign - 1


def _signed(value: int) -> int:
    return value - _MAX - 1 if value & _SIGN else value


# ---------------------------------------------------------------- comparison and bits
def _lt(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = 1 if left < stack[-1] else 0


def _gt(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = 1 if left > stack[-1] else 0


def _slt(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = 1 if _signed(left) < _signed(stack[-1]) else 0


def _sgt(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = 1 if _signed(left) > _signed(stack[-1]) else 0


def _eq(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = 1 if left == stack[-1] else 0


def _iszero(frame: Frame, stack: Stack, argument: None) -> None:
    stack[-1] = 0 if stack[-1] else 1


def _and(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] &= left


def _or(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] |= left


def _xor(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] ^= left


def _not(frame: Frame, stack: Stack, argument: None) -> None:
    stack[-1] ^= _MAX


def _clz(frame: Frame, stack: Stack, argument: None) -> None:
    stack[-1] = 256 - stack[-1].bit_length()


def _byte(frame: Frame, stack: Stack, argument: None) -> None:
    place = stack.pop()
    stack[-1] = stack[-1] >> 8 * (31 - place) & 255 if place < 32 else 0


def _shl(frame: Frame, stack: Stack, argument: None) -> None:
    distance = stack.pop()
    stack[-1] = stack[-1] << distance & _MAX if distance < 256 else 0


def _shr(frame: Frame, stack: Stack, argument: None) -> None:
    distance = stack.pop()
    stack[-1] = stack[-1] >> distance if distance < 256 else 0


def _sar(frame: Frame, stack: Stack, argument: None) -> None:
    distance = stack.pop()
    stack[-1] = _signed(stack[-1]) >> min(distance, 256) & _MAX


# ---------------------------------------------------------------- memory, input
def _mload(frame: Frame, stack: Stack, argument: None) -> None:
    start = stack[-1]
    memory, end = frame.memory._bytes, start + 32
    if end > len(memory):
        memory = frame.extend(end)
    stack[-1] = int.from_bytes(memory[start:end], "big")


def _mstore(frame: Frame, stack: Stack, argument: None) -> None:
    start = stack.pop()
    memory, end = frame.memory._bytes, start + 32
    if end > len(memory):
        memory = frame.extend(end)
    memory[start:end] = stack.pop().to_bytes(32, "big")


def _mstore8(frame: Frame, stack: Stack, argument: None) -> None:
    start = stack.pop()
    frame.extend(start + 1)[start] = stack.pop() & 255


def _mcopy(frame: Frame, stack: Stack, argument: None) -> None:
    to, start, size = stack.pop(), stack.pop(), stack.pop()
    frame.charge(_COPY_WORD * (size + 31 >> 5))
    if size:
        memory = frame.extend(max(to, start) + size)
        memory[to : to + size] = memory[start : start + size]


def _keccak(frame: Frame, stack: Stack, argument: None) -> None:
    start, size = stack.pop(), stack[-1]
    frame.charge(_KECCAK_WORD * (size + 31 >> 5))
    if size > _LONG_HASH:
        frame.check_interrupt()
    data = bytes(frame.extend(start + size)[start : start + size]) if size else b""
    stack[-1] = int.from_bytes(keccak256(data), "big")


def _calldataload(frame: Frame, stack: Stack, argument: None) -> None:
    start = stack[-1]
    word = frame.data[start : start + 32]
    stack[-1] = int.from_bytes(word if len(word) == 32 else word.ljust(32, b"\0"), "big")


def _calldatasize(frame: Frame, stack: Stack, argument: None) -> None:
    stack.append(len(frame.data))


def _callvalue(frame: Frame, stack: Stack, argument: None) -> None:
    stack.append(frame.computation.msg.value)


def _caller(frame: Frame, stack: Stack, argument: None) -> None:
    stack.append(int.from_bytes(frame.computation.msg.sender, "big"))


def _address(frame: Frame, stack: Stack, argument: None) -> None:
    stack.append(int.from_bytes(frame.address, "big"))


def _returndatasize(frame: Frame, stack: Stack, argument: None) -> None:
    stack.append(len(frame.computation.return_data))


def _gas(frame: Frame, stack: Stack, argument: None) -> None:
    stack.append(frame.meter.gas_remaining)


# ---------------------------------------------------------------- storage, logs
def _sload(frame: Frame, stack: Stack, argument: None) -> None:
    slot, accounts, address = stack[-1], frame.accounts, frame.address
    if accounts.is_storage_warm(address, slot):
        frame.charge(SLOAD_WARM)
    else:
        frame.charge(SLOAD_COLD)
        accounts.mark_storage_warm(address, slot)
    stack[-1] = accounts.get_storage(address, slot)


def _sstore(frame: Frame, stack: Stack, argument: None) -> None:
    if frame.is_static:
        raise WriteProtection("Cannot modify state while inside of a STATICCALL context")
    if frame.meter.gas_remaining <= SSTORE_SENTRY:
        raise SentryOutOfGas
    slot, value, accounts, address = stack.pop(), stack.pop(), frame.accounts, frame.address
    current = accounts.get_storage(address, slot)
    cost, refund = sstore_gas(accounts.get_storage(address, slot, from_journal=False), current, value)
    if not accounts.is_storage_warm(address, slot):
        cost += SLOAD_COLD
        accounts.mark_storage_warm(address, slot)
    frame.charge(cost)
    if refund:
        frame.computation.refund_gas(refund)
    if current != value:
        accounts.set_storage(address, slot, value)


def _log(frame: Frame, stack: Stack, count: int) -> None:
    if frame.is_static:
        raise WriteProtection("Cannot modify state while inside of a STATICCALL context")
    start, size = stack.pop(), stack.pop()
    topics = tuple([stack.pop() for _ in range(count)])
    frame.charge(_LOG_TOPIC * count + _LOG_BYTE * size)
    data = bytes(frame.extend(start + size)[start : start + size]) if size else b""
    computation = frame.computation
    number = computation.transaction_context.get_next_log_counter()
    computation._log_entries.append((number, frame.address, topics, data))


# ---------------------------------------------------------------- py-evm's own
def _py_evm(frame: Frame, stack: Stack, opcode: Callable[[Any], None]) -> None:
    """An opcode of py-evm's, which may leave bytes on top."""
    opcode(frame.computation)
    if stack and stack[-1].__class__ is not int:
        stack[-1] = int.from_bytes(stack[-1], "big")  # type: ignore[arg-type]


def _undefined(frame: Frame, stack: Stack, opcode: int) -> None:
    raise InvalidInstruction if opcode == _INVALID else UndefinedOpcode(opcode)


# Stack items taken and left, static gas, handler and its argument, whether the block ends here.
Entry = tuple[int, int, int, Handler | None, Any, bool]
OpcodeTable = tuple[Entry, ...]

_HANDLERS: dict[str, Handler] = {
    "ADD": _add,
    "MUL": _mul,
    "SUB": _sub,
    "DIV": _div,
    "SDIV": _sdiv,
    "MOD": _mod,
    "SMOD": _smod,
    "ADDMOD": _addmod,
    "MULMOD": _mulmod,
    "SIGNEXTEND": _signextend,
    "LT": _lt,
    "GT": _gt,
    "SLT": _slt,
    "SGT": _sgt,
    "EQ": _eq,
    "ISZERO": _iszero,
    "AND": _and,
    "OR": _or,
    "XOR": _xor,
    "NOT": _not,
    "BYTE": _byte,
    "CLZ": _clz,
    "SHL": _shl,
    "SHR": _shr,
    "SAR": _sar,
    "SHA3": _keccak,
    "ADDRESS": _address,
    "CALLER": _caller,
    "CALLVALUE": _callvalue,
    "CALLDATALOAD": _calldataload,
    "CALLDATASIZE": _calldatasize,
    "RETURNDATASIZE": _returndatasize,
    "POP": _pop,
    "MLOAD": _mload,
    "MSTORE": _mstore,
    "MSTORE8": _mstore8,
    "MCOPY": _mcopy,
    "SLOAD": _sload,
    "SSTORE": _sstore,
    "PC": _push,  # its position
    "GAS": _gas,
}
# These show the gas left or act on it: what comes after them may not have been charged before.
_ENDS = {0x55, 0x5A, 0xF0, 0xF1, 0xF2, 0xF4, 0xF5, 0xFA}
_HALTS = {0xFD, 0xFE, 0xFF}
# Items taken and left (Yellow Paper, appendix H), of what is not regular.
_EFFECTS = (
    {0x00: (0, 0), 0x08: (3, 1), 0x09: (3, 1), 0x15: (1, 1), 0x19: (1, 1), 0x1E: (1, 1), 0x20: (2, 1), 0x31: (1, 1)}
    | {0x35: (1, 1), 0x37: (3, 0), 0x39: (3, 0), 0x3B: (1, 1), 0x3C: (4, 0), 0x3E: (3, 0), 0x3F: (1, 1), 0x40: (1, 1)}
    | {0x49: (1, 1), 0x50: (1, 0), 0x51: (1, 1), 0x52: (2, 0), 0x53: (2, 0), 0x54: (1, 1), 0x55: (2, 0), 0x56: (1, 0)}
    | {0x57: (2, 0), 0x5B: (0, 0), 0x5C: (1, 1), 0x5D: (2, 0), 0x5E: (3, 0), 0xF0: (3, 1), 0xF1: (7, 1), 0xF2: (7, 1)}
    | {0xF3: (2, 0), 0xF4: (6, 1), 0xF5: (4, 1), 0xFA: (6, 1), 0xFD: (2, 0), 0xFE: (0, 0), 0xFF: (1, 0)}
)


def _effect(opcode: int) -> tuple[int, int]:
    if opcode in _EFFECTS:
        return _EFFECTS[opcode]
    if opcode < 0x20:
        return 2, 1
    if opcode < 0x80:
        return 0, 1
    if opcode < 0x90:
        return opcode - 0x7F, opcode - 0x7E
    if opcode < 0xA0:
        return opcode - 0x8E, opcode - 0x8E
    return opcode - 0xA0 + 2, 0


@lru_cache(maxsize=64)
def opcode_table(computation_class: Any) -> OpcodeTable:
    """How to run each byte as one fork's opcode: 256 entries."""
    return tuple(_entry(computation_class.opcodes, opcode) for opcode in range(256))


def _entry(opcodes: dict[int, Any], opcode: int) -> Entry:
    found = opcodes.get(opcode)
    if found is None:
        return 0, 0, 0, _undefined, opcode, True
    pops, pushes = _effect(opcode)
    ends = opcode in _ENDS or opcode in _HALTS
    if opcode in CALL_KINDS and isinstance(found, BaseCallEIP2929):
        rules = CallRules(CALL_KINDS[opcode], isinstance(found, BaseCallEIP7702))
        return pops, pushes, 0, call, rules, ends
    if not isinstance(found, _FastOpcode):
        return pops, pushes, 0, _py_evm, found, ends
    gas: int = found.gas_cost
    if opcode == 0x5B:
        return pops, pushes, gas, None, None, False
    if opcode == 0x5F:
        return pops, pushes, gas, _push, 0, ends
    if 0x80 <= opcode < 0x90:
        return pops, pushes, gas, _dup, 0x7F - opcode, ends
    if 0x90 <= opcode < 0xA0:
        return pops, pushes, gas, _swap, 0x8E - opcode, ends
    if 0xA0 <= opcode < 0xA5:
        return pops, pushes, gas, _log, opcode - 0xA0, ends
    handler = _HANDLERS.get(found.mnemonic)
    if handler is None:
        return pops, pushes, gas, _py_evm, found.logic_fn, ends
    return pops, pushes, gas, handler, None, ends
