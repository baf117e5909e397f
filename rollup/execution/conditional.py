"""The condition under which a transaction may be in a block (eth_sendRawTransactionConditional, ERC-7796).

The sequencer alone enforces it, and nothing of it is in the block. Fields, cost and texts are op-geth's
(core/types/transaction_conditional.go, core/types/block.go, core/state/statedb.go: CheckTransactionConditional).

In one point this is stricter: a storage root is that of the state that the transaction runs on. op-geth compares with
the root at the block's beginning, even if an earlier transaction of the block has written to the account.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rollup.cooperative import in_turns
from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.protocol.primitives import Address, Hash

_CHANGED = "another one since an earlier transaction of the block"


class Storage(Protocol):
    """The storage that a condition is about: a state, or a block in the making."""

    def storage_root(self, address: Address) -> Hash | None: ...
    def get_storage(self, address: Address, slot: int) -> int: ...


@dataclass(slots=True, frozen=True)
class Conditional:
    """Bounds of the block's number and time (Unix seconds), both inclusive, and what some accounts must store.

    roots: an account's storage root. slots: the values of an account's slots.
    """

    roots: Mapping[Address, Hash] = field(default_factory=dict)
    slots: Mapping[Address, Mapping[int, int]] = field(default_factory=dict)
    block_number_min: int | None = None
    block_number_max: int | None = None
    timestamp_min: int | None = None
    timestamp_max: int | None = None

    @property
    def cost(self) -> int:
        """How many lookups it takes, as op-geth counts them."""
        accounts = 2 * len(self.roots) + sum(1 + len(values) for values in self.slots.values())
        has_numbers = self.block_number_min is not None or self.block_number_max is not None
        has_times = self.timestamp_min is not None or self.timestamp_max is not None
        return accounts + has_numbers + has_times

    def check_itself(self) -> None:
        """Raises InvalidTransaction where no block can meet it."""
        if _above(self.block_number_min, self.block_number_max):
            raise InvalidTransaction(Refusal.CONDITION_NUMBERS)
        if _above(self.timestamp_min, self.timestamp_max):
            raise InvalidTransaction(Refusal.CONDITION_TIMES)

    def check_block(self, number: int, timestamp: int) -> None:
        """Raises InvalidTransaction where a block with this number and time does not meet it."""
        if _above(self.block_number_min, number):
            raise InvalidTransaction(Refusal.CONDITION_NUMBER_MIN)
        if _above(number, self.block_number_max):
            raise InvalidTransaction(Refusal.CONDITION_NUMBER_MAX)
        if _above(self.timestamp_min, timestamp):
            raise InvalidTransaction(Refusal.CONDITION_TIME_MIN)
        if _above(timestamp, self.timestamp_max):
            raise InvalidTransaction(Refusal.CONDITION_TIME_MAX)

    def check_storage(self, storage: Storage) -> None:
        """Raises InvalidTransaction where the accounts store something else."""
        for address, root in in_turns(self.roots.items()):
            found = storage.storage_root(address)
            if found != root:
                shown = _CHANGED if found is None else found
                raise InvalidTransaction(Refusal.CONDITION_ROOT, found=shown, expected=root)
        for address, values in self.slots.items():
            for slot, expected in in_turns(values.items()):
                value = storage.get_storage(address, slot)
                if value != expected:
                    words = (number.to_bytes(32, "big") for number in (slot, value, expected))
                    raise InvalidTransaction(
                        Refusal.CONDITION_SLOT, **dict(zip(("slot", "found", "expected"), words, strict=True))
                    )


def _above(low: int | None, high: int | None) -> bool:
    return low is not None and high is not None and low > high
