"""Parity's stateDiff: the accounts that a transaction changed, with the values before and after it.

A value is `"="` where it is the same, `{"+": value}` in a new account, `{"-": value}` in one that is gone, and
`{"*": {"from": value, "to": value}}` otherwise. Every account is there, also those that got the fees.
"""

from typing import TYPE_CHECKING, Any

from rollup.cooperative import pause
from rollup.execution.state.account import ABSENT
from rollup.execution.state.accounts import AccountDatabase, code_of, values_of
from rollup.execution.state.changes import Changed, Values, changes_between
from rollup.execution.tracers.budget import Budget
from rollup.execution.tracing import Tracer
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import Transaction

if TYPE_CHECKING:
    from rollup.execution.evm import Evm, Outcome

_ACCOUNT_WEIGHT, _SLOT_WEIGHT = 600, 300  # approximate bytes of an account and of a slot in the answer


class StateDiffTracer(Tracer):
    """Compares the state before a transaction with the state after it."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._before: Values | None = None
        self._accounts: dict[str, Any] = {}

    def on_tx_start(self, evm: "Evm", transaction: Transaction, sender: Address) -> None:
        """Notes the values before it."""
        self._before = values_of(evm.accounts).kept()

    def on_tx_end(self, evm: "Evm", outcome: "Outcome") -> None:
        """Compares."""
        assert self._before is not None
        found = {}
        for changed in changes_between(self._before, values_of(evm.accounts)):
            pause()
            # A transaction deletes empty accounts that it has touched, a call does not (EIP-161).
            before, after = (
                None if item is None or item.is_empty else item for item in (changed.before, changed.after)
            )
            if before is None and after is None and not changed.slots:
                continue
            self._budget.take(_ACCOUNT_WEIGHT + _SLOT_WEIGHT * len(changed.slots))
            found[_hex(changed.address)] = self._account(evm.accounts, changed._replace(before=before, after=after))
        self._accounts = dict(sorted(found.items()))

    def result(self) -> Any:
        """Parity's StateDiff."""
        return self._accounts

    def _account(self, accounts: AccountDatabase, changed: Changed) -> dict[str, Any]:
        sign = "+" if changed.before is None else "-" if changed.after is None else "*"
        before, after = changed.before or ABSENT, changed.after or ABSENT
        codes = [code_of(accounts, item.code_hash) for item in (before, after)]
        self._budget.take(2 * sum(map(len, codes)))
        return {
            "balance": _delta(sign, hex(before.balance), hex(after.balance)),
            "code": _delta(sign, *map(_hex, codes)),
            "nonce": _delta(sign, hex(before.nonce), hex(after.nonce)),
            "storage": {
                _word(slot): _delta(sign, *map(_word, values)) for slot, values in sorted(changed.slots.items())
            },
        }


def _delta(sign: str, before: str, after: str) -> Any:
    if sign == "+":
        return {"+": after}
    if sign == "-":
        return {"-": before}
    return "=" if before == after else {"*": {"from": before, "to": after}}


def _word(value: int) -> str:
    return f"0x{value:064x}"


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
