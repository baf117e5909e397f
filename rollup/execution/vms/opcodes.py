"""The opcodes of the loop: a handler for each, and the table of a fork's.

The stack holds integers only. Whatever is rare, or changed by forks (creations, copies, context), is py-evm's own
opcode.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from eth.exceptions import InvalidInstruction, WriteProtection
from eth.vm.forks.berlin.logic import BaseCallEIP2929
from eth.vm.forks.prague.logic import BaseCallEIP7702
from eth.vm.opcode import _FastOpcode

from rollup.execution.halts import SentryOutOfGas, UndefinedOpcode
from rollup.execution.storage_gas import SLOAD_COLD, SLOAD_WARM, SSTORE_SENTRY, sstore_gas
from rollup.execution.vms.call_opcodes import CALL_KINDS, CallRules, call
from rollup.execution.vms.frame import Frame
from rollup.protocol.primitives import keccak256

WORD_MAX = 2**256 - 1
_SIGN = 2**255
_INVALID = 0xFE  # EIP-141; no entry of py-evm's tables
KECCAK_WORD, LOG_TOPIC, LOG_BYTE = 6, 375, 8  # gas
_COPY_WORD = 3
_LONG_HASH = 16_384  # bytes, 0.1 ms

Stack = list[int]
Handler = Callable[[Frame, Stack, Any], None]


# ---------------------------------------------------------------- the stack
def push(frame: Frame, stack: Stack, value: int) -> None:
    stack.append(value)


def _pop(frame: Frame, stack: Stack, argument: None) -> None:
    del stack[-1]


def dup(frame: Frame, stack: Stack, place: int) -> None:
    stack.append(stack[place])


def swap(frame: Frame, stack: Stack, place: int) -> None:
    stack[-1], stack[place] = stack[place], stack[-1]


# ---------------------------------------------------------------- arithmetic
def _add(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = left + stack[-1] & WORD_MAX


def _mul(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = left * stack[-1] & WORD_MAX


def _sub(frame: Frame, stack: Stack, argument: None) -> None:
    left = stack.pop()
    stack[-1] = left - stack[-1] & WORD_MAX


def _div(frame: Frame, stack: Stack, argument: None) -> None:
    left, right = stack.pop(), stack[-1]
    stack[-1] = left // right if right else 0


def _sdiv(frame: Frame, stack: Stack, argument: None) -> None:
    left, right = _signed(stack.pop()), _signed(stack[-1])
    quotient = abs(left) // abs(right) if right else 0
    stack[-1] = (quotient if (left < 0) == (right < 0) else -quotient) & WORD_MAX


def _mod(frame: Frame, stack: Stack, argument: None) -> None:
    left, right = stack.pop(), stack[-1]
    stack[-1] = left % right if right else 0


def _smod(frame: Frame, stack: Stack, argument: None) -> None:
    left, right = _signed(stack.pop()), _signed(stack[-1])
    rest = abs(left) % abs(right) if right else 0
    stack[-1] = (-rest if left < 0 else rest) & WORD_MAX


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
        stack[-1] = (value | WORD_MAX + 1 - sign) if value & sign else value & sign - 1


def _signed(value: int) -> int:
    return value - WORD_MAX - 1 if value & _SIGN else value


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
    stack[-1] ^= WORD_MAX


def _clz(frame: Frame, stack: Stack, argument: None) -> None:
    stack[-1] = 256 - stack[-1].bit_length()


def _byte(frame: Frame, stack: Stack, argument: None) -> None:
    place = stack.pop()
    stack[-1] = stack[-1] >> 8 * (31 - place) & 255 if place < 32 else 0


def _shl(frame: Frame, stack: Stack, argument: None) -> None:
    distance = stack.pop()
    stack[-1] = stack[-1] << distance & WORD_MAX if distance < 256 else 0


def _shr(frame: Frame, stack: Stack, argument: None) -> None:
    distance = stack.pop()
    stack[-1] = stack[-1] >> distance if distance < 256 else 0


def _sar(frame: Frame, stack: Stack, argument: None) -> None:
    distance = stack.pop()
    stack[-1] = _signed(stack[-1]) >> min(distance, 256) & WORD_MAX


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


def keccak(frame: Frame, stack: Stack, argument: None) -> None:
    start, size = stack.pop(), stack[-1]
    frame.charge(KECCAK_WORD * (size + 31 >> 5))
    if size > _LONG_HASH:
        frame.check_interrupt()
    stack[-1] = int.from_bytes(keccak256(frame.read(start, size)), "big")


def calldataload(frame: Frame, stack: Stack, argument: None) -> None:
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
def load(frame: Frame, slot: int) -> int:
    """The value of a slot of the frame's account, paid for."""
    accounts, address = frame.accounts, frame.address
    frame.charge(SLOAD_WARM if accounts.warm_storage(address, slot) else SLOAD_COLD)
    value: int = accounts.get_storage(address, slot)
    return value


def store(frame: Frame, slot: int, value: int) -> None:
    """Writes a slot of the frame's account, and pays for it."""
    if frame.is_static:
        raise WriteProtection("Cannot modify state while inside of a STATICCALL context")
    if frame.meter.gas_remaining <= SSTORE_SENTRY:
        raise SentryOutOfGas
    accounts, address = frame.accounts, frame.address
    current = accounts.get_storage(address, slot)
    cost, refund = sstore_gas(accounts.get_storage(address, slot, from_journal=False), current, value)
    if not accounts.warm_storage(address, slot):
        cost += SLOAD_COLD
    frame.charge(cost)
    if refund:
        frame.computation.refund_gas(refund)
    if current != value:
        accounts.set_storage(address, slot, value)


def add_log(frame: Frame, topics: tuple[int, ...], data: bytes) -> None:
    """A log that is paid for."""
    if frame.is_static:
        raise WriteProtection("Cannot modify state while inside of a STATICCALL context")
    computation = frame.computation
    number = computation.transaction_context.get_next_log_counter()
    computation._log_entries.append((number, frame.address, topics, data))


def _sload(frame: Frame, stack: Stack, argument: None) -> None:
    stack[-1] = load(frame, stack[-1])


def _sstore(frame: Frame, stack: Stack, argument: None) -> None:
    store(frame, stack.pop(), stack.pop())


def log(frame: Frame, stack: Stack, count: int) -> None:
    """LOG0 to LOG4."""
    start, size = stack.pop(), stack.pop()
    topics = tuple([stack.pop() for _ in range(count)])
    frame.charge(LOG_TOPIC * count + LOG_BYTE * size)
    add_log(frame, topics, frame.read(start, size))


# ---------------------------------------------------------------- py-evm's own
def _py_evm(frame: Frame, stack: Stack, opcode: Callable[[Any], None]) -> None:
    """An opcode of py-evm's, which may leave bytes on top."""
    opcode(frame.computation)
    if stack and stack[-1].__class__ is not int:
        stack[-1] = int.from_bytes(stack[-1], "big")  # type: ignore[arg-type]


def halt(frame: Frame, stack: Stack, opcode: Callable[[Any], None]) -> None:
    """An opcode that ends the frame."""
    opcode(frame.computation)


def undefined(frame: Frame, stack: Stack, opcode: int) -> None:
    raise InvalidInstruction if opcode == _INVALID else UndefinedOpcode(opcode)


# Stack items taken and left, static gas, handler and its argument, whether the block ends here.
Entry = tuple[int, int, int, Handler | None, Any, bool]
OpcodeTable = tuple[Entry, ...]

HANDLERS: dict[str, Handler] = {
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
    "SHA3": keccak,
    "ADDRESS": _address,
    "CALLER": _caller,
    "CALLVALUE": _callvalue,
    "CALLDATALOAD": calldataload,
    "CALLDATASIZE": _calldatasize,
    "RETURNDATASIZE": _returndatasize,
    "POP": _pop,
    "MLOAD": _mload,
    "MSTORE": _mstore,
    "MSTORE8": _mstore8,
    "MCOPY": _mcopy,
    "SLOAD": _sload,
    "SSTORE": _sstore,
    "PC": push,  # its position
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
        return 0, 0, 0, undefined, opcode, True
    pops, pushes = _effect(opcode)
    ends = opcode in _ENDS or opcode in _HALTS
    if opcode in CALL_KINDS and isinstance(found, BaseCallEIP2929):
        rules = CallRules(CALL_KINDS[opcode], isinstance(found, BaseCallEIP7702))
        return pops, pushes, 0, call, rules, ends
    if opcode in _HALTS:
        return pops, pushes, 0, halt, found, ends
    if not isinstance(found, _FastOpcode):
        return pops, pushes, 0, _py_evm, found, ends
    gas: int = found.gas_cost
    if opcode == 0x5B:
        return pops, pushes, gas, None, None, False
    if opcode == 0x5F:
        return pops, pushes, gas, push, 0, ends
    if 0x80 <= opcode < 0x90:
        return pops, pushes, gas, dup, 0x7F - opcode, ends
    if 0x90 <= opcode < 0xA0:
        return pops, pushes, gas, swap, 0x8E - opcode, ends
    if 0xA0 <= opcode < 0xA5:
        return pops, pushes, gas, log, opcode - 0xA0, ends
    handler = HANDLERS.get(found.mnemonic)
    if handler is None:
        return pops, pushes, gas, _py_evm, found.logic_fn, ends
    return pops, pushes, gas, handler, None, ends
