"""Calls that leave no trace: eth_call, eth_estimateGas, eth_createAccessList (geth internal/ethapi).

They charge no L1 or operator fee, as op-geth; a gas price of 0 skips the base fee check.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eth.exceptions import OutOfGas, Revert, VMError
from eth_utils.address import to_checksum_address

from attribution_precompile import ADDRESS_BYTES as ATTRIBUTION
from rollup.cooperative import pause
from rollup.execution.block_context import BlockContext
from rollup.execution.config import L2Config
from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.execution.evm import Evm, Outcome
from rollup.execution.halts import describe_error
from rollup.execution.intrinsic import TX_GAS
from rollup.execution.overrides import StateOverride, override_account
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.reader import StateReader
from rollup.execution.tracing import Tracer
from rollup.execution.transition import create_address, execute_call
from rollup.execution.vms.program import PROGRAMS, Programs
from rollup.execution.vms.rules import EvmRules, with_precompiles
from rollup.execution.vms.stepwise import Tracing
from rollup.protocol.fees import L1FeeParameters
from rollup.protocol.primitives import ZERO_ADDRESS, Address, Hash
from rollup.protocol.receipt import Log
from rollup.protocol.transaction import DYNAMIC_FEE, AccessList, Authorization, Transaction

GAS_CAP = 50_000_000  # geth's --rpc.gascap
_CALL_STIPEND = 2_300
_ESTIMATE_ERROR = 0.015  # geth eth/gasestimator: how close a search must come


class CallError(ValueError):
    """A call that cannot be made (funds, nonce, gas); the text is geth's."""


class ExecutionReverted(CallError):
    """A call that reverted; output is its revert data."""

    def __init__(self, output: bytes) -> None:
        super().__init__("execution reverted")
        self.output = output


class GasTooLow(CallError):
    """A gas limit below what the transaction costs before its first instruction (EIP-2028, 7623, 7702)."""


@dataclass(slots=True)
class CallRequest:
    """The parameters of a call: amounts in wei, gas in units, None where the caller left it open."""

    sender: Address = ZERO_ADDRESS
    to: Address | None = None
    gas: int | None = None
    max_fee_per_gas: int = 0
    max_priority_fee_per_gas: int = 0
    value: int = 0
    data: bytes = b""
    nonce: int | None = None
    access_list: AccessList = ()
    blob_versioned_hashes: tuple[Hash, ...] = ()
    authorization_list: tuple[Authorization, ...] = ()
    has_gas_price: bool = False  # gasPrice was given, not the fees of EIP-1559


@dataclass(slots=True)
class CallResult:
    """The effects of a call. error is None if it succeeded."""

    gas_used: int
    output: bytes
    error: VMError | None = None
    logs: list[Log] = field(default_factory=list)

    def raise_if_failed(self) -> None:
        """Raises ExecutionReverted, or CallError with geth's name for the halt."""
        if self.error is None:
            return
        if isinstance(self.error, Revert):
            raise ExecutionReverted(self.output)
        raise CallError(describe_error(self.error))


def call(
    context: BlockContext,
    reader: StateReader,
    request: CallRequest,
    block_hash: Callable[[int], Hash | None],
    overrides: Mapping[Address, StateOverride] | None = None,
    check_interrupt: Callable[[], None] = pause,
    tracer: Tracer | None = None,
    accounts: AccountDatabase | None = None,
) -> CallResult:
    """Runs a call in a block's context. Raises CallError if it cannot begin. An exception of check_interrupt ends the
    call.

    accounts: the state to call on, instead of the reader's; the changes of the call stay in it.
    """
    evm = _evm(context, reader, block_hash, overrides, check_interrupt, accounts)
    if tracer is not None:
        evm.context.tracing = Tracing(tracer)
    return _run(evm, request, request.gas if request.gas is not None else GAS_CAP)


def estimate_gas(
    context: BlockContext,
    reader: StateReader,
    request: CallRequest,
    block_hash: Callable[[int], Hash | None],
    overrides: Mapping[Address, StateOverride] | None = None,
    check_interrupt: Callable[[], None] = pause,
) -> int:
    """The least gas limit with which the call succeeds; raises ExecutionReverted, CallError.

    Where the call reaches the native attribution precompile the limit is enough for the twin's code as well: tools
    that execute a transaction themselves (a trace, a fork) run that code, and come to the same result.
    """
    native, is_touched = _estimate(context, reader, request, block_hash, overrides, check_interrupt)
    config = context.config
    if not (is_touched and context.rules.is_native_attribution and isinstance(config, L2Config)):
        return native
    assert config.attribution is not None
    in_code = replace(config.attribution, mode="contract")
    as_contract = replace(context, config=replace(config, attribution=in_code))
    try:
        return max(native, _estimate(as_contract, reader, request, block_hash, overrides, check_interrupt)[0])
    except CallError:
        return native


def _estimate(
    context: BlockContext,
    reader: StateReader,
    request: CallRequest,
    block_hash: Callable[[int], Hash | None],
    overrides: Mapping[Address, StateOverride] | None,
    check_interrupt: Callable[[], None],
) -> tuple[int, bool]:
    """The least gas limit under these rules, and whether the call touches the attribution account."""

    def run(gas: int) -> CallResult:
        return _run(_evm(context, reader, block_hash, overrides, check_interrupt), request, gas)

    def suffices(gas: int) -> bool:
        # After a refund the gas used may be less than the gas needed to begin: then the limit must be higher.
        try:
            return run(gas).error is None
        except GasTooLow:
            return False

    high = _highest_gas(context, reader, request, overrides)
    if request.to is not None and not request.data and not request.authorization_list:
        plain = _evm(context, reader, block_hash, overrides)
        if not plain.accounts.get_code(request.to) and high >= TX_GAS and suffices(TX_GAS):
            return TX_GAS, False
    evm = _evm(context, reader, block_hash, overrides, check_interrupt)
    try:
        result = _run(evm, request, high)
    except GasTooLow as error:
        raise CallError(f"gas required exceeds allowance ({high})") from error
    if result.error is not None:
        if isinstance(result.error, Revert):
            raise ExecutionReverted(result.output)
        if isinstance(result.error, OutOfGas):
            raise CallError(f"gas required exceeds allowance ({high})")
        raise CallError(describe_error(result.error))
    low = result.gas_used - 1
    optimistic = (result.gas_used + _CALL_STIPEND) * 64 // 63
    if low < optimistic < high:
        if suffices(optimistic):
            high = optimistic
        else:
            low = optimistic
    while low + 1 < high and (high - low) / high >= _ESTIMATE_ERROR:
        middle = min((low + high) // 2, low * 2)
        if middle <= low:
            break
        if suffices(middle):
            high = middle
        else:
            low = middle
    return high, evm.accounts.is_address_warm(ATTRIBUTION)


def create_access_list(
    context: BlockContext,
    reader: StateReader,
    request: CallRequest,
    block_hash: Callable[[int], Hash | None],
    overrides: Mapping[Address, StateOverride] | None = None,
    check_interrupt: Callable[[], None] = pause,
) -> tuple[AccessList, CallResult]:
    """The addresses and slots a call touches, and its result when it has that list (EIP-2930); raises CallError."""
    current = request
    for _ in range(16):
        accounts = TouchedAccounts(reader)
        evm = _evm(context, reader, block_hash, overrides, check_interrupt, accounts)
        plain = _always_warm(evm, request)
        result = _run(evm, current, request.gas if request.gas is not None else GAS_CAP)
        found = _touched(accounts, plain)
        if found == current.access_list:
            break
        current = replace(current, access_list=found)
    return current.access_list, result


class TouchedAccounts(AccountDatabase):
    """Remembers every address and slot that became warm, also those of frames that reverted."""

    __slots__ = ("touched_addresses", "touched_slots")

    def __init__(self, reader: StateReader) -> None:
        super().__init__(reader)
        self.touched_addresses: set[Address] = set()
        self.touched_slots: set[tuple[Address, int]] = set()

    def mark_address_warm(self, address: Address) -> None:
        """Makes an address warm, and remembers it."""
        self.touched_addresses.add(address)
        super().mark_address_warm(address)

    def mark_storage_warm(self, address: Address, slot: int) -> None:
        """Makes a slot warm, and remembers it."""
        self.touched_slots.add((address, slot))
        super().mark_storage_warm(address, slot)


def _always_warm(evm: Evm, request: CallRequest) -> set[Address]:
    """The addresses that are warm when a call begins."""
    to = request.to
    if to is None:
        nonce = evm.accounts.get_nonce(request.sender) if request.nonce is None else request.nonce
        to = create_address(request.sender, nonce)
    return {request.sender, to, evm.context.coinbase, *evm.rules.precompiles}


def _touched(accounts: TouchedAccounts, plain: set[Address]) -> AccessList:
    """Every touched address and slot. A plain address is listed only with its slots. Frames that reverted count too
    (geth eth/tracers/logger/access_list_tracer.go).
    """
    by_address: dict[Address, list[int]] = {
        address: [] for address in accounts.touched_addresses if address not in plain
    }
    for address, slot in accounts.touched_slots:
        by_address.setdefault(address, []).append(slot)
    return tuple(
        (address, tuple(slot.to_bytes(32, "big") for slot in sorted(by_address[address])))
        for address in sorted(by_address)
    )


def _evm(
    context: BlockContext,
    reader: StateReader,
    block_hash: Callable[[int], Hash | None],
    overrides: Mapping[Address, StateOverride] | None,
    check_interrupt: Callable[[], None] = pause,
    accounts: AccountDatabase | None = None,
) -> Evm:
    accounts = AccountDatabase(reader) if accounts is None else accounts
    for address, override in (overrides or {}).items():
        override_account(accounts, address, override)
    accounts.lock_changes()
    rules = overridden_rules(context.rules, overrides or {})
    has_own_code = any(override.code is not None for override in (overrides or {}).values())
    programs = Programs() if has_own_code or rules is not context.rules else PROGRAMS
    return Evm(rules, context.evm_context(block_hash, check_interrupt, programs), accounts, L1FeeParameters())


def overridden_rules(rules: EvmRules, overrides: Mapping[Address, StateOverride]) -> EvmRules:
    """Rules under which an overridden account is not a precompile, and a precompile's new address is one (geth
    internal/ethapi/override). Raises CallError.
    """
    protocol = rules.protocol_precompiles
    if not any(address in protocol or item.move_precompile_to for address, item in overrides.items()):
        return rules
    precompiles, moved = dict(rules.precompiles), set()
    for address, override in overrides.items():
        if address in moved:
            name = to_checksum_address(address)
            raise CallError(f"account {name} has already been overridden by a precompile")
        target, precompile = override.move_precompile_to, None
        if address in protocol:
            precompile = precompiles.pop(address, None)
        if target is None:
            continue
        if precompile is None:
            raise CallError(f"account {to_checksum_address(address)} is not a precompile")
        if target in overrides:
            raise CallError(f"account {to_checksum_address(target)} is already overridden")
        precompiles[target] = precompile
        moved.add(target)
    return with_precompiles(rules, precompiles)


def _run(evm: Evm, request: CallRequest, gas: int) -> CallResult:
    nonce = evm.accounts.get_nonce(request.sender) if request.nonce is None else request.nonce
    transaction = Transaction(
        DYNAMIC_FEE,
        nonce=nonce,
        gas_limit=min(gas, GAS_CAP),
        to=request.to,
        value=request.value,
        data=request.data,
        chain_id=evm.context.chain_id,
        max_fee_per_gas=request.max_fee_per_gas,
        max_priority_fee_per_gas=request.max_priority_fee_per_gas,
        access_list=request.access_list,
        blob_versioned_hashes=request.blob_versioned_hashes,
        authorization_list=request.authorization_list,
        _sender=request.sender,
    )
    if not request.max_fee_per_gas:
        evm.context.base_fee_per_gas = 0  # as in geth, for the opcode BASEFEE too
    try:
        outcome: Outcome = execute_call(evm, transaction)
    except InvalidTransaction as error:
        kind = GasTooLow if error.kind in (Refusal.INTRINSIC_GAS, Refusal.FLOOR_GAS) else CallError
        raise kind(str(error)) from error
    return CallResult(outcome.gas_used, outcome.output, outcome.error, outcome.logs)


def _highest_gas(
    context: BlockContext,
    reader: StateReader,
    request: CallRequest,
    overrides: Mapping[Address, StateOverride] | None,
) -> int:
    """The highest gas limit to try: the least of the request's gas, the block's limit and what the sender can pay."""
    high = request.gas if request.gas is not None and request.gas >= TX_GAS else context.gas_limit
    if request.max_fee_per_gas:
        override = (overrides or {}).get(request.sender)
        account = reader.account(request.sender)
        balance = account.balance if account is not None else 0
        if override is not None and override.balance is not None:
            balance = override.balance
        if request.value > balance:
            raise CallError("insufficient funds for transfer")
        high = min(high, (balance - request.value) // request.max_fee_per_gas)
    most = context.rules.max_transaction_gas
    return min(high, GAS_CAP, most or GAS_CAP)


__all__: list[Any] = [
    "CallError",
    "CallRequest",
    "CallResult",
    "ExecutionReverted",
    "call",
    "create_access_list",
    "describe_error",
    "estimate_gas",
]
