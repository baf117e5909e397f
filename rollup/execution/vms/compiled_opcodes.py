"""How each opcode is written in a compiled region (compiler.py).

An opcode without an entry here runs by its handler (opcodes.py), on the real stack.
"""

from collections.abc import Callable
from typing import Any

from rollup.execution.vms import opcodes
from rollup.execution.vms.opcodes import KECCAK_WORD, LOG_BYTE, LOG_TOPIC, WORD_MAX, Handler
from rollup.execution.vms.region_writer import RegionWriter, constant

_SHORT = 2**16  # sizes and places of the input below this are worked out when compiling


def write_opcode(writer: RegionWriter, handler: Handler, argument: Any) -> bool:
    """Writes an opcode. Returns whether the gas left is seen by it, so that what comes after is charged after it."""
    plain = _PLAIN.get(handler)
    if plain is not None:
        _write_plain(writer, handler, *plain)
        return False
    special = _SPECIAL.get(handler)
    if special is not None:
        return special(writer, argument)
    if handler in _BY_HANDLER:
        values = writer.take(_BY_HANDLER[handler], handler)
        if values is not None:
            writer.on_own_stack(handler, values)
        return False
    writer.run_handler(handler, argument)
    return True


def _write_plain(writer: RegionWriter, handler: Handler, count: int, text: str, is_condition: bool) -> None:
    """A function of the upper items, written as an expression; a is the top."""
    values = writer.take(count, handler)
    if values is None:
        return
    line = text.format(*(value.text for value in values))
    if is_condition:
        writer.condition(line)
    else:
        writer.compute(line)


def _push(writer: RegionWriter, argument: int) -> bool:
    writer.push(constant(argument))
    return False


def _pop(writer: RegionWriter, argument: None) -> bool:
    writer.pop()
    return False


def _dup(writer: RegionWriter, argument: int) -> bool:
    writer.push(writer.peek(-argument))
    return False


def _swap(writer: RegionWriter, argument: int) -> bool:
    writer.swap(-argument)
    return False


def _is_zero(writer: RegionWriter, argument: None) -> bool:
    values = writer.take(1, opcodes.HANDLERS["ISZERO"])
    if values is not None:
        writer.condition(f"not {values[0].test}")
    return False


def _shift(name: str, sign: str, end: str) -> Callable[[RegionWriter, None], bool]:
    def write(writer: RegionWriter, argument: None) -> bool:
        values = writer.take(2, opcodes.HANDLERS[name])
        if values is None:
            return False
        distance, value = values
        if distance.number is None:
            writer.compute(f"{value.text} {sign} {distance.text}{end} if {distance.text} < 256 else 0")
        elif distance.number > 255:
            writer.push(constant(0))
        else:
            writer.compute(f"{value.text} {sign} {distance.number}{end}")
        return False

    return write


def _mload(writer: RegionWriter, argument: None) -> bool:
    writer.push(writer.word(writer.pop()))
    return False


def _mstore(writer: RegionWriter, argument: None) -> bool:
    start, value = writer.pop(), writer.pop()
    writer.write_word(start, value)
    return False


def _keccak(writer: RegionWriter, argument: None) -> bool:
    start, size = writer.pop(), writer.pop()
    if size.number is None or size.number > _SHORT:
        writer.push(size)
        writer.push(start)
        writer.run_handler(opcodes.keccak, None)
        return True
    writer.charge(KECCAK_WORD * (size.number + 31 >> 5))
    writer.compute(f'from_bytes(keccak256({writer.bytes(start, size.number)}), "big")')
    return False


def _calldataload(writer: RegionWriter, argument: None) -> bool:
    start = writer.pop()
    if start.number is None or start.number > _SHORT:
        writer.on_own_stack(opcodes.calldataload, [start])
        return False
    first = start.number
    data = writer.local("data", "frame.data")
    writer.input(("data", first), lambda: f'from_bytes({data}[{first}:{first + 32}].ljust(32, b"\\0"), "big")')
    return False


def _constant(key: str, text: str) -> Callable[[RegionWriter, None], bool]:
    def write(writer: RegionWriter, argument: None) -> bool:
        writer.input(key, lambda: text)
        return False

    return write


def _returndatasize(writer: RegionWriter, argument: None) -> bool:
    writer.compute("len(frame.computation.return_data)")
    return False


def _gas(writer: RegionWriter, argument: None) -> bool:
    writer.compute("meter.gas_remaining")
    return True


def _sload(writer: RegionWriter, argument: None) -> bool:
    slot = writer.pop()
    writer.compute(f"{writer.named(opcodes.load)}(frame, {slot.text})")
    return False


def _sstore(writer: RegionWriter, argument: None) -> bool:
    slot, value = writer.pop(), writer.pop()
    writer.write(f"{writer.named(opcodes.store)}(frame, {slot.text}, {value.text})")
    return True


def _log(writer: RegionWriter, count: int) -> bool:
    start, size = writer.pop(), writer.pop()
    topics = [writer.pop() for _ in range(count)]
    if size.number is None or size.number > _SHORT:
        for value in [*reversed(topics), size, start]:
            writer.push(value)
        writer.run_handler(opcodes.log, count)
        return True
    writer.charge(LOG_TOPIC * count + LOG_BYTE * size.number)
    data = writer.bytes(start, size.number)
    texts = "".join(f"{topic.text}, " for topic in topics)
    writer.write(f"{writer.named(opcodes.add_log)}(frame, ({texts}), {data})")
    return False


_SIGN = 2**255
_A, _B, _C = "{0}", "{1}", "{2}"
# Items taken (the top is 0), the expression, and whether it is a truth value.
_PLAIN: dict[Handler, tuple[int, str, bool]] = {
    opcodes.HANDLERS[name]: (count, text, is_condition)
    for name, count, text, is_condition in (
        ("ADD", 2, f"{_A} + {_B} & {WORD_MAX}", False),
        ("MUL", 2, f"{_A} * {_B} & {WORD_MAX}", False),
        ("SUB", 2, f"{_A} - {_B} & {WORD_MAX}", False),
        ("DIV", 2, f"{_A} // {_B} if {_B} else 0", False),
        ("MOD", 2, f"{_A} % {_B} if {_B} else 0", False),
        ("ADDMOD", 3, f"({_A} + {_B}) % {_C} if {_C} else 0", False),
        ("MULMOD", 3, f"{_A} * {_B} % {_C} if {_C} else 0", False),
        ("AND", 2, f"{_A} & {_B}", False),
        ("OR", 2, f"{_A} | {_B}", False),
        ("XOR", 2, f"{_A} ^ {_B}", False),
        ("NOT", 1, f"{_A} ^ {WORD_MAX}", False),
        ("LT", 2, f"{_A} < {_B}", True),
        ("GT", 2, f"{_A} > {_B}", True),
        ("EQ", 2, f"{_A} == {_B}", True),
        ("SLT", 2, f"({_A} ^ {_SIGN}) < ({_B} ^ {_SIGN})", True),
        ("SGT", 2, f"({_A} ^ {_SIGN}) > ({_B} ^ {_SIGN})", True),
    )
}
_BY_HANDLER: dict[Handler, int] = {
    opcodes.HANDLERS[name]: count
    for name, count in (("SDIV", 2), ("SMOD", 2), ("SIGNEXTEND", 2), ("BYTE", 2), ("SAR", 2), ("CLZ", 1))
}
_SPECIAL: dict[Handler, Callable[[RegionWriter, Any], bool]] = {
    opcodes.push: _push,
    opcodes.dup: _dup,
    opcodes.swap: _swap,
    opcodes.log: _log,
} | {
    opcodes.HANDLERS[name]: write
    for name, write in (
        ("POP", _pop),
        ("ISZERO", _is_zero),
        ("SHL", _shift("SHL", "<<", f" & {WORD_MAX}")),
        ("SHR", _shift("SHR", ">>", "")),
        ("MLOAD", _mload),
        ("MSTORE", _mstore),
        ("SHA3", _keccak),
        ("CALLDATALOAD", _calldataload),
        ("CALLDATASIZE", _constant("calldatasize", "len(frame.data)")),
        ("CALLVALUE", _constant("callvalue", "frame.computation.msg.value")),
        ("CALLER", _constant("caller", 'from_bytes(frame.computation.msg.sender, "big")')),
        ("ADDRESS", _constant("address", 'from_bytes(frame.address, "big")')),
        ("RETURNDATASIZE", _returndatasize),
        ("GAS", _gas),
        ("SLOAD", _sload),
        ("SSTORE", _sstore),
    )
}
# Nothing runs after these.
LAST: frozenset[Handler] = frozenset((opcodes.halt, opcodes.undefined))
