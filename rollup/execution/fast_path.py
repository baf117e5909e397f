"""Transactions that need no EVM: value to an account without code, and calls to the native attribution precompile.

Whether a transaction may be here and what it pays is `check`, `refund_for` and `pay_fees`, as on the slow path.
This file only decides that no EVM is needed, and does without one what `transition` would do by py-evm: storage, gas,
logs, return data. It answers None where an EVM is needed (code, a creation, a payment out of the precompile).
"""

from eth.exceptions import OutOfGas as EvmOutOfGas
from eth.exceptions import Revert as EvmRevert

from attribution_precompile import ADDRESS_BYTES as ATTRIBUTION
from attribution_precompile import RUNTIME_CODE, OutOfGas, Revert, execute
from rollup.execution.attribution_flat_host import FlatHost, NeedsEvm
from rollup.execution.charge import Charge, check, pay_fees, refund_for
from rollup.execution.evm import Evm, Outcome
from rollup.execution.state.account import Account
from rollup.protocol.primitives import EMPTY_CODE_HASH, keccak256
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction

_ATTRIBUTION_CODE_HASH = keccak256(RUNTIME_CODE)
_new = tuple.__new__  # an Account without the keyword handling of its constructor


class FastPath:
    """The fast path of one block."""

    __slots__ = ("_accounts", "_evm", "_host", "_precompiles")

    def __init__(self, evm: Evm) -> None:
        rules, context = evm.rules, evm.context
        self._evm = evm
        self._accounts = evm.accounts
        self._precompiles = rules.precompiles
        host = FlatHost(evm.accounts, context.timestamp, context.chain_id, context.impersonates_signatures)
        self._host = host if rules.is_native_attribution else None

    def apply(self, transaction: Transaction, gas_available: int) -> Outcome | None:
        """Runs a transaction, or returns None with the state untouched; raises InvalidTransaction."""
        to = transaction.to
        if transaction.tx_type > DYNAMIC_FEE or to is None or transaction.access_list:
            return None
        accounts, evm = self._accounts, self._evm
        target = accounts.account(to)
        is_call = False
        if target is not None and target[3] != EMPTY_CODE_HASH:
            if to != ATTRIBUTION or self._host is None or target[3] != _ATTRIBUTION_CODE_HASH:
                return None
            is_call = True
        elif to in self._precompiles or (target is not None and not transaction.value and not any(target[:2])):
            # The second: an empty account is there, and touching it removes it (EIP-161).
            return None

        charge = check(evm, transaction, gas_available)
        sender, value = charge.sender, transaction.value
        before = accounts.account(sender)
        if before is None or before[3] != EMPTY_CODE_HASH:
            return None  # no account at all, or one that delegates
        if is_call:
            outcome = self._call(charge, value, transaction.data)
            if outcome is None:
                return None
        else:
            outcome = Outcome(1, max(charge.intrinsic, charge.floor), gas_price=charge.price)
        moved = value if outcome.status else 0
        balance = before[1] - moved - charge.upfront + refund_for(evm, charge, outcome.gas_used)
        accounts.unlogged_accounts[sender] = _new(Account, (charge.nonce + 1, balance, before[2], EMPTY_CODE_HASH))
        if moved:
            accounts.credit(to, moved)
        pay_fees(evm, charge, outcome.gas_used)
        return outcome

    def _call(self, charge: Charge, value: int, data: bytes) -> Outcome | None:
        """A call to the precompile; None when it needs the EVM. Storage is written only on success."""
        host, price = self._host, charge.price
        assert host is not None
        host.begin(int.from_bytes(charge.sender, "big"), value, charge.gas_limit - charge.intrinsic)
        try:
            output = execute(host, data)
        except Revert as error:
            used = charge.gas_used(host.gas, 0)
            return Outcome(0, used, error.data, error=EvmRevert(error.data), gas_price=price)
        except OutOfGas as error:
            return Outcome(0, charge.gas_limit, error=EvmOutOfGas(str(error)), gas_price=price)
        except NeedsEvm:
            return None
        used = charge.gas_used(host.gas, host.refund)
        return Outcome(1, used, output, host.finish(), gas_price=price)
