"""Transactions that need no EVM: value to an account without code, and calls to the native attribution precompile.

Everything observable is what `transition` makes of the same transaction by py-evm: balances, nonces, storage, gas,
logs, return data. Whatever is out of the ordinary (a check that fails, an access list, code, a payment out of the
precompile) is answered with None, and the caller takes the slow path, which also has the words for what is wrong.
"""

from eth.exceptions import OutOfGas as EvmOutOfGas
from eth.exceptions import Revert as EvmRevert

from attribution_precompile import ADDRESS_BYTES as ATTRIBUTION
from attribution_precompile import RUNTIME_CODE, OutOfGas, Revert, execute
from rollup.execution.attribution_flat_host import FlatHost, NeedsEvm
from rollup.execution.intrinsic import TX_GAS
from rollup.execution.state.account import Account
from rollup.execution.transition import Evm, Outcome
from rollup.protocol import predeploys
from rollup.protocol.fees import ALWAYS_MINIMUM_SIZE, L1FeeParameters, calldata_gas, l1_cost, operator_fee
from rollup.protocol.forks import Fork
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Address, keccak256
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction, TransactionError

_ATTRIBUTION_CODE_HASH = keccak256(RUNTIME_CODE)
_MAX_NONCE = 2**64 - 1
_MAX_REFUND_QUOTIENT = 5  # EIP-3529
_new = tuple.__new__  # an Account without the keyword handling of its constructor


class FastPath:
    """The fast path of one block. Made when the block's L1 fee parameters are known."""

    __slots__ = (
        "_accounts",
        "_base_fee",
        "_base_fee_recipient",
        "_chain_id",
        "_coinbase",
        "_fork",
        "_host",
        "_is_prague",
        "_max_gas",
        "_plain",
        "_precompiles",
        "_small_l1_fee",
        "fees",
    )

    def __init__(self, evm: Evm) -> None:
        rules, context = evm.rules, evm.context
        self.fees: L1FeeParameters = evm.fees
        self._accounts = evm.accounts
        self._fork = rules.fork
        self._is_prague = rules.is_prague
        self._max_gas = rules.max_transaction_gas
        self._precompiles = rules.precompiles
        self._base_fee = context.base_fee_per_gas
        self._chain_id = context.chain_id
        self._coinbase = context.coinbase
        self._base_fee_recipient = evm.base_fee_recipient
        host = FlatHost(evm.accounts, context.timestamp, context.chain_id)
        self._host = host if rules.is_native_attribution else None
        # What no transaction of this block pays for: an operator without fees.
        self._plain = not (evm.fees.operator_fee_scalar or evm.fees.operator_fee_constant)
        # Up to this size Fjord's estimate is its minimum: a constant of the block.
        self._small_l1_fee: int | None = None
        if rules.fork is not None and rules.fork >= Fork.FJORD:
            self._small_l1_fee = l1_cost(b"", rules.fork, evm.fees)

    def apply(self, transaction: Transaction, gas_available: int) -> Outcome | None:
        """Runs a transaction, or returns None with the state untouched."""
        to = transaction.to
        if transaction.tx_type > DYNAMIC_FEE or to is None or transaction.access_list:
            return None
        accounts = self._accounts
        target = accounts.account(to)
        is_call = False
        if target is not None and target[3] != EMPTY_CODE_HASH:
            if to != ATTRIBUTION or self._host is None or target[3] != _ATTRIBUTION_CODE_HASH:
                return None
            is_call = True
        elif to in self._precompiles or (target is not None and not transaction.value and not any(target[:2])):
            # The second: an empty account is there, and touching it removes it (EIP-161).
            return None

        gas_limit, value, data = transaction.gas_limit, transaction.value, transaction.data
        cap, tip_cap, base_fee = transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas, self._base_fee
        if gas_limit > gas_available or tip_cap > cap or cap < base_fee:
            return None
        if self._max_gas is not None and gas_limit > self._max_gas:
            return None
        if transaction.chain_id is not None and transaction.chain_id != self._chain_id:
            return None
        try:
            sender = transaction.sender
        except TransactionError:
            return None
        account = accounts.account(sender)
        if account is None:
            return None
        nonce, balance, _, code_hash = account
        if nonce != transaction.nonce or nonce == _MAX_NONCE or code_hash != EMPTY_CODE_HASH:
            return None

        intrinsic = floor = TX_GAS
        if data:
            intrinsic += calldata_gas(data)
            floor += 10 * (4 * len(data) - 3 * data.count(0)) if self._is_prague else 0
        if gas_limit < intrinsic or gas_limit < floor:
            return None
        fork, l1_fee, operator = self._fork, 0, 0
        if fork is not None:
            raw = transaction.encode()
            small = self._small_l1_fee
            l1_fee = small if small is not None and len(raw) <= ALWAYS_MINIMUM_SIZE else l1_cost(raw, fork, self.fees)
            operator = 0 if self._plain else operator_fee(gas_limit, fork, self.fees)
        if balance < gas_limit * cap + value + l1_fee + operator:
            return None
        price = min(cap, base_fee + tip_cap)

        if is_call:
            outcome = self._call(sender, value, data, gas_limit, intrinsic, floor, price)
            if outcome is None:
                return None
        else:
            outcome = Outcome(1, max(intrinsic, floor), gas_price=price)
        gas_used = outcome.gas_used
        if operator and fork is not None:
            operator = operator_fee(gas_used, fork, self.fees)
        moved = value if outcome.status else 0
        table = accounts.unlogged_accounts
        table[sender] = _new(
            Account, (nonce + 1, balance - moved - gas_used * price - l1_fee - operator, account[2], EMPTY_CODE_HASH)
        )
        if moved:
            self._pay(to, moved)
        if price != base_fee:
            self._pay(self._coinbase, gas_used * (price - base_fee))
        if fork is not None:
            if base_fee:
                self._pay(self._base_fee_recipient, gas_used * base_fee)
            if l1_fee:
                self._pay(predeploys.L1_FEE_VAULT, l1_fee)
            if operator:
                self._pay(predeploys.OPERATOR_FEE_VAULT, operator)
        return outcome

    def _call(
        self, sender: Address, value: int, data: bytes, gas_limit: int, intrinsic: int, floor: int, price: int
    ) -> Outcome | None:
        """A call to the precompile; None when it needs the EVM. Storage is written only on success."""
        host = self._host
        assert host is not None
        host.begin(int.from_bytes(sender, "big"), value, gas_limit - intrinsic)
        try:
            output = execute(host, data)
        except Revert as error:
            used = max(gas_limit - host.gas, floor)
            return Outcome(0, used, error.data, error=EvmRevert(error.data), gas_price=price)
        except OutOfGas as error:
            return Outcome(0, gas_limit, error=EvmOutOfGas(str(error)), gas_price=price)
        except NeedsEvm:
            return None
        used = gas_limit - host.gas
        used = max(used - min(host.refund, used // _MAX_REFUND_QUOTIENT), floor)
        return Outcome(1, used, output, host.finish(), gas_price=price)

    def _pay(self, address: Address, amount: int) -> None:
        account = self._accounts.account(address)
        self._accounts.unlogged_accounts[address] = (
            _new(Account, (0, amount, EMPTY_TRIE_ROOT, EMPTY_CODE_HASH))
            if account is None
            else _new(Account, (account[0], account[1] + amount, account[2], account[3]))
        )
