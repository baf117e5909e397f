"""The reasons why a frame ends early, finer than py-evm's errors, with geth's text for each (core/vm/errors.go)."""

from eth.exceptions import (
    ContractCreationCollision,
    FullStack,
    InsufficientFunds,
    InsufficientStack,
    InvalidInstruction,
    InvalidJumpDestination,
    OutOfBoundsRead,
    OutOfGas,
    ReservedBytesInCode,
    Revert,
    StackDepthLimit,
    VMError,
    WriteProtection,
)


class StackUnderflow(InsufficientStack):
    """An opcode found fewer items on the stack than it takes."""

    def __init__(self, have: int, want: int) -> None:
        super().__init__(f"stack underflow ({have} <=> {want})")


class StackOverflow(FullStack):
    """An opcode would leave more items on the stack than there may be."""

    def __init__(self, have: int, most: int) -> None:
        super().__init__(f"stack limit reached {have} ({most})")


class UndefinedOpcode(InvalidInstruction):
    """A byte that is not an opcode of the fork."""

    def __init__(self, opcode: int) -> None:
        super().__init__(f"invalid opcode: opcode {opcode:#x} not defined")


class CodeStoreOutOfGas(OutOfGas):
    """A creation could not pay for the code that it returned."""


class CodeTooLarge(OutOfGas):
    """A creation returned more code than EIP-170 allows, bytes."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"max code size exceeded: code size {size} limit {most}")


class SentryOutOfGas(OutOfGas):
    """SSTORE needs more gas left than the stipend of a call (EIP-2200)."""


class NonceOverflow(VMError):
    """The nonce of an account that creates cannot grow (EIP-2681)."""


_TEXTS: dict[type[VMError], str] = {
    OutOfGas: "out of gas",
    Revert: "execution reverted",
    InvalidJumpDestination: "invalid jump destination",
    InvalidInstruction: "invalid opcode: INVALID",
    InsufficientStack: "stack underflow",
    FullStack: "stack limit reached 1024 (1023)",
    StackDepthLimit: "max call depth exceeded",
    WriteProtection: "write protection",
    InsufficientFunds: "insufficient balance for transfer",
    ContractCreationCollision: "contract address collision",
    OutOfBoundsRead: "return data out of bounds",
    ReservedBytesInCode: "invalid code: must not begin with 0xef",
    CodeStoreOutOfGas: "contract creation code storage out of gas",
    SentryOutOfGas: "out of gas: not enough gas for reentrancy sentry",
    NonceOverflow: "nonce uint64 overflow",
}


def describe_error(error: VMError) -> str:
    """geth's text for an EVM halt."""
    return _TEXTS.get(type(error), str(error).lower() or type(error).__name__)
