"""Changes to single accounts from outside of any transaction: for the length of a call, or in a block."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollup.execution.state.accounts import AccountDatabase
from rollup.protocol.primitives import Address


@dataclass(slots=True)
class StateOverride:
    """Changes to one account. None leaves a field as it is.

    storage replaces all slots, storage_diff only those named. balance in wei. move_precompile_to, of calls only: where
    the precompile of this address answers instead.
    """

    balance: int | None = None
    nonce: int | None = None
    code: bytes | None = None
    storage: dict[int, int] | None = None
    storage_diff: dict[int, int] = field(default_factory=dict)
    move_precompile_to: Address | None = None


def override_account(accounts: AccountDatabase, address: Address, override: StateOverride) -> None:
    """Makes the changes to an account."""
    if override.balance is not None:
        accounts.set_balance(address, override.balance)
    if override.nonce is not None:
        accounts.set_nonce(address, override.nonce)
    if override.code is not None:
        accounts.set_code(address, override.code)
    slots = override.storage_diff
    if override.storage is not None:
        accounts.delete_storage(address)
        slots = override.storage
    for slot, value in slots.items():
        accounts.set_storage(address, slot, value)


def override_accounts(accounts: AccountDatabase, overrides: Mapping[Address, StateOverride]) -> None:
    """Makes the changes to several accounts."""
    for address, override in overrides.items():
        override_account(accounts, address, override)
