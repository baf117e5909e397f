"""Little contracts, assembled by hand: callers that forward what they are given in every way the EVM knows."""

STOP, SUB, EQ, ISZERO, ADDRESS_OP, CALLER, CALLVALUE, CALLDATALOAD, CALLDATASIZE = (
    0x00,
    0x03,
    0x14,
    0x15,
    0x30,
    0x33,
    0x34,
    0x35,
    0x36,
)
CALLDATACOPY, RETURNDATASIZE, RETURNDATACOPY, POP, MLOAD, MSTORE = 0x37, 0x3D, 0x3E, 0x50, 0x51, 0x52
SLOAD, SSTORE, JUMP, JUMPI, GAS, JUMPDEST = 0x54, 0x55, 0x56, 0x57, 0x5A, 0x5B
DUP1, SWAP1, LOG0, CALL, CALLCODE, RETURN, DELEGATECALL, STATICCALL, REVERT = (
    0x80, 0x90, 0xA0, 0xF1, 0xF2, 0xF3, 0xF4, 0xFA, 0xFD,
)  # fmt: skip


def push(value: int | bytes) -> bytes:
    data = value if isinstance(value, bytes) else value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    return bytes([0x5F + len(data)]) + data


def assemble(*parts: int | bytes) -> bytes:
    return b"".join(bytes([part]) if isinstance(part, int) else part for part in parts)


def jump_if(code_before: int, target_body: bytes, fallthrough: bytes) -> bytes:
    """Condition on the stack: runs `target_body` if it holds, else `fallthrough` (which must end the frame)."""
    # PUSH2 dest JUMPI fallthrough JUMPDEST target
    destination = code_before + 4 + len(fallthrough)
    return assemble(push(destination.to_bytes(2, "big")), JUMPI, fallthrough, JUMPDEST, target_body)


def forwarder(kind: int, target: int, gas: bytes = bytes([GAS])) -> bytes:
    """Sends its calldata (and value, where there can be any) on by `kind`; returns or reverts with what comes back."""
    arguments = assemble(push(0), push(0), CALLDATASIZE, push(0))
    value = assemble(CALLVALUE) if kind in (CALL, CALLCODE) else b""
    call = assemble(arguments, value, push(target.to_bytes(20, "big")), gas, kind)
    head = assemble(CALLDATASIZE, push(0), push(0), CALLDATACOPY, call)
    head += assemble(RETURNDATASIZE, push(0), push(0), RETURNDATACOPY)
    return head + jump_if(
        len(head), assemble(RETURNDATASIZE, push(0), RETURN), assemble(RETURNDATASIZE, push(0), REVERT)
    )


def reverting_forwarder(target: int) -> bytes:
    """Calls on, then reverts whatever came back: the callee's work must be undone."""
    return assemble(
        assemble(CALLDATASIZE, push(0), push(0), CALLDATACOPY),
        assemble(push(0), push(0), CALLDATASIZE, push(0), CALLVALUE, push(target.to_bytes(20, "big")), GAS, CALL),
        assemble(push(0), push(0), REVERT),
    )


def trying(inner: int, target: int) -> bytes:
    """try inner(calldata) catch {}; then target(calldata) for real, returning or reverting as it does."""
    head = assemble(
        assemble(CALLDATASIZE, push(0), push(0), CALLDATACOPY),
        assemble(push(0), push(0), CALLDATASIZE, push(0), push(0), push(inner.to_bytes(20, "big")), GAS, CALL, POP),
        assemble(push(0), push(0), CALLDATASIZE, push(0), CALLVALUE, push(target.to_bytes(20, "big")), GAS, CALL),
        assemble(RETURNDATASIZE, push(0), push(0), RETURNDATACOPY),
    )
    return head + jump_if(
        len(head), assemble(RETURNDATASIZE, push(0), RETURN), assemble(RETURNDATASIZE, push(0), REVERT)
    )


def refuser() -> bytes:
    """Takes no money."""
    return assemble(push(0), push(0), REVERT)


def receiver() -> bytes:
    """Takes money and logs it, within the stipend."""
    return assemble(push(0), push(0), LOG0, STOP)


def in_memory(data: bytes) -> bytes:
    """Puts constant bytes at memory 0."""
    words = [data[i : i + 32].ljust(32, b"\0") for i in range(0, len(data), 32)]
    return b"".join(assemble(push(word.lstrip(b"\0") or 0), push(32 * i), MSTORE) for i, word in enumerate(words))


def reentrant(target: int, data: bytes) -> bytes:
    """The code of an account that, when paid, calls the target and logs the answer's first 4 bytes."""
    return assemble(
        in_memory(data),
        assemble(push(4), push(len(data)), push(len(data)), push(0), push(0), push(target.to_bytes(20, "big"))),
        assemble(GAS, CALL, POP, push(4), push(len(data)), LOG0, STOP),
    )


def script(calls: list[tuple[int, int, bytes]]) -> bytes:
    """Calls (target, value, data) one after the other; reverts with the answer of the first that fails."""
    code = b""
    for target, value, data in calls:
        code += in_memory(data)
        code += assemble(push(0), push(0), push(len(data)), push(0), push(value), push(target.to_bytes(20, "big")))
        code += assemble(GAS, CALL)
        failure = assemble(
            assemble(RETURNDATASIZE, push(0), push(0), RETURNDATACOPY),
            assemble(RETURNDATASIZE, push(0), REVERT),
        )
        destination = len(code) + 4 + len(failure)
        code += assemble(push(destination.to_bytes(2, "big")), JUMPI, failure, JUMPDEST)
    return code + bytes([STOP])


def measured(inner: int, target: int) -> bytes:
    """Calls inner with the calldata, whatever comes of it; then target; logs the gas the second call took."""
    arguments = assemble(push(0), push(0), CALLDATASIZE, push(0))
    return assemble(
        assemble(CALLDATASIZE, push(0), push(0), CALLDATACOPY),
        assemble(arguments, push(0), push(inner.to_bytes(20, "big")), GAS, CALL, POP),
        assemble(GAS, arguments, CALLVALUE, push(target.to_bytes(20, "big")), GAS, CALL, POP),
        assemble(GAS, SWAP1, SUB, push(0), MSTORE, push(32), push(0), LOG0, STOP),
    )
