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
from typing import Any, NamedTuple, Protocol

from eth.exceptions import FullStack, InsufficientStack

from rollup.execution.vms import opcodes
from rollup.execution.vms.blocks import BRANCH, JUMP, JUMPI, NEXT, RETURN, STOP, Block, Region, count
from rollup.execution.vms.frame import STACK_LIMIT
from rollup.execution.vms.opcodes import KECCAK_WORD, LOG_BYTE, LOG_TOPIC, WORD_MAX, Handler
from rollup.protocol.primitives import keccak256

COMPILED_WEIGHT = 250  # bytes that a compiled opcode takes, about
_LONGEST = 256  # opcodes in a region
_SHORT = 2**16  # constants of places and sizes below this are worked out when compiling


class Code(Protocol):
    """What the compiler asks of a program."""

    def block_at(self, position: int) -> Block:
        """The block that begins here."""

    def is_jump_destination(self, position: int) -> bool:
        """Whether the code may jump here."""


class Value(NamedTuple):
    """A stack item: how it is written, its number if that is known, and for a truth value its condition."""

    text: str
    number: int | None = None
    condition: str | None = None

    @property
    def test(self) -> str:
        """What is true where the value is not zero."""
        return self.condition or f"{self.text}"


class Compiled(NamedTuple):
    """A region, the places of its blocks, and its opcodes; each block counts as one more."""

    region: Region
    places: set[int]
    opcodes: int


def compile_region(program: Code, position: int, runs: Callable[[int], int]) -> Compiled:
    """The region that begins at a position. runs: how often a block has run."""
    writer = _Writer()
    path = _Path(program, writer, position, runs)
    path.follow()
    source = "\n".join(["def region(frame, stack):", *("    " + line for line in writer.lines())])
    names = dict(writer.names)
    exec(compile(source, f"<region at {position}>", "exec"), names)
    region: Region = names["region"]
    return Compiled(region, path.places, writer.opcodes)


def _number(value: int) -> Value:
    return Value(f"{value:#x}" if value > 9 else str(value), value)


def _too_small(size: int, needed: int) -> None:
    raise InsufficientStack(f"Wanted {needed} stack items, only had {size}")


def _too_large() -> None:
    raise FullStack("Stack limit reached")


class _Writer:
    """The lines of a region, and the state of the frame as far as it is known there."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {
            "from_bytes": int.from_bytes,
            "keccak256": keccak256,
            "too_large": _too_large,
            "too_small": _too_small,
        }
        self.opcodes = 0
        self._lines: list[str] = []
        self._setup: dict[str, str] = {"meter": "frame.meter"}
        self._variables = 0
        self._objects: dict[int, str] = {}
        # The stack: items above what is left of the real one, of which so many were taken.
        self.items: list[Value] = []
        self.taken = 0
        self._entries: dict[int, Value] = {}
        # Since the region began.
        self._height = self._lowest = self._highest = 0
        self._checked_lowest = self._checked_highest = 0
        self._has_moved = False
        self._segment = -1  # the line where the gas of what comes next is charged
        self._gas = 0
        self._words: dict[int, Value] = {}  # of memory
        self._inputs: dict[object, Value] = {}
        self._has_memory = False
        self._known_memory = 0  # bytes that memory certainly has

    # ------------------------------------------------------------ text
    def lines(self) -> list[str]:
        """All lines of the region."""
        self.end_segment()
        return [f"{name} = {text}" for name, text in self._setup.items()] + self._lines

    def write(self, line: str) -> None:
        """Adds a line."""
        self._lines.append(line)

    def local(self, name: str, text: str) -> str:
        """A local variable that is set when the region begins."""
        self._setup[name] = text
        return name

    def named(self, thing: object) -> str:
        """The name of an object that is not a number."""
        name = self._objects.get(id(thing))
        if name is None:
            name = self._objects[id(thing)] = f"o{len(self._objects)}"
            self.names[name] = thing
        return name

    def new(self, text: str) -> Value:
        """A new variable with this value."""
        self._variables += 1
        name = f"v{self._variables}"
        self.write(f"{name} = {text}")
        return Value(name)

    # ------------------------------------------------------------ gas and bounds
    def begin_block(self, needed: int, gained: int, gas: int) -> None:
        """What a block charges and needs."""
        if self._segment < 0:
            self._segment = len(self._lines)
            self.write("")
        self._gas += gas
        self._lowest = min(self._lowest, self._height - needed)
        self._highest = max(self._highest, self._height + gained)

    def charge(self, gas: int) -> None:
        """More gas of the opcode that runs now."""
        self._gas += gas

    def end_segment(self) -> None:
        """From here on gas is charged anew."""
        if self._segment < 0:
            return
        checks = []
        if self._lowest < self._checked_lowest:
            self._checked_lowest = self._lowest
            checks.append(f"if size < {-self._lowest}: too_small(size, {-self._lowest})")
        if self._highest > self._checked_highest:
            self._checked_highest = self._highest
            checks.append(f"if size > {STACK_LIMIT - self._highest}: too_large()")
        if checks:
            self.local("size", "len(stack)")
        if self._gas:
            checks.append(f"left = meter.gas_remaining - {self._gas}")
            checks.append("if left < frame.floor: frame.pass_floor(left)")
            checks.append("meter.gas_remaining = left")
        self._lines[self._segment] = "\n    ".join(checks) or "pass"
        self._segment, self._gas = -1, 0
        if self._has_moved:
            # The handler of an opcode has changed the real stack: count from its height now.
            self.write("size = len(stack)")
            self._has_moved = False
            self._height = len(self.items) - self.taken
            self._lowest = self._highest = self._checked_lowest = self._checked_highest = 0

    # ------------------------------------------------------------ the stack
    def _entry(self, place: int) -> Value:
        """An item of the real stack, 1 for the top."""
        value = self._entries.get(place)
        if value is None:
            value = self._entries[place] = self.new(f"stack[{-place}]")
        return value

    def push(self, value: Value) -> None:
        """Puts an item on top."""
        self.items.append(value)
        self._height += 1

    def pop(self) -> Value:
        """Takes the item from the top."""
        self._height -= 1
        if self.items:
            return self.items.pop()
        self.taken += 1
        return self._entry(self.taken)

    def peek(self, place: int) -> Value:
        """An item, 1 for the top."""
        if place <= len(self.items):
            return self.items[-place]
        return self._entry(self.taken + place - len(self.items))

    def swap(self, place: int) -> None:
        """Exchanges the top, 1, with another item."""
        while len(self.items) < place:
            self.taken += 1
            self.items.insert(0, self._entry(self.taken))
        self.items[-1], self.items[-place] = self.items[-place], self.items[-1]

    def leave(self) -> list[str]:
        """The lines that bring the real stack up to date. What is known of it stays."""
        items, taken = list(self.items), self.taken
        while items and taken and items[0] is self._entries.get(taken):
            del items[0]
            taken -= 1
        texts = [item.text if item.condition is None else f"1 if {item.condition} else 0" for item in items]
        if not texts:
            return [f"del stack[-{taken}:]"] if taken else []
        if len(texts) == 1 and taken < 2:
            return [f"stack[-1] = {texts[0]}" if taken else f"stack.append({texts[0]})"]
        return [f"stack[-{taken}:] = ({', '.join(texts)},)" if taken else f"stack.extend(({', '.join(texts)},))"]

    def flush(self) -> None:
        """Brings the real stack up to date and forgets what was known of it."""
        self._lines += self.leave()
        self.items, self.taken, self._entries = [], 0, {}

    def run_handler(self, handler: Handler, argument: Any) -> None:
        """Runs an opcode by its handler, on the real stack."""
        self.flush()
        self.write(f"{self.named(handler)}(frame, stack, {self._argument(argument)})")
        self._has_moved = True
        self._words.clear()
        self._has_memory = False

    def _argument(self, argument: Any) -> str:
        return repr(argument) if argument is None or isinstance(argument, int) else self.named(argument)

    # ------------------------------------------------------------ values
    def condition(self, text: str) -> None:
        """Pushes a truth value."""
        name = self.new(text).text
        self.push(Value(f"(1 if {name} else 0)", None, name))

    def compute(self, text: str) -> None:
        """Pushes the value of an expression."""
        self.push(self.new(text))

    def by_handler(self, handler: Handler, count: int) -> None:
        """A function of the upper items alone, by its handler."""
        taken = [self.pop() for _ in range(count)]
        numbers = [value.number for value in reversed(taken)]
        known = [number for number in numbers if number is not None]
        if len(known) == count:
            handler(None, known, None)  # type: ignore[arg-type]
            self.push(_number(known[0]))
            return
        self.on_own_stack(handler, taken)

    def on_own_stack(self, handler: Handler, taken: list[Value]) -> None:
        """Runs a handler on a stack of these items alone, the top first, and pushes what it leaves."""
        self.write(f"t = [{', '.join(value.text for value in reversed(taken))}]")
        self.write(f"{self.named(handler)}(frame, t, None)")
        self.compute("t[0]")

    def input(self, key: object, text: Callable[[], str]) -> None:
        """Pushes what cannot change in a frame."""
        value = self._inputs.get(key)
        if value is None:
            value = self._inputs[key] = self.new(text())
        self.push(value)

    # ------------------------------------------------------------ memory
    def memory(self, start: Value, size: int) -> tuple[str, str]:
        """Pays for some bytes of memory; how their start and end are written."""
        if not self._has_memory:
            self.local("memory", "frame.memory")
            self.write("m = memory._bytes")
            self._has_memory = True
        if start.number is None:
            end = self.new(f"{start.text} + {size}").text
            self.write(f"if {end} > len(m): m = frame.extend({end})")
            return start.text, end
        last = start.number + size
        if last > self._known_memory:
            self.write(f"if len(m) < {last}: m = frame.extend({last})")
            self._known_memory = last
        return start.text, str(last)

    def word(self, start: Value) -> Value:
        """A word of memory."""
        known = self._words.get(start.number) if start.number is not None else None
        if known is not None:
            return known
        first, last = self.memory(start, 32)
        value = self.new(f'from_bytes(m[{first}:{last}], "big")')
        if start.number is not None:
            self._words[start.number] = value
        return value

    def write_word(self, start: Value, value: Value) -> None:
        """Writes a word to memory."""
        first, last = self.memory(start, 32)
        if value.number is not None:
            text = repr(value.number.to_bytes(32, "big"))
        else:
            text = f'{value.text}.to_bytes(32, "big")'
        self.write(f"m[{first}:{last}] = {text}")
        if start.number is None:
            self._words.clear()
            return
        for place in [place for place in self._words if abs(place - start.number) < 32]:
            del self._words[place]
        self._words[start.number] = value

    def bytes(self, start: Value, size: int) -> str:
        """Bytes of memory as an expression."""
        if not size:
            return 'b""'
        first, last = self.memory(start, size)
        return f"bytes(m[{first}:{last}])"


class _Path:
    """The blocks of a region, in the order in which they run."""

    def __init__(self, program: Code, writer: _Writer, position: int, runs: Callable[[int], int]) -> None:
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
        """Writes a block; where the path goes on, None where it has ended."""
        writer = self._writer
        needed, gained, gas, handlers, kind, target, following = self._program.block_at(position)
        writer.begin_block(needed, gained, gas)
        writer.opcodes += 1
        ends = False
        for handler, argument in handlers:
            if handler is count:
                continue
            writer.opcodes += 1
            ends |= _write(writer, handler, argument)
            if handler in _LAST:
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
            writer.write(f"{writer.named(_return)}(frame, {start.text}, {size.text})")
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


def _return(frame: Any, start: int, size: int) -> None:
    frame.computation.output = bytes(frame.extend(start + size)[start : start + size]) if size else b""


# ---------------------------------------------------------------- opcodes
def _write(writer: _Writer, handler: Handler, argument: Any) -> bool:
    """Writes an opcode. Returns whether the gas left is seen by it, so that what comes after is charged after it."""
    plain = _PLAIN.get(handler)
    if plain is not None:
        _write_plain(writer, handler, *plain)
        return False
    special = _SPECIAL.get(handler)
    if special is not None:
        return special(writer, argument)
    if handler in _BY_HANDLER:
        writer.by_handler(handler, _BY_HANDLER[handler])
        return False
    writer.run_handler(handler, argument)
    return True


def _write_plain(writer: _Writer, handler: Handler, count: int, text: str, is_condition: bool) -> None:
    """A function of the upper items, written as an expression; a is the top."""
    values = [writer.pop() for _ in range(count)]
    numbers = [value.number for value in reversed(values)]
    known = [number for number in numbers if number is not None]
    if len(known) == count:
        handler(None, known, None)  # type: ignore[arg-type]
        writer.push(_number(known[0]))
        return
    line = text.format(*(value.text for value in values))
    if is_condition:
        writer.condition(line)
    else:
        writer.compute(line)


def _push(writer: _Writer, argument: int) -> bool:
    writer.push(_number(argument))
    return False


def _pop(writer: _Writer, argument: None) -> bool:
    writer.pop()
    return False


def _dup(writer: _Writer, argument: int) -> bool:
    writer.push(writer.peek(-argument))
    return False


def _swap(writer: _Writer, argument: int) -> bool:
    writer.swap(-argument)
    return False


def _is_zero(writer: _Writer, argument: None) -> bool:
    value = writer.pop()
    if value.number is not None:
        writer.push(_number(0 if value.number else 1))
    else:
        writer.condition(f"not {value.test}")
    return False


def _shift(sign: str) -> Callable[[_Writer, None], bool]:
    def write(writer: _Writer, argument: None) -> bool:
        distance, value = writer.pop(), writer.pop()
        end = f" & {WORD_MAX}" if sign == "<<" else ""
        if distance.number is None:
            writer.compute(f"{value.text} {sign} {distance.text}{end} if {distance.text} < 256 else 0")
        elif distance.number > 255:
            writer.push(_number(0))
        elif value.number is not None:
            moved = value.number << distance.number if sign == "<<" else value.number >> distance.number
            writer.push(_number(moved & WORD_MAX))
        else:
            writer.compute(f"{value.text} {sign} {distance.number}{end}")
        return False

    return write


def _mload(writer: _Writer, argument: None) -> bool:
    writer.push(writer.word(writer.pop()))
    return False


def _mstore(writer: _Writer, argument: None) -> bool:
    start, value = writer.pop(), writer.pop()
    writer.write_word(start, value)
    return False


def _keccak(writer: _Writer, argument: None) -> bool:
    start, size = writer.pop(), writer.pop()
    if size.number is None or size.number > _SHORT:
        writer.push(size)
        writer.push(start)
        writer.run_handler(opcodes.keccak, None)
        return True
    writer.charge(KECCAK_WORD * (size.number + 31 >> 5))
    writer.compute(f'from_bytes(keccak256({writer.bytes(start, size.number)}), "big")')
    return False


def _calldataload(writer: _Writer, argument: None) -> bool:
    start = writer.pop()
    if start.number is None or start.number > _SHORT:
        writer.on_own_stack(opcodes.calldataload, [start])
        return False
    first = start.number
    data = writer.local("data", "frame.data")
    writer.input(("data", first), lambda: f'from_bytes({data}[{first}:{first + 32}].ljust(32, b"\\0"), "big")')
    return False


def _constant(key: str, text: str) -> Callable[[_Writer, None], bool]:
    def write(writer: _Writer, argument: None) -> bool:
        writer.input(key, lambda: text)
        return False

    return write


def _returndatasize(writer: _Writer, argument: None) -> bool:
    writer.compute("len(frame.computation.return_data)")
    return False


def _gas(writer: _Writer, argument: None) -> bool:
    writer.compute("meter.gas_remaining")
    return True


def _sload(writer: _Writer, argument: None) -> bool:
    slot = writer.pop()
    writer.compute(f"{writer.named(opcodes.load)}(frame, {slot.text})")
    return False


def _sstore(writer: _Writer, argument: None) -> bool:
    slot, value = writer.pop(), writer.pop()
    writer.write(f"{writer.named(opcodes.store)}(frame, {slot.text}, {value.text})")
    return True


def _log(writer: _Writer, count: int) -> bool:
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
_SPECIAL: dict[Handler, Callable[[_Writer, Any], bool]] = {
    opcodes.push: _push,
    opcodes.dup: _dup,
    opcodes.swap: _swap,
    opcodes.log: _log,
} | {
    opcodes.HANDLERS[name]: write
    for name, write in (
        ("POP", _pop),
        ("ISZERO", _is_zero),
        ("SHL", _shift("<<")),
        ("SHR", _shift(">>")),
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
_LAST: frozenset[Handler] = frozenset((opcodes.halt, opcodes.undefined))
