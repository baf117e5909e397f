"""Time per unit of gas: native calls of the attribution precompile against opcodes that do the same work.

A price is honest if paying it buys about the same time whatever it is paid for. So each native call is compared with a
straight-line program of the SLOADs, SSTOREs, KECCAK256s and LOG it amounts to, on the same slots with the same values:
nanoseconds per gas of both, on the node's own interpreter, on py-evm as it is shipped, and of the call as the node runs
it when a transaction sends it (fast_path.py). Native calls are measured with the caches that the call before has filled
(slots of mappings, fields of words), as in a block of many calls, and with empty caches. In addition single kinds of
opcode, and the Solidity twin.

Time is the processor's: a call that others interrupt is not longer for it. Calls that are compared take turns.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES, PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth.vm.message import Message

from attribution_precompile import (
    ADDRESS_BYTES,
    RUNTIME_CODE,
    DictHost,
    execute,
    layout,
    ledger,
    models,
    platform,
    words,
)
from attribution_precompile import gas as schedule
from benchmarks.inferences import CHAIN_ID, PAYER, Workload
from rollup.execution.attribution_flat_host import FlatHost
from rollup.execution.attribution_host import AttributionComputation, AttributionState, attribution_precompile
from rollup.execution.state.account import Account
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.transition import TransactionContext
from rollup.execution.vms.base import EvmContext
from rollup.execution.vms.rules import l2_rules
from rollup.protocol.forks import Fork

GAS: Final = 10**8
_TIME: Final = 1_700_000_000
_CALLER: Final = PAYER.to_bytes(20, "big")
PROGRAM: Final = b"\xee" * 20

OURS: Final = "this node's interpreter"
SHIPPED: Final = "py-evm as shipped"
FAST_PATH: Final = "this node's fast path"
NATIVE, NATIVE_FORGETFUL, TWIN = "native", "native, nothing remembered", "twin"


@dataclass(frozen=True, slots=True)
class GasPrice:
    """The median of several runs of one call; `against` is the ns per gas of the same work in opcodes, 0 where the
    row is opcodes itself."""

    what: str
    machine: str
    gas: int
    ns_per_gas: float
    against: float = 0.0

    @property
    def ratio(self) -> float:
        """How many times as long as the opcodes."""
        return self.ns_per_gas / self.against if self.against else 0.0


# ---------------------------------------------------------------- machines
class _EmptyState:
    """A StateReader of nothing."""

    def account(self, address: bytes) -> Account | None:
        return None

    def storage(self, address: bytes, slot: int) -> int:
        return 0

    def code(self, code_hash: bytes) -> bytes:
        return b""


class _NativeComputation(AttributionComputation, PragueComputation):  # type: ignore[misc]
    _precompiles = {**PRAGUE_PRECOMPILES, ADDRESS_BYTES: attribution_precompile}  # noqa: RUF012


class _NativeState(AttributionState, PragueState):  # type: ignore[misc]
    computation_class = _NativeComputation


def our_state(native: bool) -> Any:
    """The node's own state and rules, Isthmus."""
    context = EvmContext(bytes(20), _TIME, 1, bytes(32), 10**9, CHAIN_ID, 1, 0, lambda number: None)
    return l2_rules(Fork.ISTHMUS, native).state_class(AccountDatabase(_EmptyState()), context)


def shipped_state(native: bool) -> Any:
    """py-evm's state and Prague rules, with the precompile where native is set."""
    context = ExecutionContext(bytes(20), _TIME, 1, 0, bytes(32), 10**9, (), CHAIN_ID, 1, 0)
    return (_NativeState if native else PragueState)(AtomicDB(), context, BLANK_ROOT_HASH)


_MACHINES: Final = ((OURS, our_state), (SHIPPED, shipped_state))


def _forget() -> None:
    """Empties the caches of the precompile: the slots of mappings, and the fields of words that seldom change."""
    for module in (layout, words, ledger, models, platform):
        for item in vars(module).values():
            if hasattr(item, "cache_clear"):
                item.cache_clear()


def deploy(state: Any, address: bytes, code: bytes, storage: dict[int, int]) -> None:
    state.set_balance(_CALLER, 10**40)
    state.set_nonce(address, 1)
    state.set_code(address, code)
    for slot, word in storage.items():
        state.set_storage(address, slot, word)


@dataclass(frozen=True, slots=True)
class _Run:
    """A call that is measured many times. once: makes it from its first state; returns its seconds and its gas."""

    what: str
    machine: str
    once: Callable[[], tuple[float, int]]


def _medians(runs: Sequence[_Run], times: int) -> list[tuple[float, int]]:
    """Nanoseconds per gas of each run, and its gas.

    Every round makes each call once. So what slows the machine for a while slows all of them, and their ratios stay.
    """
    found = [[run.once() for run in runs] for _ in range(times)]
    medians = []
    for index in range(len(runs)):
        gas = found[-1][index][1]
        medians.append((statistics.median(round_[index][0] for round_ in found) * 1e9 / gas, gas))
    return medians


def _message_call(
    state: Any, machine: str, to: bytes, call: tuple[bytes, bytes, int], *, forgetful: bool = False
) -> Callable[[], tuple[float, int]]:
    """A message call (caller, data, value)."""
    caller, data, value = call
    state.set_balance(caller, 10**40)
    context = TransactionContext(caller, 1) if machine == OURS else CancunTransactionContext(gas_price=1, origin=caller)

    def once() -> tuple[float, int]:
        state.lock_changes()
        snapshot = state.snapshot()
        state.mark_address_warm(to)
        message = Message(GAS, to, caller, value, data, state.get_code(to))
        if forgetful:
            _forget()
        started = time.process_time()
        computation = state.computation_class.apply_message(state, message, context)
        seconds = time.process_time() - started
        if computation.is_error:
            raise RuntimeError(f"the call failed: {computation.error!r}")
        gas = computation.get_gas_used()
        state.revert(snapshot)
        return seconds, gas

    return once


def _fast_path_call(workload: Workload, storage: dict[int, int], *, forgetful: bool) -> Callable[[], tuple[float, int]]:
    accounts = AccountDatabase(_EmptyState())
    _deploy_accounts(accounts, storage)
    host = FlatHost(accounts, _TIME, CHAIN_ID)

    def once() -> tuple[float, int]:
        if forgetful:
            _forget()
        started = time.process_time()
        host.begin(workload.caller, workload.value, GAS)
        execute(host, workload.calldata)
        return time.process_time() - started, GAS - host.gas

    return once


def _deploy_accounts(accounts: AccountDatabase, storage: dict[int, int]) -> None:
    accounts.set_nonce(ADDRESS_BYTES, 1)
    for slot, word in storage.items():
        accounts.set_storage(ADDRESS_BYTES, slot, word)
    accounts.lock_changes()


# ---------------------------------------------------------------- programs
# Straight-line programs of one kind of opcode each. PUSH1 x is 60 xx, PUSH2 61 xxxx, GAS 5a, POP 50.
def _numbered(before: str, after: str, count: int) -> bytes:
    return b"".join(bytes.fromhex(before) + i.to_bytes(2, "big") + bytes.fromhex(after) for i in range(1, count))


OPCODES: Final[dict[str, bytes]] = {
    "ADD (PUSH, PUSH, ADD, POP)": bytes.fromhex("600160020150") * 500,
    "KECCAK256 of 64 bytes": bytes.fromhex("604060002050") * 300,
    "SLOAD, cold": _numbered("61", "5450", 200),
    "SLOAD, warm": bytes.fromhex("60005450") * 300,
    "SSTORE, zero to non-zero": _numbered("5a61", "55", 200),
    "LOG2 of 64 bytes": bytes.fromhex("6001600260406000a2") * 200,
}

_POP, _SLOAD, _SSTORE, _KECCAK256, _CALLDATALOAD, _MSTORE, _LOG0 = 0x50, 0x54, 0x55, 0x20, 0x35, 0x52, 0xA0
_GAS, _STATICCALL = 0x5A, 0xFA


def _push(number: int) -> bytes:
    size = max(1, (number.bit_length() + 7) // 8)
    return bytes([0x5F + size]) + number.to_bytes(size, "big")


class _Transcriber(DictHost):
    """A host that writes down, opcode by opcode, what a call asks of it."""

    def __init__(self, storage: dict[int, int]) -> None:
        super().__init__(storage=storage, timestamp=_TIME)
        self.program = bytearray()

    def charge(self, amount: int) -> None:
        """Writes down the hash that a charge of this size pays for."""
        super().charge(amount)
        if amount > schedule.ECRECOVER:
            amount -= schedule.ECRECOVER
        if amount >= schedule.KECCAK:
            self._hash((amount - schedule.KECCAK) // schedule.KECCAK_WORD)

    def mapping(self, key: int, slot: int) -> int:
        """Writes down the hash of two words."""
        self._hash(2)
        return super().mapping(key, slot)

    def _hash(self, words: int) -> None:
        self.program += _push(32 * words) + _push(0) + bytes([_KECCAK256, _POP])

    def sload(self, slot: int) -> int:
        self.program += _push(slot) + bytes([_SLOAD, _POP])
        return super().sload(slot)

    def sstore(self, slot: int, value: int) -> None:
        self.program += _push(value) + _push(slot) + bytes([_SSTORE])
        super().sstore(slot, value)

    def log(self, topics: tuple[int, ...], data: bytes) -> None:
        self.program += b"".join([_push(topic) for topic in reversed(topics)]) + _push(len(data)) + _push(0)
        self.program.append(_LOG0 + len(topics))
        self.logs.append((topics, data))

    def ecrecover(self, digest: bytes, v: int, r: int, s: int) -> int:
        """A call of the EVM's own precompile at address 1."""
        words = (int.from_bytes(digest, "big"), v, r, s)
        for place, word in enumerate(words):
            self.program += _push(word) + _push(32 * place) + bytes([_MSTORE])
        self.program += b"".join([_push(number) for number in (32, 0, 128, 0, 1)]) + bytes([_GAS, _STATICCALL, _POP])
        return super().ecrecover(digest, v, r, s)


def transcribe(workload: Workload, storage: dict[int, int]) -> bytes:
    """A program of the opcodes a call amounts to: its input loaded, its storage, hashes and log, its output stored."""
    host = _Transcriber(dict(storage))
    host.begin()
    host.enter(workload.caller, workload.value, GAS)
    output = execute(host, workload.calldata)
    loads = b"".join(_push(i) + bytes([_CALLDATALOAD, _POP]) for i in range(0, len(workload.calldata), 32))
    stores = b"".join(_push(i) + _push(i) + bytes([_MSTORE]) for i in range(0, len(output), 32))
    return loads + bytes(host.program) + stores


# ---------------------------------------------------------------- rows
def opcode_prices(times: int) -> Iterator[GasPrice]:
    """Single kinds of opcode, on both machines."""
    for name, code in OPCODES.items():
        for machine, make in _MACHINES:
            state = make(False)
            deploy(state, PROGRAM, code, {})
            run = _Run(name, machine, _message_call(state, machine, PROGRAM, (_CALLER, b"", 0)))
            ((per_gas, gas),) = _medians([run], times)
            yield GasPrice(name, machine, gas, per_gas)


def call_prices(workload: Workload, storage: dict[int, int], times: int) -> Iterator[GasPrice]:
    """One call in a state it has been made in before: as opcodes, native, as the twin.

    Calls that remember are measured apart from those that forget, because they share a memory. The opcodes are
    measured with both.
    """
    name = f"{workload.name}, K = {workload.entries}"
    for forgetful in (False, True):
        opcodes = [_opcodes_run(workload, storage, machine, make) for machine, make in _MACHINES]
        runs = [*opcodes, *_precompile_runs(workload, storage, forgetful=forgetful)]
        medians = _medians(runs, times)
        work = {run.machine: per_gas for run, (per_gas, _) in zip(opcodes, medians, strict=False)}
        work[FAST_PATH] = work[OURS]
        for run, (per_gas, gas) in zip(runs, medians, strict=True):
            if run not in opcodes:
                yield GasPrice(f"{name}: {run.what}", run.machine, gas, per_gas, work[run.machine])
            elif not forgetful:
                yield GasPrice(f"{name}: {run.what}", run.machine, gas, per_gas)


def _opcodes_run(workload: Workload, storage: dict[int, int], machine: str, make: Callable[[bool], Any]) -> _Run:
    state = make(False)
    deploy(state, PROGRAM, transcribe(workload, storage), storage)
    return _Run("its opcodes", machine, _message_call(state, machine, PROGRAM, _call_of(workload)))


def _precompile_runs(workload: Workload, storage: dict[int, int], *, forgetful: bool) -> Iterator[_Run]:
    """The call of the precompile on each machine, and of its twin where all is remembered."""
    what = NATIVE_FORGETFUL if forgetful else NATIVE
    yield _Run(what, FAST_PATH, _fast_path_call(workload, storage, forgetful=forgetful))
    for kind in (what,) if forgetful else (what, TWIN):
        for machine, make in _MACHINES:
            state = make(kind != TWIN)
            deploy(state, ADDRESS_BYTES, RUNTIME_CODE, storage)
            call = _message_call(state, machine, ADDRESS_BYTES, _call_of(workload), forgetful=forgetful)
            yield _Run(kind, machine, call)


def _call_of(workload: Workload) -> tuple[bytes, bytes, int]:
    return workload.caller.to_bytes(20, "big"), workload.calldata, workload.value
