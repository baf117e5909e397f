"""One sender's transactions in the pool: what can run now, and what waits behind a nonce gap."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from rollup.execution.conditional import Conditional
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import Transaction


@dataclass(slots=True)
class PooledTransaction:
    """A transaction with what the pool worked out once: cost in wei with all fees, arrival order.

    conditional: the condition under which a block may take it; a builder checks it again.
    """

    transaction: Transaction
    sender: Address
    cost: int
    arrival: int
    conditional: Conditional | None = None


@dataclass(slots=True)
class PoolAccount:
    """A sender's transactions by nonce.

    state_nonce is the account's at the head; nonces from it up to (not with) next_nonce are all here and can run;
    those above wait. pending_cost is the sum of what the runnable ones may cost, in wei.
    """

    address: Address
    state_nonce: int
    next_nonce: int = 0
    pending_cost: int = 0
    by_nonce: dict[int, PooledTransaction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.next_nonce = self.state_nonce

    def copy(self) -> "PoolAccount":
        """An account that changes by itself, with the same transactions."""
        made = replace(self, by_nonce=dict(self.by_nonce))
        made.next_nonce = self.next_nonce
        return made

    @property
    def pending_count(self) -> int:
        """How many can run."""
        return self.next_nonce - self.state_nonce

    @property
    def queued_count(self) -> int:
        """How many wait behind a gap."""
        return len(self.by_nonce) - self.pending_count

    def put(self, item: PooledTransaction) -> None:
        """Adds, or takes the place of the one with the same nonce."""
        nonce = item.transaction.nonce
        old = self.by_nonce.get(nonce)
        self.by_nonce[nonce] = item
        if nonce < self.next_nonce:
            self.pending_cost += item.cost - (old.cost if old is not None else 0)
        else:
            self._promote()

    def remove(self, nonce: int) -> PooledTransaction | None:
        """Takes one out; those after it wait from then on."""
        item = self.by_nonce.pop(nonce, None)
        if item is not None and self.state_nonce <= nonce < self.next_nonce:
            self.pending_cost -= item.cost
            for later in range(nonce + 1, self.next_nonce):
                self.pending_cost -= self.by_nonce[later].cost
            self.next_nonce = nonce
        return item

    def advance(self, state_nonce: int) -> list[PooledTransaction]:
        """Follows the account's nonce, back as well after a reorg; returns those the chain has passed by."""
        if state_nonce == self.state_nonce:
            return []
        if state_nonce - self.state_nonce > len(self.by_nonce):
            stale = sorted(nonce for nonce in self.by_nonce if nonce < state_nonce)
        else:
            stale = [nonce for nonce in range(self.state_nonce, state_nonce) if nonce in self.by_nonce]
        gone = [self.by_nonce.pop(nonce) for nonce in stale]
        if self.state_nonce < state_nonce <= self.next_nonce:
            self.pending_cost -= sum(item.cost for item in gone)
            self.state_nonce = state_nonce
        else:
            self.state_nonce = self.next_nonce = state_nonce
            self.pending_cost = 0
            self._promote()
        return gone

    def pending(self) -> Iterator[PooledTransaction]:
        """The transactions that can run, by nonce."""
        return (self.by_nonce[nonce] for nonce in range(self.state_nonce, self.next_nonce))

    def queued(self) -> Iterator[PooledTransaction]:
        """The transactions that wait behind a nonce gap, by nonce."""
        return (self.by_nonce[nonce] for nonce in sorted(self.by_nonce) if nonce >= self.next_nonce)

    def _promote(self) -> None:
        item = self.by_nonce.get(self.next_nonce)
        while item is not None:
            self.pending_cost += item.cost
            self.next_nonce += 1
            item = self.by_nonce.get(self.next_nonce)
