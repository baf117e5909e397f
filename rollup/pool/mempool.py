"""The transaction pool of either layer: nonce order per sender, tip order across senders.

Behaviour and texts follow geth's legacy pool (core/txpool/legacypool): a replacement raises tip and fee cap by 10 %,
the balance check counts what the sender already has in the pool, on L2 with the L1 data fee and the operator fee.

Mempool is admission, the journal and the listeners. The transactions it holds and their order are in held.py.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Final

from rollup.execution.chain import Chain, HeadChange
from rollup.execution.conditional import Conditional
from rollup.execution.config import L1Config, L2Config
from rollup.execution.errors import InvalidTransaction
from rollup.pool import errors as texts
from rollup.pool.account import PoolAccount, PooledTransaction
from rollup.pool.admission import check_account, check_funds
from rollup.pool.errors import AlreadyKnown, PoolError
from rollup.pool.head import CostRule, PoolHead, no_extra_cost
from rollup.pool.held import HeldTransactions, PoolContent, PoolSnapshot
from rollup.pool.journal import PoolJournal
from rollup.pool.limits import PoolLimits
from rollup.pool.rules import check_transaction, decode, decoded, max_cost
from rollup.protocol.block import Block
from rollup.protocol.known_transactions import remember_transaction
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.recent import Recent
from rollup.protocol.transaction import SET_CODE, Transaction, TransactionError
from rollup.store.kv import Store, StoreError

_KEPT_GUARDED = 16_384  # hashes of transactions with a condition
_FROM_THE_HEAD: Final[Mapping[Address, int]] = MappingProxyType({})


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
        self._held = HeldTransactions(self.limits, now)
        self._rejected: set[Hash] = set()
        self._guarded: Recent[bool] = Recent(_KEPT_GUARDED)  # by hash: whether it came with a condition
        self._listeners: list[Callable[[Sequence[Transaction]], None]] = []
        self._leave_listeners: list[Callable[[Transaction], None]] = []
        self._journal = PoolJournal(journal) if journal is not None else None
        self._follow(chain.head)
        self._reload()
        chain.subscribe(self.on_head_change)

    def __len__(self) -> int:
        return len(self._held.by_hash)

    @property
    def arrivals(self) -> int:
        """The number of transactions that have come so far."""
        return self._held.arrivals

    def subscribe(self, listener: Callable[[Sequence[Transaction]], None]) -> None:
        """Calls the listener with the transactions that are taken in together."""
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
        """Takes in several parsed transactions, like add_many. An error in place of one is its answer."""
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
        self._held.trim_queue()
        failure = self._record_or_undo(kept)
        return results if failure is None else [item if isinstance(item, PoolError) else failure for item in results]

    def add_transaction(self, transaction: Transaction, conditional: Conditional | None = None) -> Hash:
        """Takes in a parsed transaction, like add (a blob transaction without its sidecar)."""
        self._take(transaction, conditional)
        self._held.trim_queue()
        failure = self._record_or_undo([transaction])
        if failure is not None:
            raise failure
        return transaction.hash

    def get(self, tx_hash: Hash) -> Transaction | None:
        """The pooled transaction with this hash."""
        item = self._held.by_hash.get(tx_hash)
        return item.transaction if item is not None else None

    def conditional(self, tx_hash: Hash) -> Conditional | None:
        """The condition under which a block may take the pooled transaction with this hash."""
        item = self._held.by_hash.get(tx_hash)
        return item.conditional if item is not None else None

    def cost_of(self, transaction: Transaction) -> int:
        """Wei the sender must hold for this one at the head: gas at the cap, value, and the extra cost."""
        return self._head.cost_of(transaction)

    def nonce(self, address: Address) -> int:
        """The next nonce of an account, counting what can run in the pool (the `pending` count)."""
        account = self._held.accounts.get(address)
        state_nonce = self._head.account(address).nonce
        return max(account.next_nonce, state_nonce) if account is not None else state_nonce

    def content(self) -> PoolContent:
        """Everything that is held, by sender."""
        return self._held.content()

    def counts(self) -> tuple[int, int]:
        """How many can run, and how many wait behind a gap."""
        return self._held.counts()

    def has_pending(self, base_fee: int, hashes: Sequence[Hash] | None = None) -> bool:
        """True when a block at this base fee (wei) would have something to take, or one of these transactions."""
        return self._held.has_pending(base_fee) if hashes is None else self._held.are_pending(hashes, base_fee)

    def remove(self, tx_hash: Hash) -> Transaction | None:
        """Forgets one transaction; those of its sender behind it wait from then on."""
        item = self._held.by_hash.get(tx_hash)
        if item is None:
            return None
        self._held.forget(item)
        self._record([])
        return item.transaction

    def clear(self) -> None:
        """Forgets everything."""
        self._held.clear()
        self._record([])

    def pending(self, base_fee: int, next_nonces: Mapping[Address, int] = _FROM_THE_HEAD) -> Iterator[Transaction]:
        """The transactions that can run at this base fee (wei), highest tip first, each sender's in nonce order.

        After a transaction the caller may call reject or defer; the rest of that sender's is then left out.
        next_nonces: where to begin, for senders that already have transactions in the block.
        """
        self._rejected = set()
        return self._held.pending(base_fee, self._rejected, next_nonces)

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
        self._follow(self._chain.head)
        orphaned = [tx for tx in _orphaned(change) if not self._guarded.get(tx.hash)]
        for address in _touched(change.removed + change.added):
            account = self._held.accounts.get(address)
            if account is not None:
                self._held.refresh(account, self._head.account(address))
        # The new chain may have no place for some of them: no client was promised one.
        kept, _ = self._take_all(sorted(orphaned, key=lambda tx: tx.nonce))
        self._held.trim_queue()
        self._record([transaction for transaction in kept if transaction.hash in self._held.by_hash])

    # ------------------------------------------------------------ snapshots
    def capture(self) -> PoolSnapshot:
        """A copy of everything that is held now."""
        return self._held.capture()

    def restore(self, snapshot: PoolSnapshot) -> None:
        """Holds exactly what a snapshot has. Restore the chain first. Listeners hear what comes and what leaves."""
        self._record(self._held.restore(snapshot))

    # ------------------------------------------------------------ inside
    def _follow(self, head: Block) -> None:
        self._head = PoolHead(self._config, head, self._chain.state_at(head.hash), self._extra_cost)

    def _reload(self) -> None:
        if self._journal is None:
            return
        _, refused = self._take_all(self._journal.load())
        # A replacement came in after the transactions that follow it: until it is back they are behind a gap.
        _, gone = self._take_all(sorted(refused, key=lambda tx: tx.nonce))
        self._journal.update(dropped=[transaction.hash for transaction in gone])
        self._held.trim_queue()
        self._record([])

    def _take_all(self, transactions: Iterable[Transaction]) -> tuple[list[Transaction], list[Transaction]]:
        """Takes in what it can. Returns what it took, and what it refused."""
        taken: list[Transaction] = []
        refused: list[Transaction] = []
        for transaction in transactions:
            try:
                self._take(transaction)
            except PoolError:
                refused.append(transaction)
            else:
                taken.append(transaction)
        return taken, refused

    def _record_or_undo(self, added: list[Transaction]) -> PoolError | None:
        """Records what came in and left. If it cannot be written, undoes it all and returns the error for clients."""
        left = list(self._held.left)
        added = [transaction for transaction in added if transaction.hash in self._held.by_hash]
        try:
            self._record(added)
        except StoreError as error:
            for transaction in added:
                self._held.forget(self._held.by_hash[transaction.hash])
            for item in sorted(left, key=lambda gone: gone.transaction.nonce):
                with suppress(PoolError):
                    self._take(item.transaction, item.conditional)
            self._held.left.clear()
            return PoolError(f"{texts.NOT_STORED}: {error} (is the disk full?)")
        return None

    def _record(self, added: list[Transaction]) -> None:
        """Journals what came in and what left, then calls the listeners."""
        left = self._held.take_left()
        if self._journal is not None:
            kept = (transaction for transaction in added if self.conditional(transaction.hash) is None)
            self._journal.update(kept, [item.transaction.hash for item in left])
        for listener in self._listeners if added else ():
            listener(added)
        for item in left:
            for leaves in self._leave_listeners:
                leaves(item.transaction)

    def _take(self, transaction: Transaction, conditional: Conditional | None = None) -> None:
        """Checks and holds one; raises PoolError."""
        held, head = self._held, self._head
        if transaction.hash in held.by_hash:
            raise AlreadyKnown
        sender = check_transaction(transaction, head.rules, self.limits)
        state = head.account(sender)
        if transaction.nonce >= state.nonce:
            check_funds(max_cost(transaction), state.balance)  # before its L1 fee, which takes long to compute
        account = held.accounts.get(sender) or PoolAccount(sender, state.nonce)
        held.release(account.advance(state.nonce))
        item = PooledTransaction(transaction, sender, head.cost_of(transaction), held.arrivals, conditional)
        old = account.by_nonce.get(transaction.nonce)
        check_account(item, account, state, head.state, self.limits, old)
        held.put(item, account, old)
        if conditional is not None or self._guarded.get(transaction.hash):
            self._guarded.put(transaction.hash, conditional is not None)
        if isinstance(self._config, L2Config):  # nobody derives L1's transactions from bytes
            remember_transaction(transaction)


def _orphaned(change: HeadChange) -> list[Transaction]:
    """Signed transactions of blocks that left the chain, which are in none of those that joined it."""
    included = {tx.hash for block in change.added for tx in block.transactions}
    removed = (tx for block in change.removed for tx in block.transactions)
    return [tx for tx in removed if not (tx.is_deposit or tx.hash in included)]


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
