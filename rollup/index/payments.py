"""Inferences, and how the fee of each one is divided."""

from rollup.index import pools
from rollup.index.appended import AppendedRows
from rollup.index.credits import MEMBER, POOL, Credit, credits_of
from rollup.index.events import Inference
from rollup.index.existing import ForeignEvents, existing_datanet, existing_model
from rollup.index.working import Working, wide
from rollup.protocol.primitives import Address


class Payments:
    """Applies inferences to the working rows: one row per inference and one per credit."""

    def __init__(self, rows: Working, appended: AppendedRows) -> None:
        self._rows = rows
        self._appended = appended

    def inferred(self, tx: int, event: Inference) -> None:
        """Records an inference and pays its credits. tx: its transaction's position. Raises ForeignEvents."""
        credits = credits_of(
            self._rows.platform.touch(0),
            lambda model_id: existing_model(self._rows, model_id),
            lambda datanet_id: existing_datanet(self._rows, datanet_id).units > 0,
            event.model,
            event.fee,
            event.influence,
        )
        position = self._appended.next_position()
        is_self_paid = False
        for credit in credits:
            is_self_paid |= self._is_to(event.payer, credit)
            self._credit(position, event.model, credit)
        self._appended.append(
            "inference",
            position,
            tx,
            event.model,
            event.inference,
            event.payer,
            wide(event.fee),
            self._appended.time,
            len(credits),
            is_self_paid,
            event.body,
        )
        model = self._rows.models.touch(event.model)
        if event.inference != model.inferences + event.count:
            raise ForeignEvents(f"model {event.model}: inference {event.inference} after {model.inferences}")
        model.inferences = event.inference
        model.revenue += event.fee
        model.last_time = self._appended.time

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
        self._appended.append(
            "credit",
            self._appended.next_position(),
            inference,
            credit.model,
            source,
            credit.role,
            credit.account,
            credit.datanet,
            wide(credit.amount),
            acc,
        )
