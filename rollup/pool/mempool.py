"""The transaction pool of either layer: nonce order a sender, tip order across senders.

Behaviour and texts follow geth's legacy pool (core/txpool/legacypool): a replacement raises tip and fee cap by 10 %,
the balance check counts what the sender already has in the pool, on L2 with the L1 data fee and the operator fee.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from rollup.execution.block_context import rules_at
from rollup.execution.chain import Chain, HeadChange
from rollup.execution.conditional import Conditional
from rollup.execution.config import L1Config, L2Config
from rollup.execution.errors import InvalidTransaction
from rollup.execution.state.account import Account
from rollup.execution.state.reader import StateReader
from rollup.pool import errors as texts
from rollup.pool.account import PoolAccount, PooledTransaction
from rollup.pool.admission import check_account, check_funds
from rollup.pool.errors import AlreadyKnown, PoolError
from rollup.pool.journal import PoolJournal
from rollup.pool.limits import PoolLimits
from rollup.pool.order import by_tip, next_of, pays
from rollup.pool.queue import PoolQueue
from rollup.pool.rules import PoolRules, check_transaction, decode, decoded, max_cost
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.known_transactions import remember_transaction
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Address, Hash
from rollup.protocol.recent import Recent
from rollup.protocol.transaction import SET_CODE, Transaction, TransactionError
from rollup.store.kv import Store, StoreError

# What a transaction costs beyond gas and value, in wei, at a head: made once a head, asked once a transaction.
CostFunction = Callable[[Transaction], int]
CostRule = Callable[[Header, StateReader], CostFunction]

_KEPT_GUARDED = 16_384  # hashes of transactions with a condition

_NO_ACCOUNT = Account(0, 0, EMPTY_TRIE_ROOT, EMPTY_CODE_HASH)


def no_extra_cost(header: Header, state: StateReader) -> CostFunction:
    """L1's rule: gas and value are all there is."""
    del header, state
    return lambda transaction: 0


@dataclass(slots=True, frozen=True)
class PoolContent:
    """Every transaction by sender, in nonce order: those that can run, and those behind a gap."""

    pending: dict[Address, list[Transaction]]
    queued: dict[Address, list[Transaction]]


@dataclass(slots=True, frozen=True)
class PoolSnapshot:
    """What a pool held at one moment."""

    accounts: tuple[PoolAccount, ...]
    arrivals: int
    waiting_since: tuple[tuple[Address, float], ...]


class Mempool:
    """Transactions waiting for a block; a TransactionSource for the block builder.

    It subscribes itself to the chain's head. With a journal, an acknowledged transaction survives a kill. One with a
    condition (rollup/execution/conditional.py) does not: it is not journaled, and once it was in a block that left the
    chain it is not taken back, because the condition is gone then.
    """

    def __init__(
        self,
        chain: Chain,
        config: L1Config | L2Config,
        extra_cost: CostRule = no_extra_cost,
        *,
        limits: PoolLimits | None = None,
        journal: Store | None = None,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """now: seconds by the node's clock, by which what waits behind a gap gets old."""
        self.limits = limits or PoolLimits()
        self._chain = chain
        self._config = config
        self._extra_cost = extra_cost
        self._accounts: dict[Address, PoolAccount] = {}
        self._by_hash: dict[Hash, PooledTransaction] = {}
        self._cheapest: list[tuple[int, int, Hash]] = []  # lazily cleaned heap: tip, newest first, hash
        self._arrivals = 0
        self._rejected: set[Hash] = set()
        self._guarded: Recent[bool] = Recent(_KEPT_GUARDED)  # by hash: whether it came with a condition
        self._left: list[PooledTransaction] = []  # what left since the journal was last written
        self._listeners: list[Callable[[Transaction], None]] = []
        self._leave_listeners: list[Callable[[Transaction], None]] = []
        self._queue = PoolQueue(self.limits, now)
        self._journal = PoolJournal(journal) if journal is not None else None
        self._on_head(chain.head)
        self._reload()
        chain.subscribe(self.on_head_change)

    def __len__(self) -> int:
        return len(self._by_hash)

    def subscribe(self, listener: Callable[[Transaction], None]) -> None:
        """Calls the listener for every transaction taken in."""
        self._listeners.append(listener)

    def subscribe_leaving(self, listener: Callable[[Transaction], None]) -> None:
        """Calls the listener for every transaction that is no longer held, be it in a block or dropped."""
        self._leave_listeners.append(listener)

    def add(self, raw: bytes, conditional: Conditional | None = None) -> Hash:
        """Takes in EIP-2718 bytes and returns the hash; raises PoolError with geth's text.

        conditional: the condition under which a block may take it.
        """
        return self.add_transaction(decode(raw), conditional)

    def add_many(self, raws: Iterable[bytes]) -> list[Hash | PoolError]:
        """Takes in several with one journal write: a hash or the error for each, in order."""
        return self.add_transactions(map(decoded, raws))

    def add_transactions(self, transactions: Iterable[Transaction | PoolError]) -> list[Hash | PoolError]:
        """As add_many, for transactions already parsed. An error in place of one is its answer."""
        results: list[Hash | PoolError] = []
        kept: list[Transaction] = []
        for transaction in transactions:
            if isinstance(transaction, PoolError):
                results.append(transaction)
                continue
            try:
                self._take(transaction)
            except PoolError as error:
                results.append(error)
            else:
                kept.append(transaction)
                results.append(transaction.hash)
        self._trim_queue()
        failure = self._record_or_undo(kept)
        return results if failure is None else [item if isinstance(item, PoolError) else failure for item in results]

    def add_transaction(self, transaction: Transaction, conditional: Conditional | None = None) -> Hash:
        """As add, for a transaction already parsed (a blob transaction without its sidecar)."""
        self._take(transaction, conditional)
        self._trim_queue()
        failure = self._record_or_undo([transaction])
        if failure is not None:
            raise failure
        return transaction.hash

    def get(self, tx_hash: Hash) -> Transaction | None:
        """The pooled transaction with this hash."""
        item = self._by_hash.get(tx_hash)
        return item.transaction if item is not None else None

    def conditional(self, tx_hash: Hash) -> Conditional | None:
        """The condition under which a block may take the pooled transaction with this hash."""
        item = self._by_hash.get(tx_hash)
        return item.conditional if item is not None else None

    def cost_of(self, transaction: Transaction) -> int:
        """Wei the sender must hold for this one at the head: gas at the cap, value, and the extra cost."""
        return max_cost(transaction) + self._cost(transaction)

    def nonce(self, address: Address) -> int:
        """The next nonce of an account, counting what can run in the pool (the `pending` count)."""
        account = self._accounts.get(address)
        state_nonce = self._account(address).nonce
        return max(account.next_nonce, state_nonce) if account is not None else state_nonce

    def content(self) -> PoolContent:
        """All that is held, by sender."""
        accounts = self._accounts.values()
        pending = {account.address: [item.transaction for item in account.pending()] for account in accounts}
        queued = {account.address: [item.transaction for item in account.queued()] for account in accounts}
        return PoolContent(
            {address: items for address, items in pending.items() if items},
            {address: items for address, items in queued.items() if items},
        )

    def counts(self) -> tuple[int, int]:
        """How many can run, and how many wait behind a gap."""
        pending = sum(account.pending_count for account in self._accounts.values())
        return pending, len(self._by_hash) - pending

    def has_pending(self, base_fee: int) -> bool:
        """True when a block at this base fee (wei) would have something to take."""
        heads = (account.by_nonce.get(account.state_nonce) for account in self._accounts.values())
        return any(item is not None and pays(item.transaction, base_fee) for item in heads)

    def remove(self, tx_hash: Hash) -> Transaction | None:
        """Forgets one transaction; those of its sender behind it wait from then on."""
        item = self._by_hash.get(tx_hash)
        if item is None:
            return None
        self._forget(item)
        self._record([])
        return item.transaction

    def clear(self) -> None:
        """Forgets everything."""
        self._left += self._by_hash.values()
        self._accounts.clear()
        self._by_hash.clear()
        self._cheapest.clear()
        self._record([])

    def pending(self, base_fee: int) -> Iterator[Transaction]:
        """What can run at this base fee (wei), highest tip first, a sender's in nonce order.

        After a transaction the caller may call reject; the rest of that sender's is then left out.
        """
        self._rejected.clear()
        heads: list[tuple[int, int, PooledTransaction]] = []
        for account in self._accounts.values():
            heads += next_of(account, account.state_nonce, base_fee)
        heapq.heapify(heads)
        while heads:
            item = heapq.heappop(heads)[2]
            if item.transaction.hash not in self._by_hash:
                continue  # it was replaced or dropped while the block was filled
            yield item.transaction
            account_now = self._accounts.get(item.sender)
            if account_now is not None and item.transaction.hash not in self._rejected:
                for entry in next_of(account_now, item.transaction.nonce + 1, base_fee):
                    heapq.heappush(heads, entry)

    def reject(self, transaction: Transaction, error: InvalidTransaction) -> None:
        """The block could not take this one: it is dropped, unless a later block may take it."""
        self._rejected.add(transaction.hash)
        if not error.kind.is_about_block:
            self.remove(transaction.hash)

    def defer(self, transaction: Transaction) -> None:
        """The block leaves this one, and the sender's next ones, for a later block."""
        self._rejected.add(transaction.hash)

    def on_head_change(self, change: HeadChange) -> None:
        """Drops what the new blocks hold or spend the money of; takes back what left the chain."""
        self._on_head(self._chain.head)
        included = {tx.hash for block in change.added for tx in block.transactions}
        orphaned = [
            tx
            for block in change.removed
            for tx in block.transactions
            if not (tx.is_deposit or tx.hash in included or self._guarded.get(tx.hash))
        ]
        for address in _touched(change.removed + change.added):
            self._refresh(address)
        kept: list[Transaction] = []
        for transaction in sorted(orphaned, key=lambda tx: tx.nonce):
            try:
                self._take(transaction)
            except PoolError:
                continue  # the new chain has no place for it: no client was promised one
            kept.append(transaction)
        self._trim_queue()
        self._record([transaction for transaction in kept if transaction.hash in self._by_hash])

    # ------------------------------------------------------------ snapshots
    def capture(self) -> PoolSnapshot:
        """All that is held now."""
        accounts = tuple(account.copy() for account in self._accounts.values())
        return PoolSnapshot(accounts, self._arrivals, tuple(self._queue.capture()))

    def restore(self, snapshot: PoolSnapshot) -> None:
        """Holds exactly what it held; the chain must be restored first. Listeners hear what comes and what leaves."""
        before = self._by_hash
        self._accounts = {account.address: account.copy() for account in snapshot.accounts}
        held = [item for account in self._accounts.values() for item in account.by_nonce.values()]
        held.sort(key=lambda item: item.arrival)
        self._by_hash = {item.transaction.hash: item for item in held}
        self._cheapest = [by_tip(item) for item in held]
        heapq.heapify(self._cheapest)
        self._arrivals = snapshot.arrivals
        self._queue.restore(snapshot.waiting_since)
        self._left += [item for item in before.values() if item.transaction.hash not in self._by_hash]
        self._record([item.transaction for item in held if item.transaction.hash not in before])

    # ------------------------------------------------------------ inside
    def _on_head(self, head: Block) -> None:
        self._state = self._chain.state_at(head.hash)
        self._cost = self._extra_cost(head.header, self._state)
        self._rules = PoolRules(
            chain_id=self._config.chain_id,
            gas_limit=head.header.gas_limit,
            evm=rules_at(self._config, head.timestamp),
        )

    def _reload(self) -> None:
        if self._journal is None:
            return
        refused: list[Transaction] = []
        gone: list[Hash] = []
        for transaction in self._journal.load():
            try:
                self._take(transaction)
            except PoolError:
                refused.append(transaction)
        # A replacement came in after the transactions that follow it: until it is back they are behind a gap.
        for transaction in sorted(refused, key=lambda kept: kept.nonce):
            try:
                self._take(transaction)
            except PoolError:
                gone.append(transaction.hash)
        self._journal.update(dropped=gone)
        self._trim_queue()
        self._record([])

    def _trim_queue(self) -> None:
        """Drops what waits behind gaps for too long, or is too much."""
        for item in self._queue.excess(self._accounts):
            self._forget(item)

    def _record_or_undo(self, added: list[Transaction]) -> PoolError | None:
        """As _record; where nothing can be written the pool is as before, and the answer is the error for clients."""
        left = list(self._left)
        added = [transaction for transaction in added if transaction.hash in self._by_hash]
        try:
            self._record(added)
        except StoreError as error:
            for transaction in added:
                self._forget(self._by_hash[transaction.hash])
            for item in sorted(left, key=lambda gone: gone.transaction.nonce):
                with suppress(PoolError):
                    self._take(item.transaction, item.conditional)
            self._left.clear()
            return PoolError(f"{texts.NOT_STORED}: {error} (is the disk full?)")
        return None

    def _record(self, added: list[Transaction]) -> None:
        """Journals what changed, then tells the listeners of what came in, and of what left."""
        left, self._left = self._left, []
        if self._journal is not None:
            kept = (transaction for transaction in added if self.conditional(transaction.hash) is None)
            self._journal.update(kept, [item.transaction.hash for item in left])
        for transaction in added:
            for listener in self._listeners:
                listener(transaction)
        for item in left:
            for listener in self._leave_listeners:
                listener(item.transaction)

    def _account(self, address: Address) -> Account:
        return self._state.account(address) or _NO_ACCOUNT

    def _take(self, transaction: Transaction, conditional: Conditional | None = None) -> None:
        """Checks and holds one; raises PoolError."""
        if transaction.hash in self._by_hash:
            raise AlreadyKnown
        sender = check_transaction(transaction, self._rules, self.limits)
        state = self._account(sender)
        if transaction.nonce >= state.nonce:
            check_funds(max_cost(transaction), state.balance)  # before its L1 fee, which takes long to compute
        account = self._accounts.get(sender) or PoolAccount(sender, state.nonce)
        self._release(account.advance(state.nonce))
        item = PooledTransaction(transaction, sender, self.cost_of(transaction), self._arrivals, conditional)
        old = account.by_nonce.get(transaction.nonce)
        check_account(item, account, state, self._state, self.limits, old)
        if old is None:
            self._make_room(item, is_gapped=transaction.nonce > account.next_nonce)
        else:
            self._release([old])
        self._arrivals += 1
        self._accounts[sender] = account
        account.put(item)
        self._queue.heard(account)
        self._by_hash[transaction.hash] = item
        if conditional is not None or self._guarded.get(transaction.hash):
            self._guarded.put(transaction.hash, conditional is not None)
        if isinstance(self._config, L2Config):  # nobody derives L1's transactions from bytes
            remember_transaction(transaction)
        heapq.heappush(self._cheapest, by_tip(item))
        if len(self._cheapest) > 2 * len(self._by_hash) + 1024:
            self._cheapest = [by_tip(held) for held in self._by_hash.values()]
            heapq.heapify(self._cheapest)

    def _make_room(self, item: PooledTransaction, is_gapped: bool) -> None:
        """Drops the cheapest when the pool is full; raises PoolError when the new one pays no more than that.

        What cannot run takes no place of what can (geth core/txpool/legacypool, add).
        """
        while len(self._by_hash) >= self.limits.total:
            while self._cheapest and self._cheapest[0][2] not in self._by_hash:
                heapq.heappop(self._cheapest)
            cheapest = self._by_hash[self._cheapest[0][2]]
            if (
                item.transaction.max_priority_fee_per_gas <= cheapest.transaction.max_priority_fee_per_gas
                or cheapest.sender == item.sender
            ):
                raise PoolError(texts.UNDERPRICED)
            if is_gapped and cheapest.transaction.nonce < self._accounts[cheapest.sender].next_nonce:
                raise PoolError(texts.FUTURE_REPLACES_PENDING)
            self._forget(cheapest)

    def _forget(self, item: PooledTransaction) -> None:
        account = self._accounts[item.sender]
        account.remove(item.transaction.nonce)
        self._release([item])
        self._queue.note(account)
        if not account.by_nonce:
            del self._accounts[item.sender]

    def _release(self, items: list[PooledTransaction]) -> None:
        """Lets go of transactions that are in no account any more."""
        for item in items:
            del self._by_hash[item.transaction.hash]
            self._left.append(item)

    def _refresh(self, address: Address) -> None:
        """Brings one sender up to the head; drops what it cannot pay any more."""
        account = self._accounts.get(address)
        if account is None:
            return
        state = self._account(address)
        self._release(account.advance(state.nonce))
        if account.pending_cost > state.balance:
            poor = [item for item in account.by_nonce.values() if item.cost > state.balance]
            for item in poor:
                account.remove(item.transaction.nonce)
            self._release(poor)
        self._queue.note(account)
        if not account.by_nonce:
            del self._accounts[address]


def _touched(blocks: list[Block]) -> list[Address]:
    """Accounts whose nonce these blocks may have moved, each once: senders, and EIP-7702 authorities."""
    found: dict[Address, None] = {}
    for block in blocks:
        for transaction in block.transactions:
            found[transaction.sender] = None
            if transaction.tx_type == SET_CODE:
                for authorization in transaction.authorization_list:
                    try:
                        found[authorization.authority()] = None
                    except TransactionError:
                        continue  # an invalid tuple is skipped by the EVM as well
    return list(found)
