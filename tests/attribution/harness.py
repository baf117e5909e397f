"""An EVM in a box: py-evm's Prague rules over its own account database, the attribution account in either mode."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.exceptions import VMError
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES, PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth.vm.message import Message

from attribution_precompile import ADDRESS, ADDRESS_BYTES, SELECTORS, genesis_storage
from rollup.execution.attribution_host import (
    AttributionComputation,
    AttributionState,
    activate,
    attribution_precompile,
)

NATIVE = "native"
CONTRACT = "contract"
MODES = (NATIVE, CONTRACT)

ADMIN = 0xAD
TREASURY = 0x7EA
CHAIN_ID = 901
GENESIS_TIME = 1_700_000_000
WEALTH = 10**30


class NativeComputation(AttributionComputation, PragueComputation):
    _precompiles: ClassVar[Any] = {**PRAGUE_PRECOMPILES, ADDRESS_BYTES: attribution_precompile}


class NativeState(AttributionState, PragueState):
    computation_class = NativeComputation


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a call: `gas` before refunds, logs as (address, topics, data)."""

    success: bool
    output: bytes
    gas: int
    refund: int
    logs: tuple[tuple[bytes, tuple[int, ...], bytes], ...]
    error: VMError | None


def address(number: int) -> bytes:
    return number.to_bytes(20, "big")


class Evm:
    """One account universe. Each `call` is a transaction's message: cold accounts and slots, original values locked."""

    def __init__(self, mode: str, bps: int = 500, *, active: bool = True) -> None:
        self.mode = mode
        self.timestamp = GENESIS_TIME
        self.db = AtomicDB()
        self.state = self._open(BLANK_ROOT_HASH)
        self.bps = bps
        if active:
            self.activate()

    def copy(self) -> "Evm":
        """A second machine in the same state."""
        self.state.persist()
        other = Evm.__new__(Evm)
        other.mode, other.bps, other.timestamp = self.mode, self.bps, self.timestamp
        other.db = AtomicDB(MemoryDB(dict(self.db.wrapped_db.kv_store)))
        other.state = other._open(self.state.state_root)
        return other

    def _open(self, root: bytes) -> Any:
        context = ExecutionContext(
            coinbase=address(0xC0),
            timestamp=self.timestamp,
            block_number=1,
            difficulty=0,
            mix_hash=bytes(32),
            gas_limit=60_000_000,
            prev_hashes=(),
            chain_id=CHAIN_ID,
            base_fee_per_gas=1,
            excess_blob_gas=0,
        )
        kind = NativeState if self.mode == NATIVE else PragueState
        return kind(self.db, context, root)

    def activate(self) -> None:
        state = self.state
        activate(state, genesis_storage(ADMIN, TREASURY, self.bps))
        state.lock_changes()

    def advance(self, seconds: int) -> None:
        self.timestamp += seconds
        self.state.execution_context._timestamp = self.timestamp

    def fund(self, account: int, amount: int = WEALTH) -> None:
        self.state.set_balance(address(account), amount)
        self.state.lock_changes()

    def deploy(self, account: int, code: bytes) -> None:
        self.state.set_nonce(address(account), 1)
        self.state.set_code(address(account), code)
        self.state.lock_changes()

    def balance(self, account: int) -> int:
        balance: int = self.state.get_balance(address(account))
        return balance

    def storage(self, slot: int) -> int:
        value: int = self.state.get_storage(ADDRESS_BYTES, slot)
        return value

    def set_storage(self, slots: Mapping[int, int]) -> None:
        for slot, value in slots.items():
            self.state.set_storage(ADDRESS_BYTES, slot, value)
        self.state.lock_changes()

    def storage_root(self) -> bytes:
        """The storage root of the attribution account."""
        self.state.make_state_root()
        root: bytes = self.state._account_db._get_storage_root(ADDRESS_BYTES)
        return root

    def call(
        self,
        data: bytes,
        *,
        caller: int,
        value: int = 0,
        gas: int = 20_000_000,
        to: int = ADDRESS,
        static: bool = False,
        before: Callable[[Any], None] | None = None,
    ) -> Result:
        """A transaction's outermost message, without the transaction's own gas accounting."""
        state = self.state
        state._account_db._reset_access_counters()
        state.mark_address_warm(address(caller))
        state.mark_address_warm(address(to))
        if before is not None:
            before(state)
        code, delegation = state.get_transaction_executor().get_code_at_address(address(to))
        message = Message(
            gas=gas,
            to=address(to),
            sender=address(caller),
            value=value,
            data=data,
            code=code,
            is_static=static,
            is_delegation=delegation is not None,
        )
        context = CancunTransactionContext(gas_price=1, origin=address(caller))
        computation = state.computation_class.apply_message(state, message, context)
        state.lock_changes()
        state.clear_transient_storage()
        return Result(
            computation.is_success,
            bytes(computation.output),
            computation.get_gas_used(),
            computation.get_gas_refund(),
            computation.get_log_entries(),
            computation._error,
        )


def selector(name: str) -> bytes:
    for found in SELECTORS.values():
        if found.name == name:
            return found.selector
    raise KeyError(name)
