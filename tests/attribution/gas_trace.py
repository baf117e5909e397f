"""The parts of a call's gas, in either mode: storage by instrumenting SLOAD and SSTORE, the rest by kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from eth.vm.computation import BaseComputation
from eth.vm.forks.prague.computation import PragueComputation

from attribution_precompile import ADDRESS_BYTES
from rollup.execution import attribution_host
from rollup.execution.attribution_host import ComputationHost

from .harness import NATIVE

SLOAD, SSTORE = 0x54, 0x55


@dataclass(slots=True)
class Trace:
    """Gas by kind, and the account's slots in order of access: `accesses` has what was written, None for a read."""

    accesses: list[tuple[int, int | None]] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    sload: int = 0
    sstore: int = 0
    log: int = 0
    pay: int = 0
    compute: int = 0

    @property
    def storage(self) -> int:
        return self.sload + self.sstore


def _native(trace: Trace) -> type[ComputationHost]:
    class TracingHost(ComputationHost):
        def charge(self, amount: int) -> None:
            super().charge(amount)
            trace.compute += amount

        def sload(self, slot: int) -> int:
            before = self._meter.gas_remaining
            value = super().sload(slot)
            trace.sload += before - self._meter.gas_remaining
            trace.reads.append(slot)
            trace.accesses.append((slot, None))
            return value

        def sstore(self, slot: int, value: int) -> None:
            before = self._meter.gas_remaining
            super().sstore(slot, value)
            trace.sstore += before - self._meter.gas_remaining
            trace.accesses.append((slot, value))
            trace.writes.append(slot)

        def log(self, topics: tuple[int, ...], data: bytes) -> None:
            before = self._meter.gas_remaining
            super().log(topics, data)
            trace.log += before - self._meter.gas_remaining

        def pay(self, recipient: int, amount: int) -> bool:
            before = self._meter.gas_remaining
            paid = super().pay(recipient, amount)
            trace.pay += before - self._meter.gas_remaining
            return paid

    return TracingHost


def _top(computation: BaseComputation) -> int:
    value: int | bytes = computation._stack.values[-1]
    return value if isinstance(value, int) else int.from_bytes(value, "big")


def _opcodes(trace: Trace) -> dict[int, Any]:
    plain: dict[int, Any] = PragueComputation.opcodes
    opcodes = dict(plain)

    def sload(computation: BaseComputation) -> None:
        slot, before = _top(computation), computation.get_gas_remaining()
        plain[SLOAD](computation=computation)
        if computation.msg.storage_address == ADDRESS_BYTES:
            trace.sload += before - computation.get_gas_remaining()
            trace.reads.append(slot)

    def sstore(computation: BaseComputation) -> None:
        slot, before = _top(computation), computation.get_gas_remaining()
        plain[SSTORE](computation=computation)
        if computation.msg.storage_address == ADDRESS_BYTES:
            trace.sstore += before - computation.get_gas_remaining()
            trace.writes.append(slot)

    opcodes[SLOAD], opcodes[SSTORE] = sload, sstore
    return opcodes


@contextmanager
def tracing(mode: str) -> Iterator[Trace]:
    """Traces every call made within the block on a machine of that mode."""
    trace = Trace()
    if mode == NATIVE:
        with patch.object(attribution_host, "ComputationHost", _native(trace)):
            yield trace
    else:
        with patch.object(PragueComputation, "opcodes", _opcodes(trace)):
            yield trace
