"""The part of a computation that opcodes use."""

from collections.abc import Callable
from typing import Any

from eth.exceptions import OutOfGas

# Gas after which a running frame asks check_interrupt: 1 to 2 ms of the slowest opcodes, at no cost to the others.
GAS_SLICE = 10_000
STACK_LIMIT = 1_024


class Frame:
    """A running computation, with everything that its opcodes use as attributes.

    floor: the gas left at which check_interrupt is called next.
    """

    __slots__ = (
        "accounts",
        "address",
        "check_interrupt",
        "computation",
        "data",
        "floor",
        "is_static",
        "memory",
        "meter",
        "program",
    )

    def __init__(self, computation: Any, program: Any) -> None:
        message = computation.msg
        self.program = program
        self.computation = computation
        self.meter = computation._gas_meter
        self.memory = computation._memory
        self.accounts = computation.state._account_db
        self.check_interrupt: Callable[[], None] = computation.state.execution_context.check_interrupt
        self.address: bytes = message.storage_address
        self.data: bytes = message.data_as_bytes
        self.is_static: bool = message.is_static
        self.floor: int = max(self.meter.gas_remaining - GAS_SLICE, 0)

    def charge(self, amount: int) -> None:
        """Takes gas, or raises OutOfGas."""
        meter = self.meter
        if amount > meter.gas_remaining:
            meter.consume_gas(amount, reason="opcode")
        meter.gas_remaining -= amount

    def pass_floor(self, left: int) -> None:
        """Asks check_interrupt where left, the gas after a charge, is below the floor. Raises OutOfGas below 0."""
        if left < 0:
            have = self.meter.gas_remaining
            raise OutOfGas(f"Out of gas: Needed {have - left} - Remaining {have}")
        self.program.warm_up()
        self.check_interrupt()
        self.floor = max(left - GAS_SLICE, 0)

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

    def read(self, start: int, size: int) -> bytes:
        """Bytes of memory, paid for. No byte needs no memory, wherever it is."""
        return bytes(self.extend(start + size)[start : start + size]) if size else b""
