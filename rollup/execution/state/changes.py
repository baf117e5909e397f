"""The effect of a block on the state: enough to compute the new roots, to store it, and to undo it."""

from dataclasses import dataclass, field

from rollup.execution.state.account import Account
from rollup.protocol.primitives import Address, Hash


@dataclass(slots=True)
class StateChanges:
    """Final values of everything that differs from the state before the block.

    accounts: None if the account was removed. Its storage_root is the one before the block (the new one comes from
    storage). storage: slot to value, 0 deletes. cleared: accounts whose earlier storage was wiped before `storage`
    applies. codes: new code by hash.
    """

    accounts: dict[Address, Account | None] = field(default_factory=dict)
    storage: dict[Address, dict[int, int]] = field(default_factory=dict)
    cleared: set[Address] = field(default_factory=set)
    codes: dict[Hash, bytes] = field(default_factory=dict)
