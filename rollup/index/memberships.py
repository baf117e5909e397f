"""Contributions, units and what members earn from the pools of DataNets."""

from itertools import groupby

from rollup.cooperative import in_turns
from rollup.index import pools
from rollup.index.appended import AppendedRows
from rollup.index.events import hash_word, indexed, indexed_address, word
from rollup.index.existing import ForeignEvents, existing_datanet
from rollup.index.harvests import explain_claim
from rollup.index.rows import DatanetRow, MemberRow
from rollup.index.working import Working, wide
from rollup.protocol.primitives import Address
from rollup.protocol.receipt import Log


class Memberships:
    """Applies the events of DataNets' members to the working rows."""

    def __init__(self, rows: Working, appended: AppendedRows) -> None:
        self._rows = rows
        self._appended = appended

    def contributed(self, logs: list[Log]) -> None:
        """The contributions of one call. The fractions that its settlements cannot pay go back after the last one."""
        for datanet_id, group in groupby(logs, lambda log: indexed(log, 1)):
            pool = existing_datanet(self._rows, datanet_id)
            fractions = 0
            for log in in_turns(group):
                account, units = indexed_address(log, 2), word(log, 0)
                member = self._rows.members.touch(datanet_id, account)
                before = member.units
                fractions += self._settle(pool, member, account)
                pool.members += bool(units and not before)
                pool.units += units
                pool.contributions += 1
                member.units += units
                member.contributions += 1
                self._append(datanet_id, account, before, member.units, hash_word(log, 1))
            pools.give_back(pool, fractions)

    def units_set(self, log: Log) -> None:
        """A curator's change of a member's units. Raises ForeignEvents."""
        datanet_id, account, units = indexed(log, 1), indexed_address(log, 2), word(log, 1)
        pool, member = existing_datanet(self._rows, datanet_id), self._rows.members.touch(datanet_id, account)
        before = member.units
        if before != word(log, 0):
            raise ForeignEvents(f"DataNet {datanet_id}: units {word(log, 0)} were {before} by the events before")
        fraction = self._settle(pool, member, account)
        pool.members += bool(units) - bool(before)
        pool.units += units - before
        member.units = units
        self._append(datanet_id, account, before, units, None)
        pools.give_back(pool, fraction)

    def harvest(self, account: Address, datanet_ids: tuple[int, ...]) -> None:
        """Moves a member's earnings from these pools to its credit."""
        for datanet_id in in_turns(datanet_ids):
            member = self._rows.members.get(datanet_id, account)
            if member is None or not member.units:
                continue
            pool = existing_datanet(self._rows, datanet_id)
            amount = pools.harvest(pool, self._rows.members.touch(datanet_id, account))
            if amount:
                row = self._rows.accounts.touch(account)
                row.credit += amount
                row.settled += amount

    def claimed(self, tx: int, log: Log) -> None:
        """A claim: the harvest that it shows, and the payment of the credit. tx: its transaction's position."""
        account, amount = indexed_address(log, 1), word(log, 0)
        row = self._rows.accounts.touch(account)
        if row.credit != amount:
            self.harvest(account, explain_claim(amount - row.credit, self._pending(account)))
        if row.credit < amount:
            # A harvest that only storage shows: made by a contract, from DataNets that the sum does not determine.
            row.settled += amount - row.credit
            row.credit = amount
        row.credit -= amount
        row.claimed += amount
        position = self._appended.next_position()
        self._appended.append("claim", position, tx, account, indexed_address(log, 2), wide(amount))

    def _settle(self, pool: DatanetRow, member: MemberRow, account: Address) -> int:
        """Moves a member's earnings to its credit. Returns the fraction that goes back to the pool."""
        amount, fraction = pools.settle(pool, member)
        if amount:
            row = self._rows.accounts.touch(account)
            row.credit += amount
            row.settled += amount
        return fraction

    def _append(self, datanet: int, account: Address, before: int, units: int, content: bytes | None) -> None:
        position = self._appended.next_position()
        row = (position, datanet, account, wide(before), wide(units), content, self._appended.time)
        self._appended.append("membership", *row)

    def _pending(self, account: Address) -> list[tuple[int, int]]:
        """Whole wei pending, by each DataNet of which the account is a member."""
        found = []
        for datanet_id in self._rows.datanets_of(account):
            member = self._rows.members.get(datanet_id, account)
            if member is not None and member.units:
                pool = existing_datanet(self._rows, datanet_id)
                found.append((datanet_id, pools.pending_scaled(pool, member) >> 64))
        return found
