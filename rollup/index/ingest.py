"""Turns the transactions of one block into rows, in order."""

from collections.abc import Callable
from itertools import groupby

from attribution_precompile import events as topics
from rollup.cooperative import in_turns
from rollup.index.appended import AppendedRows
from rollup.index.costs import BlockCosts
from rollup.index.events import (
    hash_word,
    indexed,
    indexed_address,
    inference_of,
    is_ours,
    topic_of,
    word,
)
from rollup.index.existing import existing_datanet, existing_model
from rollup.index.harvests import Harvest, harvest_of
from rollup.index.memberships import Memberships
from rollup.index.payments import Payments
from rollup.index.rows import ModelRow
from rollup.index.working import Working, wide
from rollup.protocol.block import Block
from rollup.protocol.primitives import Address
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import Transaction

SETTLED, CANCELLED = 2, 3


class Ingest:
    """Applies blocks to the working rows, and collects append-only rows in `logs`, by table."""

    def __init__(self, working: Working, registered: Callable[[int, ModelRow], None]) -> None:
        """`registered` fills in what a model's registration does not log: its split and weights, which never change."""
        self._rows = working
        self._registered = registered
        self._appended = AppendedRows()
        self._memberships = Memberships(working, self._appended)
        self._payments = Payments(working, self._appended)
        self.logs = self._appended.rows
        self._handlers: dict[int, Callable[[Log], None]] = {
            topics.PLATFORM_SET: self._platform_set,
            topics.DATANET_CREATED: self._datanet_created,
            topics.CURATOR_TRANSFERRED: self._curator_transferred,
            topics.UNITS_SET: self._memberships.units_set,
            topics.MODEL_REGISTERED: self._model_registered,
            topics.MODEL_PRICED: _ignored,
            topics.MODEL_TRANSFERRED: self._model_transferred,
            topics.ATTRIBUTOR_SET: _ignored,
            topics.TRAINING_RECORDED: self._trained,
            topics.JOB_REQUESTED: self._job_requested,
            topics.JOB_SETTLED: self._job_settled,
            topics.JOB_CANCELLED: self._job_cancelled,
        }

    def block(self, block: Block, receipts: list[Receipt], costs: BlockCosts) -> bool:
        """Reads a block. Returns whether it had attribution events. There is a check point before each transaction.
        Raises ForeignEvents.
        """
        self._appended.begin(block)
        for place, (transaction, receipt) in enumerate(in_turns(zip(block.transactions, receipts, strict=True))):
            if not receipt.status:
                continue
            harvest = harvest_of(transaction)
            logs = [log for log in receipt.logs if is_ours(log)]
            if harvest is not None or logs:
                self._transaction(place, transaction, receipt, costs, harvest, logs)
        return self._appended.has_some

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
        tx = self._appended.next_position()
        self._appended.append(
            "tx",
            tx,
            transaction.hash,
            place,
            transaction.sender,
            cost.gas_used,
            wide(cost.execution),
            wide(cost.l1),
            wide(cost.operator),
        )
        if harvest is not None:
            self._memberships.harvest(harvest.account, harvest.datanets)
        for topic, group in groupby(logs, topic_of):
            if topic == topics.CONTRIBUTED:
                self._memberships.contributed(list(group))
            elif topic == topics.INFERRED:
                for log in in_turns(group):
                    self._payments.inferred(tx, inference_of(log))
            elif topic == topics.CLAIMED:
                for log in in_turns(group):
                    self._memberships.claimed(tx, log)
            else:
                handler = self._handlers[topic]
                for log in in_turns(group):
                    handler(log)

    # ------------------------------------------------------------ platform and DataNets
    def _platform_set(self, log: Log) -> None:
        row = self._rows.platform.touch(0)
        row.admin, row.treasury, row.bps = indexed_address(log, 1), indexed_address(log, 2), word(log, 0)

    def _datanet_created(self, log: Log) -> None:
        row = self._rows.datanets.touch(indexed(log, 1))
        row.curator, row.metadata = indexed_address(log, 2), hash_word(log, 0)

    def _curator_transferred(self, log: Log) -> None:
        existing_datanet(self._rows, indexed(log, 1)).curator = indexed_address(log, 3)

    # ------------------------------------------------------------ models
    def _model_registered(self, log: Log) -> None:
        model_id = indexed(log, 1)
        row = self._rows.models.touch(model_id)
        row.owner, row.base, row.metadata = indexed_address(log, 2), indexed(log, 3), hash_word(log, 0)
        self._registered(model_id, row)

    def _model_transferred(self, log: Log) -> None:
        existing_model(self._rows, indexed(log, 1))
        self._rows.models.touch(indexed(log, 1)).owner = indexed_address(log, 3)

    def _trained(self, log: Log) -> None:
        step = wide(indexed(log, 2))
        position = self._appended.next_position()
        row = (position, indexed(log, 1), step, hash_word(log, 0), hash_word(log, 1), self._appended.time)
        self._appended.append("training", *row)

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


def _ignored(log: Log) -> None:
    """Prices and attributors are not indexed: they are read from the state, with the rest of the model."""
