"""Turns the transactions of one block into rows, in order."""

from collections.abc import Callable
from itertools import groupby

from attribution_precompile import events as topics
from rollup.index import pools
from rollup.index.costs import BlockCosts
from rollup.index.credits import MEMBER, POOL, Credit, credits_of
from rollup.index.events import (
    Inference,
    hash_word,
    indexed,
    indexed_address,
    inference_of,
    is_ours,
    topic_of,
    word,
)
from rollup.index.harvests import Harvest, explain_claim, harvest_of
from rollup.index.rows import DatanetRow, MemberRow, ModelRow
from rollup.index.schema import POSITION_BITS
from rollup.index.working import Working, wide
from rollup.protocol.block import Block
from rollup.protocol.primitives import Address
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import Transaction

SETTLED, CANCELLED = 2, 3
LogRow = tuple[object, ...]


class ForeignEvents(ValueError):
    """Events that contradict each other: of another chain, or from before the index began."""


class Ingest:
    """Applies blocks to the working rows, and collects append-only rows in `logs`, by table."""

    def __init__(self, working: Working, registered: Callable[[int, ModelRow], None]) -> None:
        """`registered` fills in what a model's registration does not log: its split and weights, which never change."""
        self._rows = working
        self._registered = registered
        self.logs: dict[str, list[LogRow]] = {
            name: [] for name in ("tx", "inference", "credit", "membership", "claim", "training")
        }
        self._position = 0
        self._time = 0

    def block(self, block: Block, receipts: list[Receipt], costs: BlockCosts) -> bool:
        """Reads a block. Returns whether it had attribution events. Raises ForeignEvents."""
        self._time = block.timestamp
        self._position = first = block.number << POSITION_BITS
        for place, (transaction, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
            if not receipt.status:
                continue
            harvest = harvest_of(transaction)
            logs = [log for log in receipt.logs if is_ours(log)]
            if harvest is not None or logs:
                self._transaction(place, transaction, receipt, costs, harvest, logs)
        return self._position != first

    def _next(self) -> int:
        self._position += 1
        return self._position

    # ------------------------------------------------------------ transactions
    def _transaction(
        self,
        place: int,
        transaction: Transaction,
        receipt: Receipt,
        costs: BlockCosts,
        harvest: Harvest | None,
        logs: list[Log],
    ) -> None:
        cost = costs.of(transaction, receipt)
        tx = self._next()
        self.logs["tx"].append(
            (
                tx,
                transaction.hash,
                place,
                transaction.sender,
                cost.gas_used,
                wide(cost.execution),
                wide(cost.l1),
                wide(cost.operator),
            )
        )
        if harvest is not None:
            self._harvest(harvest.account, harvest.datanets)
        for topic, group in groupby(logs, topic_of):
            if topic == topics.CONTRIBUTED:
                self._contributed(list(group))
            elif topic == topics.INFERRED:
                for log in group:
                    self._inferred(tx, inference_of(log))
            elif topic == topics.CLAIMED:
                for log in group:
                    self._claimed(tx, log)
            else:
                handler = _HANDLERS[topic]
                for log in group:
                    handler(self, log)

    # ------------------------------------------------------------ platform and DataNets
    def _platform_set(self, log: Log) -> None:
        row = self._rows.platform.touch(0)
        row.admin, row.treasury, row.bps = indexed_address(log, 1), indexed_address(log, 2), word(log, 0)

    def _datanet_created(self, log: Log) -> None:
        row = self._rows.datanets.touch(indexed(log, 1))
        row.curator, row.metadata = indexed_address(log, 2), hash_word(log, 0)

    def _curator_transferred(self, log: Log) -> None:
        self._datanet(indexed(log, 1)).curator = indexed_address(log, 3)

    def _contributed(self, logs: list[Log]) -> None:
        """The contributions of one call. The fractions that its settlements cannot pay go back after the last one."""
        for datanet_id, group in groupby(logs, lambda log: indexed(log, 1)):
            pool = self._datanet(datanet_id)
            fractions = 0
            for log in group:
                account, units = indexed_address(log, 2), word(log, 0)
                member = self._rows.members.touch(datanet_id, account)
                before = member.units
                fractions += self._settle(pool, member, account)
                pool.members += bool(units and not before)
                pool.units += units
                pool.contributions += 1
                member.units += units
                member.contributions += 1
                self._membership(datanet_id, account, before, member.units, hash_word(log, 1))
            pools.give_back(pool, fractions)

    def _units_set(self, log: Log) -> None:
        datanet_id, account, units = indexed(log, 1), indexed_address(log, 2), word(log, 1)
        pool, member = self._datanet(datanet_id), self._rows.members.touch(datanet_id, account)
        before = member.units
        if before != word(log, 0):
            raise ForeignEvents(f"DataNet {datanet_id}: units {word(log, 0)} were {before} by the events before")
        fraction = self._settle(pool, member, account)
        pool.members += bool(units) - bool(before)
        pool.units += units - before
        member.units = units
        self._membership(datanet_id, account, before, units, None)
        pools.give_back(pool, fraction)

    def _settle(self, pool: DatanetRow, member: MemberRow, account: Address) -> int:
        """Moves a member's earnings to its credit. Returns the fraction that goes back to the pool."""
        amount, fraction = pools.settle(pool, member)
        if amount:
            row = self._rows.accounts.touch(account)
            row.credit += amount
            row.settled += amount
        return fraction

    def _membership(self, datanet: int, account: Address, before: int, units: int, content: bytes | None) -> None:
        self.logs["membership"].append((self._next(), datanet, account, wide(before), wide(units), content, self._time))

    # ------------------------------------------------------------ models
    def _model_registered(self, log: Log) -> None:
        model_id = indexed(log, 1)
        row = self._rows.models.touch(model_id)
        row.owner, row.base, row.metadata = indexed_address(log, 2), indexed(log, 3), hash_word(log, 0)
        self._registered(model_id, row)

    def _model_transferred(self, log: Log) -> None:
        self._existing_model(indexed(log, 1))
        self._rows.models.touch(indexed(log, 1)).owner = indexed_address(log, 3)

    def _trained(self, log: Log) -> None:
        step = wide(indexed(log, 2))
        self.logs["training"].append(
            (self._next(), indexed(log, 1), step, hash_word(log, 0), hash_word(log, 1), self._time)
        )

    def _told_elsewhere(self, log: Log) -> None:
        """Prices and attributors are read from the state, where they stand beside the rest of the model."""

    # ------------------------------------------------------------ inferences
    def _inferred(self, tx: int, event: Inference) -> None:
        credits = credits_of(
            self._rows.platform.touch(0),
            self._existing_model,
            lambda datanet_id: self._datanet(datanet_id).units > 0,
            event.model,
            event.fee,
            event.influence,
        )
        position = self._next()
        is_self_paid = False
        for credit in credits:
            is_self_paid |= self._is_to(event.payer, credit)
            self._credit(position, event.model, credit)
        self.logs["inference"].append(
            (
                position,
                tx,
                event.model,
                event.inference,
                event.payer,
                wide(event.fee),
                self._time,
                len(credits),
                is_self_paid,
                event.body,
            )
        )
        model = self._rows.models.touch(event.model)
        if event.inference != model.inferences + event.count:
            raise ForeignEvents(f"model {event.model}: inference {event.inference} after {model.inferences}")
        model.inferences = event.inference
        model.revenue += event.fee
        model.last_time = self._time

    def _is_to(self, payer: Address, credit: Credit) -> bool:
        """Whether this credit pays part of the fee back to the payer."""
        if credit.account is not None:
            return credit.account == payer
        member = self._rows.members.get(credit.datanet, payer)
        return member is not None and member.units > 0

    def _credit(self, inference: int, source: int, credit: Credit) -> None:
        acc = None
        if credit.role == POOL:
            assert credit.datanet is not None
            flow = self._rows.flows.touch(credit.datanet, source)
            pools.pay(self._rows.datanets.touch(credit.datanet), flow, credit.amount)
            acc = wide(flow.acc)
        else:
            assert credit.account is not None
            account = self._rows.accounts.touch(credit.account)
            account.credit += credit.amount
            account.direct += credit.amount
            if credit.role == MEMBER:
                self._rows.members.touch(credit.datanet, credit.account).direct += credit.amount
            earning = self._rows.earnings.touch(credit.account, source, credit.role)
            earning.amount += credit.amount
            earning.credits += 1
        self.logs["credit"].append(
            (
                self._next(),
                inference,
                credit.model,
                source,
                credit.role,
                credit.account,
                credit.datanet,
                wide(credit.amount),
                acc,
            )
        )

    # ------------------------------------------------------------ jobs
    def _job_requested(self, log: Log) -> None:
        row = self._rows.jobs.touch(indexed(log, 1))
        row.model, row.payer = indexed(log, 2), indexed_address(log, 3)
        row.escrow, row.request, row.deadline = word(log, 0), hash_word(log, 1), word(log, 2)

    def _job_settled(self, log: Log) -> None:
        row = self._rows.jobs.touch(indexed(log, 1))
        row.state, row.inference, row.fee, row.refund = SETTLED, word(log, 0), word(log, 1), word(log, 2)
        self._refund(row.payer, row.refund)

    def _job_cancelled(self, log: Log) -> None:
        row = self._rows.jobs.touch(indexed(log, 1))
        row.state, row.refund = CANCELLED, word(log, 0)
        self._refund(row.payer, row.refund)

    def _refund(self, account: Address, amount: int) -> None:
        if amount:
            row = self._rows.accounts.touch(account)
            row.credit += amount
            row.refunded += amount

    # ------------------------------------------------------------ earnings
    def _harvest(self, account: Address, datanet_ids: tuple[int, ...]) -> None:
        for datanet_id in datanet_ids:
            member = self._rows.members.get(datanet_id, account)
            if member is None or not member.units:
                continue
            pool = self._datanet(datanet_id)
            amount = pools.harvest(pool, self._rows.members.touch(datanet_id, account))
            if amount:
                row = self._rows.accounts.touch(account)
                row.credit += amount
                row.settled += amount

    def _claimed(self, tx: int, log: Log) -> None:
        account, amount = indexed_address(log, 1), word(log, 0)
        row = self._rows.accounts.touch(account)
        if row.credit != amount:
            self._harvest(account, explain_claim(amount - row.credit, self._pending(account)))
        if row.credit < amount:
            # A harvest that only storage shows: made by a contract, from DataNets that the sum does not determine.
            row.settled += amount - row.credit
            row.credit = amount
        row.credit -= amount
        row.claimed += amount
        self.logs["claim"].append((self._next(), tx, account, indexed_address(log, 2), wide(amount)))

    def _pending(self, account: Address) -> list[tuple[int, int]]:
        """Whole wei pending, by each DataNet of which the account is a member."""
        found = []
        for datanet_id in self._rows.datanets_of(account):
            member = self._rows.members.get(datanet_id, account)
            if member is not None and member.units:
                found.append((datanet_id, pools.pending_scaled(self._datanet(datanet_id), member) >> 64))
        return found

    # ------------------------------------------------------------ rows that must be there
    def _datanet(self, datanet_id: int) -> DatanetRow:
        if self._rows.datanets.get(datanet_id) is None:
            raise ForeignEvents(f"DataNet {datanet_id} was never created by the events before")
        return self._rows.datanets.touch(datanet_id)

    def _existing_model(self, model_id: int) -> ModelRow:
        row = self._rows.models.get(model_id)
        if row is None:
            raise ForeignEvents(f"model {model_id} was never registered by the events before")
        return row


_HANDLERS: dict[int, Callable[[Ingest, Log], None]] = {
    topics.PLATFORM_SET: Ingest._platform_set,
    topics.DATANET_CREATED: Ingest._datanet_created,
    topics.CURATOR_TRANSFERRED: Ingest._curator_transferred,
    topics.UNITS_SET: Ingest._units_set,
    topics.MODEL_REGISTERED: Ingest._model_registered,
    topics.MODEL_PRICED: Ingest._told_elsewhere,
    topics.MODEL_TRANSFERRED: Ingest._model_transferred,
    topics.ATTRIBUTOR_SET: Ingest._told_elsewhere,
    topics.TRAINING_RECORDED: Ingest._trained,
    topics.JOB_REQUESTED: Ingest._job_requested,
    topics.JOB_SETTLED: Ingest._job_settled,
    topics.JOB_CANCELLED: Ingest._job_cancelled,
}
