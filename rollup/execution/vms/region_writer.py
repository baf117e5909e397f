"""The lines of a compiled region (compiler.py), and the state of the frame as far as it is known there."""

from collections.abc import Callable
from typing import Any, NamedTuple

from eth.exceptions import FullStack, InsufficientStack

from rollup.execution.vms.frame import STACK_LIMIT
from rollup.execution.vms.opcodes import Handler
from rollup.protocol.primitives import keccak256


class Value(NamedTuple):
    """A stack item: how it is written, its number if that is known, and for a truth value its condition."""

    text: str
    number: int | None = None
    condition: str | None = None

    @property
    def test(self) -> str:
        """A Python expression that is true if the value is not zero."""
        return self.condition or self.text


def constant(value: int) -> Value:
    """A number as a stack item."""
    return Value(f"{value:#x}" if value > 9 else str(value), value)


def _too_small(size: int, needed: int) -> None:
    raise InsufficientStack(f"Wanted {needed} stack items, only had {size}")


def _too_large() -> None:
    raise FullStack("Stack limit reached")


class RegionWriter:
    """The lines of one region, written in the order in which they run."""

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
        """Writes a block's checks of gas and stack."""
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
        """Ends a segment: gas after this place is charged anew."""
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
        """Writes the lines that bring the real stack up to date. The known items stay known."""
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
        """Brings the real stack up to date and forgets the known items."""
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

    def take(self, count: int, handler: Handler) -> list[Value] | None:
        """The upper items, the top first; None where all are known: then the number that the handler makes of them,
        which reads nothing else, is pushed already.
        """
        taken = [self.pop() for _ in range(count)]
        known = [value.number for value in reversed(taken) if value.number is not None]
        if len(known) < count:
            return taken
        handler(None, known, None)  # type: ignore[arg-type]
        self.push(constant(known[0]))
        return None

    def on_own_stack(self, handler: Handler, taken: list[Value]) -> None:
        """Runs a handler on a stack of these items alone, the top first, and pushes its results."""
        self.write(f"t = [{', '.join(value.text for value in reversed(taken))}]")
        self.write(f"{self.named(handler)}(frame, t, None)")
        self.compute("t[0]")

    def input(self, key: object, text: Callable[[], str]) -> None:
        """Pushes a value that cannot change within a frame."""
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
