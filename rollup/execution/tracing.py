"""The hooks of a tracer, named as in geth's core/tracing/hooks.go.

A tracer is a subclass of `Tracer` that overrides the hooks it wants. `BlockBuilder.tracing` and `calls.call` take one:

    tracer = CallTracer()
    with builder.tracing(tracer):
        builder.apply(transaction)
    answer = tracer.result()

While a tracer is set every transaction runs in the EVM, opcode by opcode (vms/stepwise.py). The results are the same.
"""

from typing import TYPE_CHECKING, Any

from eth.exceptions import VMError
from eth.vm import opcode_values

from rollup.execution.state.accounts import AccountDatabase
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import Transaction

if TYPE_CHECKING:
    from rollup.execution.evm import Evm, Outcome

STOP, SLOAD, SSTORE = 0x00, 0x54, 0x55
EXTERNAL_ACCOUNT = frozenset((0x31, 0x3B, 0x3C, 0x3F))  # BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH
CREATE, CALL, CALLCODE, DELEGATECALL, CREATE2, STATICCALL, SELFDESTRUCT = 0xF0, 0xF1, 0xF2, 0xF4, 0xF5, 0xFA, 0xFF
CALLS = frozenset((CALL, CALLCODE, DELEGATECALL, STATICCALL))
CREATIONS = frozenset((CREATE, CREATE2))

# geth's names (core/vm/opcodes.go), where they are not py-evm's.
_NAMES = {opcode: name for name, opcode in vars(opcode_values).items() if name.isupper()}
_NAMES |= {0x1E: "CLZ", 0x20: "KECCAK256", 0x44: "DIFFICULTY", 0xFE: "INVALID"}
OPCODE_NAMES = tuple(_NAMES.get(opcode, f"opcode {opcode:#x} not defined") for opcode in range(256))


class Step:
    """One opcode that is about to run.

    gas is what is left before it. depth is 1 in the outermost frame. stack and memory are the frame's own: they hold
    what stands before the opcode, and a hook must copy what it keeps. refund is the transaction's refund counter.
    cost is complete once the opcode has run, or its call has begun. error is set when the opcode could not begin, for
    want of gas or for the size of the stack.
    """

    __slots__ = ("cost", "depth", "error", "frame", "gas", "memory", "opcode", "pc", "refund", "stack")

    def __init__(self, pc: int, opcode: int, depth: int, refund: int, frame: Any) -> None:
        self.pc = pc
        self.opcode = opcode
        self.gas: int = frame._gas_meter.gas_remaining
        self.depth = depth
        self.refund = refund
        self.frame = frame
        self.stack: list[int] = frame._stack.values
        self.memory: bytearray = frame._memory._bytes
        self.cost = 0
        self.error: VMError | None = None

    @property
    def address(self) -> Address:
        """The account whose storage the frame works on."""
        address: Address = self.frame.msg.storage_address
        return address

    @property
    def return_data(self) -> bytes:
        """The data that the frame's last call returned."""
        data: bytes = self.frame.return_data
        return data

    @property
    def accounts(self) -> AccountDatabase:
        """The current state."""
        accounts: AccountDatabase = self.frame.state._account_db
        return accounts


class Tracer:
    """The hooks; each does nothing here. wants_opcodes: on_opcode is called, before every opcode."""

    wants_opcodes: bool = False

    def on_tx_start(self, evm: "Evm", transaction: Transaction, sender: Address) -> None:
        """A transaction or a call begins; its sender has paid nothing yet."""

    def on_tx_end(self, evm: "Evm", outcome: "Outcome") -> None:
        """The transaction has ended, and everything is paid."""

    def on_system_call_start(self) -> None:
        """A call of the protocol itself begins: EIP-4788, EIP-2935, EIP-7002, EIP-7251."""

    def on_system_call_end(self) -> None:
        """A call of the protocol itself has ended."""

    def on_enter(
        self, depth: int, kind: int, caller: Address, target: Address, value: int | None, gas: int, data: bytes
    ) -> None:
        """A frame begins. kind is the opcode that made it; value is None for STATICCALL; depth is 0 outermost.

        SELFDESTRUCT is a frame too, from the contract to who gets its balance.
        """

    def on_exit(self, depth: int, output: bytes, gas_used: int, error: VMError | None) -> None:
        """The newest frame has ended, and with an error all its changes are undone."""

    def on_opcode(self, step: Step) -> None:
        """An opcode is about to run."""

    def on_log(self, address: Address, topics: tuple[int, ...], data: bytes) -> None:
        """A log was written; it goes when its frame, or one around it, fails."""
