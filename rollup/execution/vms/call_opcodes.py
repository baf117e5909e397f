"""CALL, CALLCODE, DELEGATECALL and STATICCALL of the opcode loop.

py-evm's own take some 50 µs per call, most of it for checks of what cannot be otherwise here. The rules are Berlin's
(EIP-150, 161, 2929), from Prague on with delegated accounts (EIP-7702). A frame below is py-evm's computation.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, NamedTuple

from eth.exceptions import OutOfGas, WriteProtection
from eth.vm.message import Message

from rollup.execution.delegation import delegate_of
from rollup.protocol.primitives import Address

_WARM, _COLD = 100, 2_600  # EIP-2929
_VALUE, _NEW_ACCOUNT, _STIPEND = 9_000, 25_000, 2_300
_MAX_DEPTH = 1_024
_ADDRESS = 2**160 - 1


class CallKind(Enum):
    """Which of the four opcodes."""

    CALL = auto()
    CALLCODE = auto()
    DELEGATECALL = auto()
    STATICCALL = auto()


CALL_KINDS = {
    0xF1: CallKind.CALL,
    0xF2: CallKind.CALLCODE,
    0xF4: CallKind.DELEGATECALL,
    0xFA: CallKind.STATICCALL,
}


class CallRules(NamedTuple):
    """How an opcode calls: follows_delegations from Prague on."""

    kind: CallKind
    follows_delegations: bool


def call(frame: Any, stack: list[int], rules: CallRules) -> None:
    """Runs one of the four opcodes in an interpreter's frame."""
    kind = rules.kind
    computation, meter, accounts = frame.computation, frame.meter, frame.accounts
    gas, target = stack.pop(), (stack.pop() & _ADDRESS).to_bytes(20, "big")
    sends = kind is CallKind.CALL or kind is CallKind.CALLCODE
    value = stack.pop() if sends else 0
    start, size, out_start, out_size = stack.pop(), stack.pop(), stack.pop(), stack.pop()
    if value and kind is CallKind.CALL and frame.is_static:
        raise WriteProtection("Cannot modify state while inside of a STATICCALL context")
    data = frame.read(start, size)
    if out_size:
        frame.extend(out_start + out_size)
        # The input is read before the output's memory is paid for: what fails here has no effect.
    code, delegate = _code_of(frame, target, rules.follows_delegations)
    extra = 0
    if value:
        extra = _VALUE
        if kind is CallKind.CALL and accounts.account_is_empty(target):
            extra += _NEW_ACCOUNT
    left = meter.gas_remaining - extra
    if left < 0:
        raise OutOfGas(f"Out of gas: Needed {extra} - Remaining {meter.gas_remaining}")
    gas = min(gas, left - left // 64)
    meter.gas_remaining = left - gas
    if value:
        gas += _STIPEND
    message = computation.msg
    if message.depth >= _MAX_DEPTH or (value and accounts.get_balance(frame.address) < value):
        computation.return_data = b""
        meter.gas_remaining += gas
        stack.append(0)
        return
    below = _message(frame, kind, gas, target, value, data, code, delegate)
    _take_results(frame, stack, computation.apply_child_computation(below), out_start, out_size)


def _code_of(frame: Any, target: Address, follows_delegations: bool) -> tuple[bytes, Address | None]:
    """The code that a call runs, and the account that it is delegated to; pays for both accounts."""
    _pay_for_account(frame, target)
    code: bytes = frame.accounts.get_code(target)
    delegate = delegate_of(code) if follows_delegations else None
    if delegate is None:
        return code, None
    _pay_for_account(frame, delegate)
    return frame.accounts.get_code(delegate), delegate


def _pay_for_account(frame: Any, address: Address) -> None:
    """EIP-2929."""
    state = frame.computation.state
    if frame.accounts.is_address_warm(address) or state.is_address_warm(address):
        frame.charge(_WARM)
    else:
        state.mark_address_warm(address)
        frame.charge(_COLD)


def _message(
    frame: Any,
    kind: CallKind,
    gas: int,
    target: Address,
    value: int,
    data: bytes,
    code: bytes,
    delegate: Address | None,
) -> Message:
    """The message to the frame below, without the checks of Message's constructor."""
    above = frame.computation.msg
    message = _new_message(Message)
    message.gas, message.data, message.code, message.refund = gas, data, code, 0
    message.depth = above.depth + 1
    message._storage_address = None
    message._is_delegation = delegate is not None
    message._code_address = delegate
    message.sender, message.to, message.value = frame.address, target, value
    message.should_transfer_value = kind is CallKind.CALL or kind is CallKind.CALLCODE
    message.is_static = frame.is_static or kind is CallKind.STATICCALL
    if kind is CallKind.CALLCODE or kind is CallKind.DELEGATECALL:
        message.to, message._code_address = frame.address, delegate or target
    if kind is CallKind.DELEGATECALL:
        message.sender, message.value = above.sender, above.value
    return message


def _take_results(frame: Any, stack: list[int], child: Any, out_start: int, out_size: int) -> None:
    """Success, output and gas that is left, from the frame below."""
    error = child._error
    stack.append(1 if error is None else 0)
    if error is None or not error.erases_return_data:
        output = child._output
        size = min(out_size, len(output))
        if size:
            frame.memory._bytes[out_start : out_start + size] = output[:size]
    if error is None or not error.burns_gas:
        frame.meter.gas_remaining += child._gas_meter.gas_remaining


_new_message: Callable[[type[Message]], Any] = Message.__new__
