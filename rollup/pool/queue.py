"""Transactions that wait behind a nonce gap, with geth's bounds (core/txpool/legacypool: truncateQueue and loop)."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from rollup.pool.account import PoolAccount, PooledTransaction
from rollup.pool.limits import PoolLimits
from rollup.protocol.primitives import Address


class PoolQueue:
    """The senders with transactions that cannot run yet, in order of their last transaction."""

    def __init__(self, limits: PoolLimits, now: Callable[[], float]) -> None:
        """now: seconds, by the clock of the node."""
        self._limits = limits
        self._now = now
        self._since: OrderedDict[Address, float] = OrderedDict()

    def capture(self) -> list[tuple[Address, float]]:
        """Since when each sender waits."""
        return list(self._since.items())

    def restore(self, since: Iterable[tuple[Address, float]]) -> None:
        """Takes up what capture returned."""
        self._since = OrderedDict(since)

    def heard(self, account: PoolAccount) -> None:
        """A sender handed in a transaction: what it has waiting is alive again."""
        self._since.pop(account.address, None)
        self.note(account)

    def note(self, account: PoolAccount) -> None:
        """A sender's transactions changed."""
        if not account.queued_count:
            self._since.pop(account.address, None)
        elif account.address not in self._since:
            self._since[account.address] = self._now()

    def excess(self, accounts: Mapping[Address, PoolAccount]) -> list[PooledTransaction]:
        """Transactions that waited too long or are too many. The sender that was silent longest loses its own first."""
        for address in [address for address in self._since if address not in accounts]:
            del self._since[address]
        oldest = self._now() - self._limits.queued_lifetime
        dropped: list[PooledTransaction] = []
        left = 0
        for address, since in self._since.items():
            account = accounts[address]
            if since < oldest:
                dropped += account.queued()
            else:
                waiting = list(account.queued())
                dropped += waiting[self._limits.account_queued :]
                left += min(len(waiting), self._limits.account_queued)
        gone = {item.transaction.hash for item in dropped}
        for address in self._since:
            if left <= self._limits.queued_total:
                break
            waiting = [item for item in accounts[address].queued() if item.transaction.hash not in gone]
            cut = waiting[max(0, len(waiting) - (left - self._limits.queued_total)) :]
            dropped += cut
            left -= len(cut)
        return dropped
