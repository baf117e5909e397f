"""The transactions that a pool holds, by sender and by hash, and what gives way when it is full."""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from rollup.execution.state.account import Account
from rollup.pool import errors as texts
from rollup.pool.account import PoolAccount, PooledTransaction
from rollup.pool.errors import PoolError
from rollup.pool.limits import PoolLimits
from rollup.pool.order import by_tip, next_of, pays
from rollup.pool.queue import PoolQueue
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import Transaction


@dataclass(slots=True, frozen=True)
class PoolContent:
    """Every transaction by sender, in nonce order: those that can run, and those behind a gap."""

    pending: dict[Address, list[Transaction]]
    queued: dict[Address, list[Transaction]]


@dataclass(slots=True, frozen=True)
class PoolSnapshot:
    """The content of a pool at one moment."""

    accounts: tuple[PoolAccount, ...]
    arrivals: int
    waiting_since: tuple[tuple[Address, float], ...]


class HeldTransactions:
    """Transactions in memory. It checks nothing but the size of the pool.

    What leaves is collected until `take_left`, so that the pool can write it to its journal and tell its listeners.
    """

    def __init__(self, limits: PoolLimits, now: Callable[[], float]) -> None:
        """now: seconds by the node's clock, by which what waits behind a gap gets old."""
        self.accounts: dict[Address, PoolAccount] = {}
        self.by_hash: dict[Hash, PooledTransaction] = {}
        self.arrivals = 0
        self.left: list[PooledTransaction] = []  # since the last take_left
        self._limits = limits
        self._cheapest: list[tuple[int, int, Hash]] = []  # lazily cleaned heap: tip, newest first, hash
        self._queue = PoolQueue(limits, now)

    # ------------------------------------------------------------ reading
    def content(self) -> PoolContent:
        """Everything, by sender."""
        accounts = self.accounts.values()
        pending = {account.address: [item.transaction for item in account.pending()] for account in accounts}
        queued = {account.address: [item.transaction for item in account.queued()] for account in accounts}
        return PoolContent(
            {address: items for address, items in pending.items() if items},
            {address: items for address, items in queued.items() if items},
        )

    def counts(self) -> tuple[int, int]:
        """How many can run, and how many wait behind a gap."""
        pending = sum(account.pending_count for account in self.accounts.values())
        return pending, len(self.by_hash) - pending

    def has_pending(self, base_fee: int) -> bool:
        """True when a block at this base fee (wei) would have something to take."""
        heads = (account.by_nonce.get(account.state_nonce) for account in self.accounts.values())
        return any(item is not None and pays(item.transaction, base_fee) for item in heads)

    def are_pending(self, hashes: Iterable[Hash], base_fee: int) -> bool:
        """True when a block at this base fee (wei) may take one of these, after those of its sender before it."""
        return any(self._is_pending(tx_hash, base_fee) for tx_hash in hashes)

    def pending(
        self, base_fee: int, rejected: Collection[Hash], next_nonces: Mapping[Address, int]
    ) -> Iterator[Transaction]:
        """The transactions that can run at this base fee (wei), highest tip first, each sender's in nonce order.

        rejected: hashes that the caller adds to; what its sender sent after one of them is left out. next_nonces: where
        to begin, for senders that do not begin at their nonce at the head.
        """
        heads: list[tuple[int, int, PooledTransaction]] = []
        for address, account in self.accounts.items():
            heads += next_of(account, next_nonces.get(address, account.state_nonce), base_fee)
        heapq.heapify(heads)
        while heads:
            item = heapq.heappop(heads)[2]
            if item.transaction.hash not in self.by_hash:
                continue  # it was replaced or dropped while the block was filled
            yield item.transaction
            account_now = self.accounts.get(item.sender)
            if account_now is not None and item.transaction.hash not in rejected:
                for entry in next_of(account_now, item.transaction.nonce + 1, base_fee):
                    heapq.heappush(heads, entry)

    # ------------------------------------------------------------ changing
    def put(self, item: PooledTransaction, account: PoolAccount, replaced: PooledTransaction | None) -> None:
        """Adds a transaction to its sender's account, in the place of `replaced` if there is one.

        Raises PoolError when the pool is full and this one pays no more than the cheapest.
        """
        nonce = item.transaction.nonce
        if replaced is not None:
            self.release([replaced])
        elif len(self.by_hash) >= self._limits.total:
            self._make_room(item, is_gapped=nonce > account.next_nonce)
        self.arrivals += 1
        self.accounts[item.sender] = account
        account.put(item)
        self._queue.heard(account)
        self.by_hash[item.transaction.hash] = item
        heapq.heappush(self._cheapest, by_tip(item))
        if len(self._cheapest) > 2 * len(self.by_hash) + 1024:
            self._order_by_tip()

    def forget(self, item: PooledTransaction) -> None:
        """Drops one transaction; those of its sender behind it wait from then on."""
        account = self.accounts[item.sender]
        account.remove(item.transaction.nonce)
        self.release([item])
        self._note(account)

    def release(self, items: list[PooledTransaction]) -> None:
        """Lets go of transactions that are in no account any more."""
        for item in items:
            del self.by_hash[item.transaction.hash]
            self.left.append(item)

    def refresh(self, account: PoolAccount, state: Account) -> None:
        """Brings one sender up to its state at the head; drops what it cannot pay any more."""
        self.release(account.advance(state.nonce))
        if account.pending_cost > state.balance:
            poor = [item for item in account.by_nonce.values() if item.cost > state.balance]
            for item in poor:
                account.remove(item.transaction.nonce)
            self.release(poor)
        self._note(account)

    def trim_queue(self) -> None:
        """Drops what has waited behind gaps for too long, or is too much."""
        for item in self._queue.excess(self.accounts):
            self.forget(item)

    def clear(self) -> None:
        """Drops everything."""
        self.left += self.by_hash.values()
        self.accounts.clear()
        self.by_hash.clear()
        self._cheapest.clear()

    def take_left(self) -> list[PooledTransaction]:
        """The transactions that left the pool since the last call."""
        left, self.left = self.left, []
        return left

    # ------------------------------------------------------------ snapshots
    def capture(self) -> PoolSnapshot:
        """A copy of everything that is held now."""
        accounts = tuple(account.copy() for account in self.accounts.values())
        return PoolSnapshot(accounts, self.arrivals, tuple(self._queue.capture()))

    def restore(self, snapshot: PoolSnapshot) -> list[Transaction]:
        """Holds exactly what a snapshot has. Returns the transactions that were not held before."""
        before = self.by_hash
        self.accounts = {account.address: account.copy() for account in snapshot.accounts}
        items = [item for account in self.accounts.values() for item in account.by_nonce.values()]
        items.sort(key=lambda item: item.arrival)
        self.by_hash = {item.transaction.hash: item for item in items}
        self._order_by_tip()
        self.arrivals = snapshot.arrivals
        self._queue.restore(snapshot.waiting_since)
        self.left += [item for item in before.values() if item.transaction.hash not in self.by_hash]
        return [item.transaction for item in items if item.transaction.hash not in before]

    # ------------------------------------------------------------ inside
    def _is_pending(self, tx_hash: Hash, base_fee: int) -> bool:
        item = self.by_hash.get(tx_hash)
        if item is None:
            return False
        account, nonce = self.accounts[item.sender], item.transaction.nonce
        return nonce < account.next_nonce and all(
            pays(account.by_nonce[earlier].transaction, base_fee) for earlier in range(account.state_nonce, nonce + 1)
        )

    def _make_room(self, item: PooledTransaction, is_gapped: bool) -> None:
        """Drops the cheapest transactions; raises PoolError when the new one pays no more than them.

        A transaction that cannot run takes no place of one that can (geth core/txpool/legacypool, add).
        """
        while len(self.by_hash) >= self._limits.total:
            while self._cheapest and self._cheapest[0][2] not in self.by_hash:
                heapq.heappop(self._cheapest)
            cheapest = self.by_hash[self._cheapest[0][2]]
            if (
                item.transaction.max_priority_fee_per_gas <= cheapest.transaction.max_priority_fee_per_gas
                or cheapest.sender == item.sender
            ):
                raise PoolError(texts.UNDERPRICED)
            if is_gapped and cheapest.transaction.nonce < self.accounts[cheapest.sender].next_nonce:
                raise PoolError(texts.FUTURE_REPLACES_PENDING)
            self.forget(cheapest)

    def _order_by_tip(self) -> None:
        self._cheapest = [by_tip(item) for item in self.by_hash.values()]
        heapq.heapify(self._cheapest)

    def _note(self, account: PoolAccount) -> None:
        """Follows a change of an account's transactions."""
        self._queue.note(account)
        if not account.by_nonce:
            del self.accounts[account.address]
