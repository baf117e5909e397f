"""The base of every fork's py-evm classes: our journaled accounts, and a few corrections."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from eth.vm.code_stream import CodeStream
from eth.vm.memory import Memory
from eth.vm.stack import Stack

from rollup.cooperative import pause
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.vms.interpreter import run
from rollup.execution.vms.program import PROGRAMS, Programs
from rollup.execution.vms.stepwise import Tracing, run_stepwise
from rollup.protocol.primitives import Address, Hash


@dataclass(slots=True)
class EvmContext:
    """py-evm's execution context: the block as the opcodes see it. Times in seconds, fees in wei, gas in units.

    check_interrupt is called at every frame, every GAS_SLICE within one, and within long precompiles. What it raises
    ends the execution; by default it only lets others have their turn. programs keeps what was read of codes. With
    tracing set, frames run opcode by opcode and a tracer hears of them (stepwise.py). With impersonates_signatures set,
    ecrecover asks the state for chosen signers (impersonated_signatures.py).
    """

    coinbase: Address
    timestamp: int
    block_number: int
    mix_hash: Hash
    gas_limit: int
    chain_id: int
    base_fee_per_gas: int
    blob_base_fee: int
    block_hash: Callable[[int], Hash | None]
    difficulty: int = 0
    check_interrupt: Callable[[], None] = pause
    programs: Programs = PROGRAMS
    tracing: Tracing | None = None
    impersonates_signatures: bool = False


class RollupState:
    """Mixin before a fork's state class: accounts are an AccountDatabase, a snapshot is a checkpoint of its log."""

    _account_db: AccountDatabase
    execution_context: EvmContext

    def __init__(self, accounts: AccountDatabase, context: EvmContext) -> None:
        self._account_db = accounts
        self.execution_context = context

    @property
    def blob_base_fee(self) -> int:
        """The value that BLOBBASEFEE pushes. BPO forks change the update fraction (EIP-7892), py-evm has Prague's."""
        return self.execution_context.blob_base_fee

    def snapshot(self) -> int:
        """A checkpoint."""
        return self._account_db.record()

    def revert(self, snapshot: int) -> None:
        """Back to a checkpoint."""
        self._account_db.discard(snapshot)

    def commit(self, snapshot: int) -> None:
        """Does nothing: the undo log keeps everything that was not undone."""

    def has_code_or_nonce(self, address: Address) -> bool:
        """A creation here would collide (EIP-684, EIP-7610)."""
        accounts = self._account_db
        return accounts.account_has_code_or_nonce(address) or accounts.has_storage(address)

    def delete_storage(self, address: Address) -> None:
        """Nothing to do: py-evm empties a new contract's storage, and an address with storage collides before that."""

    def delta_balance(self, address: Address, delta: int) -> None:
        """Adds to a balance, wei."""
        accounts = self._account_db
        accounts.set_balance(address, accounts.get_balance(address) + delta)

    def get_transient_storage(self, address: Address, slot: int) -> bytes:
        """EIP-1153, as py-evm's stack wants it."""
        return self._account_db.get_transient(address, slot)

    def set_transient_storage(self, address: Address, slot: int, value: bytes) -> None:
        """EIP-1153."""
        self._account_db.set_transient(address, slot, value)

    def get_ancestor_hash(self, block_number: int) -> Hash:
        """BLOCKHASH: the last 256 blocks, empty beyond."""
        current = self.execution_context.block_number
        if not max(0, current - 256) <= block_number < current:
            return b""
        return self.execution_context.block_hash(block_number) or b""


class RollupComputation:
    """Mixin before a fork's computation class. is_interpreted_by_py_evm: its own loop runs the
    code, not the faster one (interpreter.py), for comparison."""

    msg: Any
    state: Any
    transaction_context: Any
    code: Any
    return_data: bytes
    data_floor_cost: int
    children: list[Any]
    accounts_to_delete: list[Address]
    beneficiaries: list[Address]
    is_error: bool
    _log_entries: list[Any]
    _gas_meter: Any
    _stack: Any
    _memory: Any
    _error: Any
    _output: bytes
    _configure_gas_meter: Callable[[], Any]
    _deleted_below: frozenset[Address] = frozenset()  # accounts that frames below have destroyed
    is_interpreted_by_py_evm: ClassVar[bool] = False

    def __init__(self, state: Any, message: Any, transaction_context: Any) -> None:
        """A frame. Below the first one: without what py-evm does again for each (EIP-3651's warmth)."""
        if self.is_interpreted_by_py_evm or not message.depth:
            parent: Any = super()
            parent.__init__(state, message, transaction_context)
            return
        self.state, self.msg, self.transaction_context = state, message, transaction_context
        self.code = CodeStream(message.code)
        self._gas_meter = self._configure_gas_meter()
        self._stack, self._memory, self._log_entries = Stack(), Memory(), []
        self.children, self.accounts_to_delete, self.beneficiaries = [], [], []
        self.data_floor_cost = 0

    @classmethod
    def apply_message(cls, state: Any, message: Any, transaction_context: Any, parent_computation: Any = None) -> Any:
        """A call, from py-evm's FrontierComputation.apply_message; the caller has checked depth and balance where it
        is an opcode."""
        if cls.is_interpreted_by_py_evm or not message.depth:
            parent: Any = super()
            return parent.apply_message(state, message, transaction_context, parent_computation)
        snapshot = state.snapshot()
        if message.value and message.should_transfer_value:
            state.delta_balance(message.sender, -message.value)
            state.delta_balance(message.storage_address, message.value)
        state.touch_account(message.storage_address)
        computation = cls.apply_computation(state, message, transaction_context, parent_computation)
        if computation._error is not None:
            state.revert(snapshot)
        return computation

    @classmethod
    def apply_computation(
        cls, state: Any, message: Any, transaction_context: Any, parent_computation: Any = None
    ) -> Any:
        """One frame, from py-evm's BaseComputation.apply_computation: precompiles and code."""
        if cls.is_interpreted_by_py_evm:
            parent: Any = super()
            return parent.apply_computation(state, message, transaction_context, parent_computation)
        creator: Any = cls
        context = state.execution_context
        context.check_interrupt()
        tracing = context.tracing
        with creator(state, message, transaction_context) as computation:
            if computation.is_origin_computation:
                computation.contracts_created = []
            if parent_computation is not None:
                computation.contracts_created = parent_computation.contracts_created
            if message.is_create:
                computation.contracts_created.append(message.storage_address)
            if tracing is not None:
                tracing.enter(computation)
            precompile = computation.precompiles.get(message.code_address)
            if precompile is None:
                run(computation) if tracing is None else run_stepwise(computation, tracing)
            elif not message.is_delegation:
                precompile(computation)
        if tracing is not None and not message.is_create:
            tracing.leave(computation)
        return computation

    @classmethod
    def apply_create_message(
        cls, state: Any, message: Any, transaction_context: Any, parent_computation: Any = None
    ) -> Any:
        """A creation. Its frame ends when the code that it returned is paid for."""
        parent: Any = super()
        computation = parent.apply_create_message(state, message, transaction_context, parent_computation)
        tracing = state.execution_context.tracing
        if tracing is not None:
            tracing.leave(computation)
        return computation

    def add_log_entry(self, account: Address, topics: tuple[int, ...], data: bytes) -> None:
        """A log of a precompile."""
        parent: Any = super()
        parent.add_log_entry(account, topics, data)
        tracing = self.state.execution_context.tracing
        if tracing is not None:
            tracing.tracer.on_log(account, topics, data)

    def add_child_computation(self, child: Any) -> None:
        """Takes over what a frame below has done. py-evm keeps every frame until the transaction ends: a loop of calls
        would hold hundreds of thousands, which cost memory and long garbage collections."""
        if self.is_interpreted_by_py_evm:
            parent: Any = super()
            parent.add_child_computation(child)
            return
        error = child._error
        if error is None:
            self.return_data = b"" if child.msg.is_create else child._output
        else:
            self.return_data = b"" if error.erases_return_data else child._output
            return
        self._log_entries += child._log_entries
        self._gas_meter.gas_refunded += child._gas_meter.gas_refunded + child.msg.refund
        self.beneficiaries += child.beneficiaries
        deleted = child.get_accounts_for_deletion()
        if deleted:
            self._deleted_below |= frozenset(deleted)

    def get_accounts_for_deletion(self) -> list[Address]:
        """The accounts that this frame and those below have destroyed."""
        if self.is_interpreted_by_py_evm:
            parent: Any = super()
            return list(parent.get_accounts_for_deletion())
        if self.is_error:
            return []
        return list({*self.accounts_to_delete, *self._deleted_below})

    @property
    def is_origin_computation(self) -> bool:
        """The transaction's own message. py-evm compares sender and origin, which a delegating account
        (EIP-7702) that calls on makes true further down as well."""
        return bool(self.msg.depth == 0)

    @classmethod
    def consume_initcode_gas_cost(cls, computation: Any) -> None:
        """EIP-3860's words are part of the intrinsic gas, charged before the message."""
