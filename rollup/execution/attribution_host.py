"""The attribution precompile inside py-evm: a `Host` over one computation.

In both modes the account has nonce 1 and the Solidity twin's code. In mode `native` the VM's `_precompiles` holds

    {ADDRESS_BYTES: attribution_precompile}

and a frame with that code at that address runs the methods natively. Three things py-evm takes for granted of
precompiles do not hold for this one; `AttributionComputation` and `AttributionState` correct them, as mixins before a
fork's own classes:

- it is native only while the account holds the twin's code: before activation the account is empty, and the code that
  an `eth_call` puts there by override runs as any other code;
- it is not warm at the start of a transaction (EIP-2929 warms the protocol's own precompiles only);
- an EIP-7702 delegation to it reaches its code, as it does in mode `contract`, and is refused as a delegate call.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from eth.exceptions import OutOfGas, Revert
from eth.vm.computation import BaseComputation
from eth.vm.opcode_values import CALL

from attribution_precompile import ADDRESS_BYTES, RUNTIME_CODE, execute
from attribution_precompile import Revert as PrecompileRevert
from attribution_precompile import gas as schedule
from attribution_precompile.layout import mapping_slot
from attribution_precompile.signatures import recover_address
from rollup.execution.delegation import delegate_of
from rollup.execution.impersonated_signatures import signer_in
from rollup.execution.storage_gas import sstore_gas

_NO_PRECOMPILES: Mapping[bytes, Any] = {}


class ComputationHost:
    """attribution_precompile.Host over a py-evm computation, London or later; state and journal are the EVM's."""

    __slots__ = (
        "_computation",
        "_meter",
        "_state",
        "caller",
        "chain_id",
        "is_delegate",
        "is_static",
        "timestamp",
        "value",
    )

    def __init__(self, computation: BaseComputation) -> None:
        message = computation.msg
        self._computation = computation
        self._meter = computation.get_gas_meter()
        self._state = computation.state
        self.caller = int.from_bytes(message.sender, "big")
        self.value: int = message.value
        self.is_static: bool = message.is_static
        self.is_delegate: bool = message.storage_address != ADDRESS_BYTES
        self.timestamp: int = computation.state.timestamp
        self.chain_id: int = computation.state.execution_context.chain_id

    @property
    def balance(self) -> int:
        """The precompile's own balance, wei."""
        balance: int = self._state.get_balance(ADDRESS_BYTES)
        return balance

    def charge(self, amount: int) -> None:
        """Takes gas, or raises py-evm's OutOfGas."""
        self._meter.consume_gas(amount, reason="attribution")

    def mapping(self, key: int, slot: int) -> int:
        """The slot of `key`'s entry in the mapping at `slot`, after charging gas.MAPPING for the hash."""
        self.charge(schedule.MAPPING)
        return mapping_slot(key, slot)

    def sload(self, slot: int) -> int:
        """EIP-2929."""
        state = self._state
        if state.is_storage_warm(ADDRESS_BYTES, slot):
            self._meter.consume_gas(schedule.SLOAD_WARM, reason="SLOAD")
        else:
            self._meter.consume_gas(schedule.SLOAD_COLD, reason="SLOAD")
            state.mark_storage_warm(ADDRESS_BYTES, slot)
        value: int = state.get_storage(ADDRESS_BYTES, slot)
        return value

    def sstore(self, slot: int, value: int) -> None:
        """EIP-2200 as changed by EIP-2929 and EIP-3529."""
        computation = self._computation
        if self._meter.gas_remaining <= schedule.SSTORE_SENTRY:
            raise OutOfGas("SSTORE needs more than 2,300 gas left (EIP-2200)")
        state = self._state
        current = state.get_storage(ADDRESS_BYTES, slot)
        original = state.get_storage(ADDRESS_BYTES, slot, from_journal=False)
        cost, refund = sstore_gas(original, current, value)
        warm = state.is_storage_warm(ADDRESS_BYTES, slot)
        self._meter.consume_gas(cost if warm else cost + schedule.SLOAD_COLD, reason="SSTORE")
        if not warm:
            state.mark_storage_warm(ADDRESS_BYTES, slot)
        if refund:
            computation.refund_gas(refund)
        if current != value:
            state.set_storage(ADDRESS_BYTES, slot, value)

    def log(self, topics: tuple[int, ...], data: bytes) -> None:
        """375, 375 a topic, 8 a byte."""
        self._meter.consume_gas(
            schedule.LOG + schedule.LOG_TOPIC * len(topics) + schedule.LOG_BYTE * len(data), reason="LOG"
        )
        self._computation.add_log_entry(ADDRESS_BYTES, topics, data)

    def pay(self, recipient: int, amount: int) -> bool:
        """The fork's own CALL opcode, asked for no gas: the callee runs on the 2,300 stipend."""
        computation = self._computation
        for size_or_position in (0, 0, 0, 0):
            computation.stack_push_int(size_or_position)
        computation.stack_push_int(amount)
        computation.stack_push_bytes(recipient.to_bytes(20, "big"))
        computation.stack_push_int(0)
        computation.opcodes[CALL](computation=computation)
        return bool(computation.stack_pop1_int())

    def ecrecover(self, digest: bytes, v: int, r: int, s: int) -> int:
        """The signer's address, or 0; a developer may have chosen it."""
        return signer_in(self._state, v, r, s) or recover_address(digest, v, r, s)


def attribution_precompile(computation: BaseComputation) -> BaseComputation:
    """The entry for py-evm's `_precompiles`. A typed error becomes a revert with its data and the unspent gas."""
    try:
        computation.output = execute(ComputationHost(computation), computation.msg.data_as_bytes)
    except PrecompileRevert as error:
        computation.output = error.data
        raise Revert(error.data) from error
    return computation


class AccountWriter(Protocol):
    """The part of an account database that activation uses. py-evm's state and the node's own database both have it."""

    def set_nonce(self, address: Any, nonce: int) -> None: ...

    def set_code(self, address: Any, code: bytes) -> None: ...

    def set_storage(self, address: Any, slot: int, value: int) -> None: ...


def activate(accounts: AccountWriter, storage: Mapping[int, int]) -> None:
    """Sets up the account at the beginning of the activation block, before that block's first transaction.

    `storage` is the result of genesis_storage (docs/attribution-calls.md, "For the node"). Wei sent to it before stays
    in the account and belongs to nobody.
    """
    accounts.set_nonce(ADDRESS_BYTES, 1)
    accounts.set_code(ADDRESS_BYTES, RUNTIME_CODE)
    for slot, value in storage.items():
        accounts.set_storage(ADDRESS_BYTES, slot, value)


class AttributionComputation:
    """Mixin for a fork's computation class in mode `native`."""

    msg: Any

    @property
    def precompiles(self) -> Any:
        """The fork's precompiles; none for a frame at the attribution address whose code is not the twin's."""
        message = self.msg
        if message.code_address == ADDRESS_BYTES and message.code != RUNTIME_CODE:
            return _NO_PRECOMPILES
        return super().precompiles  # type: ignore[misc]

    @classmethod
    def apply_computation(cls, state: Any, message: Any, *args: Any, **kwargs: Any) -> Any:
        """An EIP-7702 delegation to the precompile runs it, so that it can refuse."""
        if message.is_delegation:
            # A transaction's own message names the delegating account; a CALL's names the code's address.
            if delegate_of(state.get_code(message.code_address)) == ADDRESS_BYTES:
                message.code_address = ADDRESS_BYTES
            if message.code_address == ADDRESS_BYTES:
                message.is_delegation = False
        return super().apply_computation(state, message, *args, **kwargs)  # type: ignore[misc]


class AttributionState:
    """Mixin for a fork's state class in mode `native`."""

    _account_db: Any

    def is_address_warm(self, address: bytes) -> bool:
        """Warm if touched in this transaction, or one of the protocol's own precompiles."""
        if address == ADDRESS_BYTES:
            warm: bool = self._account_db.is_address_warm(address)
            return warm
        return super().is_address_warm(address)  # type: ignore[misc]
